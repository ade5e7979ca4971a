from __future__ import annotations

import pytest

from lsp_server.syntax.dangers import dangers
from lsp_server.syntax.snapshot import Snapshot

SQL = [
    ("DELETE FROM users;", "deletes every row of users"),
    ("delete from a.users", "deletes every row of a.users"),
    ("WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d;", "deletes every row of t"),
    ("TRUNCATE TABLE x;", "deletes every row of x"),
    ("UPDATE users SET active = false;", "changes every row of users"),
    ("DROP TABLE IF EXISTS users;", "deletes the table with its data"),
    ("DROP SCHEMA shop CASCADE;", "deletes the schema with its data, and what depends on it"),
    ("DROP VIEW v;", "deletes the view"),
    ("ALTER TABLE t DROP COLUMN c;", "deletes the column with its data"),
]
SHELL = [
    ("rm -rf build", "deletes build with all that is in there"),
    ("sudo -u me /bin/rm -r -f a b", "deletes a and b with all that is in there"),
    ("LANG=C rm x", "deletes x"),
    ("ls | xargs rm -rf", "deletes what it is given with all that is in there"),
    ("if true; then rm x; fi", "deletes x"),
    ("x=$(rm -r y)", "deletes y with all that is in there"),
    ('sh -c "rm -rf a"', "deletes a with all that is in there"),
    ("find . -name '*.tmp' -delete", "deletes whatever it finds"),
    ("find . -exec rm {} \\;", "deletes whatever it finds"),
    ("curl -s https://x.org/i | sudo bash", "runs what it downloads"),
    ("dd if=a.img of=/dev/sdb", "overwrites /dev/sdb"),
    ("cat a > /dev/sda", "overwrites /dev/sda"),
    ("mkfs.ext4 /dev/sdb1", "overwrites what is on the disk"),
    ("git push --force origin main", "overwrites the branch on the server"),
    ("git -C x push -f", "overwrites the branch on the server"),
    ("git reset --hard HEAD~1", "throws away changes that were not committed"),
    ("git checkout -- .", "throws away changes that were not committed"),
    ("git clean -fdx", "deletes files that Git does not know"),
    ("chmod -R 777 .", "lets everybody write"),
    ("chown -R me .", "changes all that is in a folder"),
    ("rsync -a --delete a/ b/", "deletes what the source does not have"),
    ("docker system prune -af", "deletes what no container uses"),
    ("sudo reboot", "stops the machine"),
]
HARMLESS = [
    ("sql", "DELETE FROM users WHERE id = 1;"),
    ("sql", "UPDATE users SET a = 1 WHERE id = 1;"),
    ("sql", "SELECT 'DROP TABLE users'; -- DELETE FROM users\n"),
    ("sql", "CREATE TABLE t (id INT);"),
    ("shellscript", "ls -la | grep rm"),
    ("shellscript", "echo 'rm -rf /'  # rm -rf /"),
    ("shellscript", "curl -s https://x.org -o out"),
    ("shellscript", "git push --force-with-lease"),
    ("shellscript", "git checkout main && git reset README.md"),
    ("shellscript", "find . -name '*.py'"),
    ("shellscript", "cat a > b"),
    ("shellscript", "chmod +x run.sh"),
    ("python", "import os\nos.remove('x')\n"),
    ("", "rm -rf /"),
]


def says(text: str, language: str) -> list[str]:
    found = dangers(Snapshot.open(text, language), 0, len(text))
    assert all(text[danger.start : danger.end].strip() for danger in found)
    return [danger.says for danger in found]


@pytest.mark.parametrize(("code", "expected"), SQL)
def test_sql_that_destroys(code: str, expected: str) -> None:
    assert says(code, "sql") == [expected]


@pytest.mark.parametrize(("code", "expected"), SHELL)
def test_commands_that_destroy(code: str, expected: str) -> None:
    assert says(code, "shellscript") == [expected]


@pytest.mark.parametrize(("language", "code"), HARMLESS)
def test_what_destroys_nothing(language: str, code: str) -> None:
    assert says(code, language) == []


def test_only_the_part_that_is_asked_for() -> None:
    text = "rm a\nrm b\nrm c\n"
    found = dangers(Snapshot.open(text, "shellscript"), 5, 9)
    assert [(danger.start, danger.end, danger.says) for danger in found] == [(5, 9, "deletes b")]


HALF = ["sudo", "sudo -u", "rm", "sh -c", "find", "git", "xargs -n 1", "| rm x", "$(", "dd of="]


@pytest.mark.parametrize("code", HALF)
def test_half_a_command_is_no_trouble(code: str) -> None:
    dangers(Snapshot.open(code, "shellscript"), 0, len(code))
