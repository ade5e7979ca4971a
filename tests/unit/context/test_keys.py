"""Keys that stand in code do not get into what a prompt shows of other places."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

from lsp_server.context.candidates import Sources
from lsp_server.context.related import neighbours, related_files
from lsp_server.context.retrieval import retrieve
from lsp_server.context.spot import Spot
from lsp_server.context.workspace import Workspace
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.text.secrets import MASK
from tests.support.editor import REPOSITORY
from tests.support.keys import TOKENS, made_up, private_key

Files = Callable[[dict[str, str]], None]
MakeSpot = Callable[[str, str], Spot]

PASSWORD = made_up(24)
STORE = f'''\
API_KEY = "{TOKENS["Stripe"]}"
PAYMENT_LIMIT = 500


def connect_to_store(name, password="{PASSWORD}"):
    client = open_client(name, token="{TOKENS["GitHub"]}")
    return client
'''
KEYS = (TOKENS["Stripe"], TOKENS["GitHub"], PASSWORD)
MAIN = "from store import API_KEY, PAYMENT_LIMIT, connect_to_store\n\nclient = connect_to_store(|)\n"


def shown(spot: Spot, sources: Sources) -> str:
    return "".join(item.snippet.text for item in retrieve(spot, sources, budget_tokens=2000))


def test_definitions_are_shown_without_keys(files: Files, spot: MakeSpot, sources: Sources) -> None:
    files({"store.py": STORE})
    text = shown(spot("main.py", MAIN), sources)

    assert f'password="{MASK}"' in text
    assert f'token="{MASK}"' in text
    assert "PAYMENT_LIMIT = 500" in text
    assert not [key for key in KEYS if key in text]


def test_recent_chunks_are_shown_without_keys(spot: MakeSpot, sources: Sources, root: Path) -> None:
    code = f"def other_place():\n    return start_session('{TOKENS['OpenAI']}', retries=3)\n"
    sources.recent.edited(root / "other.py", code)
    sources.recent.viewed(root / "main.py", f"{code}\nKEY = '''{private_key()}'''\n")
    text = shown(spot("main.py", "x = 1\n|"), sources)

    assert code.replace(TOKENS["OpenAI"], MASK) in text
    assert f"PRIVATE KEY-----{MASK}-----END" in text
    assert TOKENS["OpenAI"] not in text


def test_similar_code_is_shown_without_keys(files: Files, spot: MakeSpot, sources: Sources) -> None:
    alike = "account = find_account(customer, region)\naccount.charge(amount, currency)\nledger.append(account)\n"
    files({"store.py": f"{alike}client.sign_in('{TOKENS['AWS']}')\n"})
    text = shown(spot("main.py", f"import store\n\n{alike}|"), sources)

    assert f"client.sign_in('{MASK}')" in text


def test_an_item_with_a_key_stays_as_it_is(spot: MakeSpot, sources: Sources, root: Path) -> None:
    sources.recent.edited(root / "other.py", f"def other_place():\n    return start_session('{TOKENS['AWS']}')\n")
    place = spot("main.py", "x = 1\n|")
    first = retrieve(place, sources, budget_tokens=2000)

    assert retrieve(place, sources, budget_tokens=2000, last=first) == first
    assert retrieve(place, sources, budget_tokens=2000, last=first)[0] is first[0]


def test_what_actions_are_shown_of_other_files_has_no_keys(files: Files, workspace: Workspace, root: Path) -> None:
    files({"store.py": STORE})
    (related,) = related_files(Snapshot.open(MAIN.replace("|", ""), "python"), root / "main.py", workspace)
    (beside,) = neighbours(root / "main.py", workspace)

    assert MASK in related.text
    assert MASK in beside
    assert not [key for key in KEYS if key in related.text + beside]


def test_the_document_itself_is_shown_as_it_is(spot: MakeSpot) -> None:
    place = spot("main.py", f"KEY = '{TOKENS['AWS']}'\n|")

    assert TOKENS["AWS"] in place.snapshot.text[slice(*place.shown)]


@pytest.mark.parametrize("path", sorted((REPOSITORY / "lsp_server" / "context").rglob("*.py")), ids=lambda p: p.name)
def test_there_is_no_way_past_the_mask(path: Path) -> None:
    calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
    assert not [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Snippet"]
