from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lsp_server.context.candidates import Kind, Sources
from lsp_server.context.passages import of_the_counterpart, recent, similar
from lsp_server.context.spot import Spot

Files = Callable[[dict[str, str]], None]
MakeSpot = Callable[[str, str], Spot]

INVOICE = """\
def invoice_total(invoice):
    subtotal = sum(line.price for line in invoice.lines)
    discount = subtotal * invoice.discount_percent
    return subtotal - discount + shipping_for(invoice)
"""
CART = INVOICE.replace("invoice", "cart")


def test_recent_chunks_the_latest_and_edited_first(spot: MakeSpot, sources: Sources, root: Path) -> None:
    sources.recent.viewed(root / "a.py", "alpha_one = alpha_two(alpha_three)\n")
    sources.recent.edited(root / "b.py", "beta_one = beta_two(beta_three)\n")
    found = recent(spot("main.py", "x = |\n"), sources.recent.latest(), 600)
    assert [(c.path.name, c.reason) for c in found] == [("b.py", "edited"), ("a.py", "viewed")]
    assert found[0].score > found[1].score


def test_a_chunk_that_shares_names_weighs_more(spot: MakeSpot, sources: Sources, root: Path) -> None:
    sources.recent.viewed(root / "a.py", CART)
    sources.recent.viewed(root / "b.py", "beta_one = beta_two(beta_three)\n")
    found = recent(spot("main.py", "subtotal = cart.lines\n|\n"), sources.recent.latest(), 600)
    scores = {c.path.name: c.score for c in found}
    assert scores["a.py"] > scores["b.py"]


def test_a_chunk_of_what_the_window_shows_is_none(spot: MakeSpot, sources: Sources, root: Path) -> None:
    place = spot("main.py", f"{CART}\n\ntotal = |\n")
    sources.recent.edited(root / "main.py", CART)
    sources.recent.edited(root / "copy.py", CART.replace("cart_total", "other_total"))
    assert recent(place, sources.recent.latest(), 600) == []


def test_a_long_chunk_gives_its_best_part_to_a_small_budget(spot: MakeSpot, sources: Sources, root: Path) -> None:
    filler = "".join(f"filler_{n} = other_{n}\n" for n in range(40))
    sources.recent.edited(root / "a.py", filler + CART)
    place = spot("main.py", "subtotal = sum(line.price for line in cart.lines)\n|\n")
    small, large = (
        recent(place, sources.recent.latest(), 300)[0].text,
        recent(place, sources.recent.latest(), 3000)[0].text,
    )
    assert large == filler + CART
    assert CART in small
    assert len(small) < len(large) / 2


def test_similar_code_with_what_follows_it(files: Files, spot: MakeSpot, sources: Sources, root: Path) -> None:
    files({"invoice.py": "import os\n" * 30 + INVOICE + "after = 1\n" + "\n" * 40, "other.py": "alpha = beta\n" * 40})
    place = spot("main.py", "def cart_total(cart):\n    subtotal = sum(line.price for line in cart.lines)\n    |\n")
    found = similar(place, sources, [root / "invoice.py", root / "other.py"])
    assert [c.path.name for c in found] == ["invoice.py"]
    assert found[0].kind is Kind.SIMILAR
    assert "discount_percent" in found[0].text
    assert (root / "invoice.py").read_text()[found[0].start : found[0].end] == found[0].text


def test_similar_code_of_the_file_itself_beyond_the_window(spot: MakeSpot, sources: Sources) -> None:
    here = "def cart_total(cart):\n    subtotal = sum(line.price for line in cart.lines)\n    |\n"
    near = spot("main.py", INVOICE + "passed = 1\n" * 600 + here)
    assert "discount_percent" in similar(near, sources, [])[0].text
    far = spot("main.py", INVOICE + "passed = 1\n" * 900 + here)
    assert similar(far, sources, []) == []
    shown = spot("main.py", INVOICE + here)
    assert similar(shown, sources, []) == []


def test_visited_files_are_looked_through(files: Files, spot: MakeSpot, sources: Sources, root: Path) -> None:
    files({"invoice.py": INVOICE})
    place = spot("main.py", "def cart_total(cart):\n    subtotal = sum(line.price for line in cart.lines)\n    |\n")
    assert similar(place, sources, []) == []
    sources.recent.viewed(root / "invoice.py", "something = else_entirely(different)\n")
    assert [c.path.name for c in similar(place, sources, [c.path for c in sources.recent.latest()])] == ["invoice.py"]


def test_in_a_test_the_tested_code_is_shown(files: Files, spot: MakeSpot, sources: Sources) -> None:
    files({"cart.py": f"{CART}\ndef _private(): ...\n"})
    place = spot("test_cart.py", "def test_total():\n    assert |\n")
    found = of_the_counterpart(place, sources, [])
    assert [(c.symbol.name, c.reason) for c in found if c.symbol] == [("cart_total", "tested code")]


def test_in_code_its_test_is_shown(files: Files, spot: MakeSpot, sources: Sources) -> None:
    test = "def test_two():\n    assert cart_total(1) == 2\n"
    files({"tests/test_cart.py": f"from cart import cart_total\n\n\ndef test_one():\n    pass\n\n\n{test}"})
    place = spot("cart.py", CART.replace("return subtotal", "return |"))
    found = of_the_counterpart(place, sources, [])
    assert [(c.text, c.reason) for c in found] == [(test, "tests")]


def test_a_test_that_says_nothing_of_it_is_not_shown(files: Files, spot: MakeSpot, sources: Sources) -> None:
    files({"test_cart.py": "def test_other():\n    assert other() == cart_total\n"})
    place = spot("cart.py", CART.replace("return subtotal", "return |"))
    assert of_the_counterpart(place, sources, []) == []


def test_of_a_very_long_line_only_what_is_near_is_compared(spot: MakeSpot, sources: Sources) -> None:
    near = "subtotal(invoice.lines); discount(invoice.percent); "
    text = near * 20 + "x=1;" * 20_000
    assert similar(spot("near.js", f"{'x=1;' * 2000}{text[:1000]}{'x=1;' * 2000}{near}|"), sources, [])
    assert similar(spot("far.js", f"{text}{near}|"), sources, []) == []
