from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

import pytest

from lsp_server.errors import RefusedError
from lsp_server.features.from_comment import CommentTarget, find_comment, write_from_comment
from lsp_server.features.types import FileEdit
from lsp_server.inference.backend import ChatRequest
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.text.edits import apply_edits
from tests.support.cursor import cursor
from tests.support.features import limited, scripted, tools_of

USERS = "CREATE TABLE users (id INTEGER, name TEXT);\n"


def target(marked: str, language: str = "sql") -> CommentTarget:
    text, offset = cursor(marked)
    return find_comment(Snapshot.open(text, language), offset, PurePosixPath("a.sql"))


async def written(marked: str, *answers: str, language: str = "sql") -> tuple[str, FileEdit]:
    found = target(marked, language)
    edit = await write_from_comment(found, tools_of(*answers))
    return apply_edits(found.snapshot.text, edit.edits), edit


async def test_the_query_stands_below_its_comment() -> None:
    text, edit = await written(f"{USERS}\n-- all us<|>ers\n", "SELECT * FROM users\n```")
    assert text == f"{USERS}\n-- all users\nSELECT * FROM users;\n"
    assert (edit.title, edit.notes, edit.preview) == ("Write: all users", (), False)


async def test_a_command_keeps_the_indentation_and_the_line_ends() -> None:
    marked = "if true; then\r\n\t# list<|> it\r\n\r\nfi\r\n"
    text, _ = await written(marked, "ls \\\n  -la\n```", language="shellscript")
    assert text == "if true; then\r\n\t# list it\r\n\tls \\\r\n\t  -la\r\n\r\nfi\r\n"


async def test_at_the_end_of_a_file_without_a_line_end() -> None:
    text, _ = await written("# list<|> it", "ls", language="shellscript")
    assert text == "# list it\nls"


async def test_what_destroys_something_is_said_and_looked_at_first() -> None:
    text, edit = await written("# clean<|> up\n", "rm -rf build", language="shellscript")
    assert text == "# clean up\nrm -rf build\n"
    assert edit.notes == ("`rm -rf build` deletes build with all that is in there.",)
    assert edit.preview


@pytest.mark.parametrize(
    ("comment", "query", "notes"),
    [
        ("users in Ber<|>lin", "SELECT * FROM users WHERE city = 'Berlin'", ()),
        ("German us<|>ers", "SELECT * FROM users WHERE country LIKE 'Germany'", ()),
        (
            "the ten old<|>est",
            "SELECT * FROM users u WHERE u.state = 'done'",
            ("It supposes that u.state may be 'done'.",),
        ),
        ("all us<|>ers", "SELECT * FROM users WHERE name LIKE '%x%' AND id > '5'", ()),
        ("mark us<|>er 5", "UPDATE users SET state = 'done' WHERE id = 5", ()),
    ],
)
async def test_what_a_query_supposes_is_said(comment: str, query: str, notes: tuple[str, ...]) -> None:
    _, edit = await written(f"-- {comment}\n", query)
    assert tuple(note for note in edit.notes if "supposes" in note) == notes
    assert edit.preview is bool(edit.notes)


async def test_where_a_column_is_is_told_the_model() -> None:
    tables = f"{USERS}CREATE TABLE orders (user_id INTEGER, total REAL);\n\n"
    right = "SELECT total FROM orders"
    for wrong, told in (
        ("SELECT u.total FROM users u", "There is no such column: u.total. total is in orders."),
        (
            "SELECT u.price FROM users u",
            "There is no such column: u.price. users has id, name. orders has user_id, total.",
        ),
        ("SELECT x FROM carts", "There is no such table: carts. users has id, name. orders has user_id, total."),
    ):
        backend = scripted(wrong, right)
        await write_from_comment(target(f"{tables}-- tot<|>als\n"), tools_of(backend=backend))
        request = backend.seen[1]
        assert isinstance(request, ChatRequest)
        assert told in request.messages[-2].content


