"""What SQL and shell code would destroy, read off its tree; nothing is run to find out.

It is about the usual ways to lose something, and no proof of harmlessness: a script may call anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import tree_sitter

from lsp_server.syntax.snapshot import Snapshot

# They run what stands behind them.
_CARRIERS = frozenset({"sudo", "doas", "env", "nohup", "nice", "ionice", "time", "exec", "command", "xargs", "eval"})
_SHELLS = frozenset({"sh", "bash", "zsh", "dash", "ksh", "fish"})
_INTERPRETERS = _SHELLS | {"python", "python3", "perl", "ruby", "node"}
_FETCHERS = frozenset({"curl", "wget", "fetch"})
_OVERWRITERS = frozenset({"shred", "wipefs", "fdisk", "sfdisk", "parted", "mkswap"})
_STOPPERS = frozenset({"shutdown", "reboot", "poweroff", "halt"})
# A carrier's options, with or without what belongs to them, are passed over.
_ASSIGNMENT = re.compile(r"\w+=")
# By the first words of a command: what it does.
_GIT = (
    (r"push\b.*(?:\s--force(?!-with-lease)\b|\s-\w*f|\s\+\w)", "overwrites the branch on the server"),
    (r"push\b.*\s(?:--delete|-d)\b", "deletes the branch on the server"),
    (r"reset\b.*\s--hard\b", "throws away changes that were not committed"),
    (r"clean\b.*\s-\w*[fd]", "deletes files that Git does not know"),
    (r"(?:checkout|restore)\b.*\s(?:--\s|\.(?:\s|$))", "throws away changes that were not committed"),
    (r"branch\b.*\s-D\b", "deletes a branch, merged or not"),
    (r"stash (?:drop|clear)\b", "throws away what was stashed"),
)
_OTHERS = (
    (r"docker (?:\w+ )?prune\b", "deletes what no container uses"),
    (r"docker volume rm\b", "deletes a volume with its data"),
    (r"docker compose down\b.*\s(?:-v|--volumes)\b", "deletes the volumes with their data"),
    (r"kubectl delete\b", "deletes resources of the cluster"),
    (r"(?:terraform|tofu|pulumi) destroy\b", "tears down what was set up"),
    (r"dropdb\b", "deletes a database"),
    (r"redis-cli\b.*\bflush(?:all|db)\b", "deletes all keys"),
    (r"crontab\b.*\s-r\b", "deletes all of the user's scheduled jobs"),
    (r"truncate\b", "cuts off what is in a file"),
    (r"rsync\b.*\s--delete", "deletes what the source does not have"),
    (r"chmod\b.*\s(?:0?777|a\+\w*w)", "lets everybody write"),
    (r"(?:chmod|chown|chgrp)\b.*\s(?:-\w*R|--recursive)", "changes all that is in a folder"),
    (r"iptables\b.*\s(?:-F|--flush)\b", "deletes all rules of the firewall"),
    (r"kill(?:all)?\b.*\s(?:-9|-KILL|-SIGKILL)\b", "ends programs before they can save anything"),
)
# What is dropped is in the kind of node: `drop_table`.
_DROPS = "drop_"


@dataclass(frozen=True, slots=True)
class Danger:
    """A statement or command that destroys something.

    Attributes:
        start, end: where it stands.
        says: what it does, the rest of a sentence that begins with its text.
    """

    start: int
    end: int
    says: str


def dangers(snapshot: Snapshot, start: int, end: int) -> tuple[Danger, ...]:
    """What destroys something in a part of a document, in order; empty for other languages than SQL and shell."""
    reader = {"sql": _in_sql, "shellscript": _in_shell}.get(snapshot.language.id if snapshot.language else "")
    if reader is None or snapshot.tree is None:
        return ()
    found = (Danger(*snapshot.span(node), says) for node, says in reader(snapshot, snapshot.tree.root_node))
    return tuple(danger for danger in found if danger.start < end and start < danger.end)


def _in_sql(snapshot: Snapshot, root: tree_sitter.Node) -> Iterator[tuple[tree_sitter.Node, str]]:
    for node in _all_below(root):
        table = _table(snapshot, node)
        if node.type == "statement":
            kinds = [child.type for child in node.children]
            from_all = not any(_has(child, "where") for child in node.children if child.type == "from")
            if ("delete" in kinds and from_all) or kinds[:1] == ["keyword_truncate"]:
                yield node, f"deletes every row{table}"
        elif node.type == "update" and not _has(node, "where"):
            yield node, f"changes every row{table}"
        elif node.type.startswith(_DROPS):
            what = node.type.removeprefix(_DROPS).replace("_", " ")
            lost = " with its data" if what in ("table", "column", "schema", "database") else ""
            also = ", and what depends on it" if _has(node, "keyword_cascade") else ""
            yield node, f"deletes the {what}{lost}{also}"


def _table(snapshot: Snapshot, node: tree_sitter.Node) -> str:
    """``of NAME``, for the first table that a statement names."""
    named = next((child for child in _all_below(node) if child.type == "object_reference"), None)
    return f" of {snapshot.source(named)}" if named else ""


def _in_shell(snapshot: Snapshot, root: tree_sitter.Node) -> Iterator[tuple[tree_sitter.Node, str]]:
    for node in _all_below(root):
        if node.type == "command":
            words = _run(_words(snapshot, node))
            if says := _of_command(words):
                yield node, says
        elif node.type == "pipeline":
            programs = [_run(_words(snapshot, child))[:1] for child in node.children if child.type == "command"]
            names = [PurePosixPath(words[0]).name for words in programs if words]
            if any(name in _FETCHERS for name in names[:-1]) and names[-1] in _INTERPRETERS:
                yield node, "runs what it downloads"
        elif node.type == "file_redirect":
            target = node.child_by_field_name("destination")
            if target and re.match(r"/dev/(?:sd|hd|nvme|vd|mmcblk|disk)", snapshot.source(target)):
                yield node, f"overwrites {snapshot.source(target)}"


def _of_command(words: Sequence[str]) -> str:
    """What a command destroys; empty if nothing is known of it."""
    if not words:
        return ""
    name, options = PurePosixPath(words[0]).name, [word for word in words[1:] if word.startswith("-")]
    line = " ".join((name, *words[1:]))
    if name == "rm":
        things = [word for word in words[1:] if not word.startswith("-")]
        recursive = any(option == "--recursive" or re.match(r"-\w*[rR]", option) for option in options)
        if recursive:
            return f"deletes {' and '.join(things) or 'what it is given'} with all that is in there"
        return f"deletes {' and '.join(things) or 'what it is given'}"
    if name == "find" and ("-delete" in words or re.search(r"\s-exec(?:dir)?\s+(?:\S*/)?(?:rm|shred)\b", line)):
        return "deletes whatever it finds"
    if name == "dd" and (target := next((word[3:] for word in words if word.startswith("of=")), "")):
        return f"overwrites {target}"
    if name in _OVERWRITERS or name.startswith("mkfs"):
        return "overwrites what is on the disk"
    if name in _STOPPERS:
        return "stops the machine"
    if name in _SHELLS and "-c" in words and (inner := words[words.index("-c") + 1 :]):
        script = Snapshot.open(inner[0].strip("'\""), "shellscript")
        return next((danger.says for danger in dangers(script, 0, len(script.text))), "")
    if name == "git":
        # Options before the verb are the whole program's.
        verb = re.sub(r"^git(?:\s+(?:-C\s+\S+|-c\s+\S+|--\S+))*\s+", "", line)
        return next((says for pattern, says in _GIT if re.match(pattern, verb)), "")
    return next((says for pattern, says in _OTHERS if re.match(pattern, line, re.IGNORECASE)), "")


def _run(words: list[str]) -> list[str]:
    """A command without those that only carry it: ``sudo -u me rm x`` is ``rm x``."""
    at = 0
    while at < len(words) and PurePosixPath(words[at]).name in _CARRIERS:
        at += 1
        while at < len(words) and (words[at].startswith("-") or _ASSIGNMENT.match(words[at])):
            # `sudo -u me`: what a short option of one letter takes is a name that no command has.
            takes = re.fullmatch(r"-[ugnIPLsdC]", words[at]) and at + 2 < len(words)
            at += 2 if takes else 1
    return words[at:]


def _words(snapshot: Snapshot, command: tree_sitter.Node) -> list[str]:
    parts = [child for child in command.children if child.type == "command_name" or child.is_named]
    return [
        " ".join(snapshot.source(part).split()).lstrip("\\ ")
        for part in parts
        if part.type not in ("variable_assignment", "file_redirect", "heredoc_redirect", "herestring_redirect")
    ]


def _has(node: tree_sitter.Node, kind: str) -> bool:
    return any(child.type == kind for child in node.children)


def _all_below(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    pending = [node]
    while pending:
        one = pending.pop()
        yield one
        pending += reversed(one.children)
