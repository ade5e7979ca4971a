"""Keys and passwords in a text, by their looks; pure.

Rather a key overlooked than code made wrong: what services give out is known by its beginning and its length, anything
else only where a name such as ``password`` says so and the value looks made by chance. A password that is made of words
is not found.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

# What stands for a secret. It says nothing of its length, and is none itself.
MASK = "***"

# A value between words that looks like chance: at least so long, and so often goes on with a letter after a digit.
_LEAST_CHARS = 12
_LEAST_TURNS = 2
_LEAST_DISTINCT = 8
_TURN = re.compile(r"[0-9][A-Za-z]")
_BARE_CHARS = 20


@dataclass(frozen=True, slots=True)
class _Rule:
    """What a kind of secret looks like; its ``secret`` group, or all of it.

    Attributes:
        hints: without one of these in the text, in small letters, there is no such secret: looking for them is quick.
        sure: what the secret has to fulfil besides.
    """

    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    sure: Callable[[str], bool] = field(default=lambda _secret: True)


def masked(text: str) -> str:
    """The text with ``MASK`` in place of every secret that is found."""
    small = text.lower()
    for rule in _RULES:
        if any(hint in small for hint in rule.hints):
            text = rule.pattern.sub(partial(_replaced, rule), text)
    return text


def _replaced(rule: _Rule, match: re.Match[str]) -> str:
    group = "secret" if "secret" in rule.pattern.groupindex else 0
    if not rule.sure(match[group]):
        return match[0]
    start, end = (at - match.start() for at in match.span(group))
    return match[0][:start] + MASK + match[0][end:]


def _by_chance(value: str) -> bool:
    """Whether nobody would think of a value: letters and digits in turn, and hardly any twice."""
    return (
        len(value) >= _LEAST_CHARS and len(set(value)) >= _LEAST_DISTINCT and len(_TURN.findall(value)) >= _LEAST_TURNS
    )


def _token(*begins: str, rest: str, sure: Callable[[str], bool] = lambda _secret: True) -> _Rule:
    """A token that a service gives out: how it begins, and a pattern of what comes then."""
    pattern = rf"(?<![A-Za-z0-9_-])(?:{'|'.join(map(re.escape, begins))}){rest}(?![A-Za-z0-9_])"
    return _Rule(tuple(begin.lower() for begin in begins), re.compile(pattern), sure)


_NAMES = (
    *("password", "passwd", "passphrase", "secret", "token", "credential"),
    *("apikey", "api_key", "api-key", "accesskey", "access_key", "access-key", "private_key"),
    *("authkey", "auth_key", "accountkey", "account_key"),
)
# `DB_PASSWORD = "…"`, `"apiKey": "…"`, `os.environ["TOKEN"] = '…'`, `secret_key: str = "…"`, `--password=…`
_NAMED = (
    rf"(?:{'|'.join(map(re.escape, _NAMES))})(?:[_-]?(?:key|value|default|v?[0-9]))?"
    r"[\"'`]?\]?(?:[ \t]*:[ \t]*\w+)?[ \t]*(?:=>|:=|=|:)[ \t]*"
)
_VALUE = r"[A-Za-z0-9+/=_~!@#$%^&*.:-]"
_BASE64_LINE = r"[ \t\"'`#*+]*[A-Za-z0-9+/]{64}(?:\\n)?[\"'`,+\\ \t]*\r?\n"

_RULES = (
    _Rule(
        ("private key",),
        re.compile(
            r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"
            r"(?P<secret>(?:[A-Za-z0-9+/=\s\\\"'`,.:;]|-(?!----)){40,20000}?)-----END "
        ),
    ),
    # A piece of such a key, or of a certificate.
    _Rule(("\n",), re.compile(rf"^(?P<secret>(?:{_BASE64_LINE}){{3,}})", re.MULTILINE), _by_chance),
    _token("AKIA", "ASIA", "ABIA", "ACCA", rest="[A-Z2-7]{16}"),
    _token("ghp_", "gho_", "ghu_", "ghs_", "ghr_", rest="[A-Za-z0-9]{36,255}"),
    _token("github_pat_", rest="[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"),
    _token("glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glsoat-", rest=r"[A-Za-z0-9_.-]{20,}"),
    _token("xoxa-", "xoxb-", "xoxe-", "xoxo-", "xoxp-", "xoxr-", "xoxs-", rest="[A-Za-z0-9-]{20,}", sure=_by_chance),
    _token("xapp-", rest="[0-9]-[A-Za-z0-9]+-[0-9]+-[A-Za-z0-9]{20,}"),
    _token("hooks.slack.com/services/", rest="T[A-Z0-9]{6,}/B[A-Z0-9]{6,}/[A-Za-z0-9]{20,}"),
    _token("sk_live_", "sk_test_", "rk_live_", "rk_test_", "whsec_", rest="[A-Za-z0-9]{16,}"),
    # OpenAI's, Anthropic's, OpenRouter's and those of servers that do as they do.
    _token("sk-", rest="[A-Za-z0-9_-]{20,}", sure=_by_chance),
    _token("hf_", rest="[A-Za-z0-9]{34,}"),
    _token("AIza", rest="[A-Za-z0-9_-]{35}"),
    _token("GOCSPX-", rest="[A-Za-z0-9_-]{28}"),
    _token("ya29.", rest="[A-Za-z0-9_-]{30,}"),
    _token("npm_", rest="[A-Za-z0-9]{36}"),
    _token("pypi-AgEI", rest="[A-Za-z0-9_-]{50,}"),
    _token("SG.", rest=r"[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"),
    _token("dop_v1_", "doo_v1_", "dor_v1_", rest="[0-9a-f]{64}"),
    _token("shpat_", "shpca_", "shppa_", "shpss_", rest="[0-9a-fA-F]{32}"),
    _token("AGE-SECRET-KEY-1", rest="[0-9A-Z]{58}"),
    # A JSON web token.
    _token("eyJ", rest=r"[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{10,}"),
    # A password in an address.
    _Rule(("://",), re.compile(r"://[^\s/:@\"'`]{1,64}:(?P<secret>[^\s/:@\"'`]{8,128})@"), _by_chance),
    _Rule(
        _NAMES,
        re.compile(rf"{_NAMED}[bru]{{0,2}}(?P<quote>[\"'`])(?P<secret>{_VALUE}{{12,512}})(?P=quote)", re.IGNORECASE),
        _by_chance,
    ),
    # As scripts and configuration have it.
    _Rule(
        _NAMES,
        re.compile(rf"{_NAMED}(?P<secret>[A-Za-z0-9+/=_-]{{{_BARE_CHARS},512}})[ \t]*;?[ \t]*$", re.I | re.M),
        _by_chance,
    ),
)