async def test_a_process_is_not_killed_by_its_name() -> None:
    text, _ = await written("# stop<|> it\n", "kill -9 worker", "pkill worker", language="shellscript")
    assert text == "# stop it\npkill worker\n"
    for right in ("kill -9 123", 'kill "$pid"', "kill %1", "kill -s TERM 5", "kill $(pidof worker)", "killall worker"):
        text, _ = await written("# stop<|> it\n", right, language="shellscript")
        assert right in text


async def test_what_is_to_be_filled_in_is_said() -> None:
    _, edit = await written("# empty fol<|>ders\n", "find /path/to/directory -empty", language="shellscript")
    assert edit.notes == ("Put in what is meant by /path/to/directory.",)


async def test_what_stood_there_before_is_not_warned_of() -> None:
    _, edit = await written("rm a\n\n# list<|> it\n\nrm b\n", "ls", language="shellscript")
    assert edit.notes == ()


async def test_the_tables_are_shown_also_those_of_files_beside_it() -> None:
    backend = scripted("SELECT 1")
    found = replace(target(f"{USERS}\n-- a<|>ll\n"), neighbours=lambda: ["x;\ncreate table orders (id INT);\n"])
    await write_from_comment(found, tools_of(backend=backend))
    request = backend.seen[0]
    assert isinstance(request, ChatRequest)
    assert f"```sql\n{USERS}create table orders (id INT);\n```" in request.messages[1].content
    assert "does this: all\n" in request.messages[1].content


async def test_a_script_is_shown_from_its_beginning() -> None:
    backend = scripted("ls")
    await write_from_comment(target("#!/bin/sh\nsrc=1\n# a<|>ll\n", "shellscript"), tools_of(backend=backend))
    request = backend.seen[0]
    assert isinstance(request, ChatRequest)
    assert "```bash\n#!/bin/sh\nsrc=1\n```" in request.messages[1].content


async def test_a_column_that_there_is_not_is_told_once() -> None:
    backend = scripted("SELECT age FROM users", "SELECT name FROM users")
    found = target(f"{USERS}\n-- a<|>ges\n")
    edit = await write_from_comment(found, tools_of(backend=backend))
    assert edit.edits[0].new_text == "\nSELECT name FROM users;"
    request = backend.seen[1]
    assert isinstance(request, ChatRequest)
    assert "There is no such column: age." in request.messages[-2].content


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("SELECT age FROM users", "There is no such column: age."),
        ("SELECT name FROM people", "There is no such table: people."),
        ("SELECT FROM WHERE (", "It is no sound SQL."),
        ("", "It is empty."),
    ],
)
async def test_what_cannot_be_used_is_refused(answer: str, reason: str) -> None:
    with pytest.raises(RefusedError, match=reason.replace(".", r"\.")):
        await written(f"{USERS}\n-- a<|>ll\n", answer)


async def test_an_answer_without_an_end_is_refused() -> None:
    found = target("# a<|>ll\n", "shellscript")
    with pytest.raises(RefusedError, match="did not come to an end"):
        await write_from_comment(found, tools_of(backend=limited(2, "ls -la and so on")))


@pytest.mark.parametrize(
    "query",
    [
        "SELECT MONTH(name) FROM users",  # another database's function
        "SELECT 1; SELECT age FROM users",  # one at a time
    ],
)
async def test_what_sqlite_cannot_tell_is_let_through(query: str) -> None:
    text, _ = await written(f"{USERS}\n-- a<|>ll\n", query)
    assert query in text


async def test_tables_that_sqlite_does_not_understand_say_nothing() -> None:
    endless = "CREATE TABLE t AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n;\n"
    text, _ = await written(f"{endless}\n-- a<|>ll\n", "SELECT age FROM t")
    assert text.endswith("SELECT age FROM t;\n")


@pytest.mark.parametrize("marked", ["-- al<|>l\nSELECT 1;\n", "SELECT <|>1;\n", "--<|>\n"])
def test_where_there_is_nothing_to_write(marked: str) -> None:
    with pytest.raises(RefusedError):
        target(marked)
