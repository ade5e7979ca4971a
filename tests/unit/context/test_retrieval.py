from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lsp_server.context.candidates import Sources
from lsp_server.context.retrieval import Mode, retrieve
from lsp_server.context.spot import Spot
from lsp_server.syntax.snapshot import Snapshot

Files = Callable[[dict[str, str]], None]
MakeSpot = Callable[[str, str], Spot]

SHAPES = '''\
class Circle:
    """A circle."""

    def __init__(self, radius):
        self.radius = radius

    def area(self):
        total = 3 * self.radius
        return total * self.radius


def unit_circle() -> Circle:
    return Circle(1)
'''
TAX = "def tax_of(price):\n    return price * RATE_OF_THE_COUNTRY\n"
MAIN = "from shapes import Circle\nfrom tax import tax_of\n\nc = Circle(1)\nc.area()\nx = tax_of(|)\n"


@pytest.fixture
def shop(files: Files) -> None:
    files({"shapes.py": SHAPES, "tax.py": TAX})


def texts(spot: Spot, sources: Sources, budget: int = 600, mode: Mode = "full") -> dict[str, str]:
    return {i.snippet.path: i.snippet.text for i in retrieve(spot, sources, budget_tokens=budget, mode=mode)}


@pytest.mark.usefixtures("shop")
def test_definitions_as_stubs_and_short_functions_whole(spot: MakeSpot, sources: Sources) -> None:
    found = texts(spot("main.py", MAIN), sources)
    assert found == {
        "tax.py": TAX,
        "shapes.py": (
            'class Circle:\n    """A circle."""\n    def __init__(self, radius):\n        self.radius = radius\n'
            "    def area(self):\n        total = 3 * self.radius\n        return total * self.radius\n"
        ),
    }


@pytest.mark.usefixtures("shop")
def test_where_there_is_little_room_only_the_signatures_are_shown(spot: MakeSpot, sources: Sources) -> None:
    found = texts(spot("main.py", MAIN), sources, budget=50)
    assert found["shapes.py"] == 'class Circle:\n    """A circle."""\n    def area(self): ...\n'


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("budget", [0, 20, 40, 60, 100, 200, 600])
def test_the_budget_holds(budget: int, spot: MakeSpot, sources: Sources, root: Path) -> None:
    sources.recent.edited(root / "other.py", "alpha = beta(gamma_of_alpha)\n" * 20)
    items = retrieve(spot("main.py", MAIN), sources, budget_tokens=budget)
    # What is counted is an estimate.
    assert sum(item.tokens for item in items) <= budget * 1.1
    assert bool(items) == (budget > 0)


@pytest.mark.usefixtures("shop")
def test_modes(spot: MakeSpot, sources: Sources, root: Path) -> None:
    sources.recent.edited(root / "other.py", "alpha = beta(gamma_of_alpha)\n")
    place = spot("main.py", MAIN)
    assert texts(place, sources, mode="off") == {}
    assert list(texts(place, sources, mode="recent")) == ["other.py"]
    assert list(texts(place, sources)) == ["shapes.py", "tax.py", "other.py"]


@pytest.mark.usefixtures("shop")
def test_a_document_without_a_file_has_what_was_lately_seen(sources: Sources, root: Path) -> None:
    sources.recent.edited(root / "other.py", "alpha = beta(gamma_of_alpha)\n")
    place = Spot(Snapshot.open("from shapes import Circle\nCircle()\n", "python"), 30, Path("Untitled-1"))
    assert list(texts(place, sources)) == ["other.py"]


def test_reasons_say_what_is_there(files: Files, spot: MakeSpot, sources: Sources, root: Path) -> None:
    files({"shapes.py": SHAPES, "tax.py": TAX, "test_main.py": "def test_it():\n    assert total_of(1) == 2\n"})
    sources.recent.viewed(root / "other.py", "alpha = beta(gamma_of_alpha)\n")
    text = "from shapes import Circle\nfrom tax import tax_of\n\n\ndef total_of(x):\n    return tax_of(|)\n"
    reasons = {i.snippet.path: i.reason for i in retrieve(spot("main.py", text), sources, budget_tokens=600)}
    assert reasons == {
        "tax.py": "used here: tax_of",
        "shapes.py": "imported, and not used yet: Circle, __init__, area",
        "test_main.py": "tests",
        "other.py": "viewed",
    }


def test_nothing_of_a_secret_file(files: Files, spot: MakeSpot, sources: Sources) -> None:
    files({".env": "TOKEN=1\n", "secrets.yaml": "token: 1\n"})
    assert texts(spot("main.js", "import token from './secrets.yaml'\ntoken.|\n"), sources) == {}


def test_what_belonged_stays_in_front_and_unchanged(files: Files, spot: MakeSpot, sources: Sources) -> None:
    files({"shapes.py": SHAPES, "tax.py": TAX, "extra.py": "def extra_of(price): ...\n"})
    first = retrieve(spot("main.py", MAIN), sources, budget_tokens=600)
    text = "import extra\n" + MAIN.replace("x = tax_of(|)", "x = extra and tax_of(|)")
    anew = retrieve(spot("main.py", text), sources, budget_tokens=600)
    assert anew[0].snippet.path == "extra.py"
    after = retrieve(spot("main.py", text), sources, budget_tokens=600, last=first)
    assert after[:2] == first
    assert [item.snippet.path for item in after] == ["shapes.py", "tax.py", "extra.py"]


def test_what_has_changed_is_shown_as_it_is_now(files: Files, spot: MakeSpot, sources: Sources) -> None:
    files({"shapes.py": SHAPES, "tax.py": TAX})
    first = retrieve(spot("main.py", MAIN), sources, budget_tokens=600)
    files({"tax.py": TAX.replace("price", "amount_paid")})
    after = retrieve(spot("main.py", MAIN), sources, budget_tokens=600, last=first)
    assert [item.snippet.path for item in after] == ["shapes.py", "tax.py"]
    assert "amount_paid" in after[1].snippet.text


def test_what_belongs_no_longer_goes(files: Files, spot: MakeSpot, sources: Sources) -> None:
    files({"shapes.py": SHAPES, "tax.py": TAX})
    first = retrieve(spot("main.py", MAIN), sources, budget_tokens=600)
    text = MAIN.replace("from shapes import Circle\n", "").replace("c = Circle(1)\nc.area()\n", "")
    after = retrieve(spot("main.py", text), sources, budget_tokens=600, last=first)
    assert [item.snippet.path for item in after] == ["tax.py"]
