"""Answers that have to be JSON: what OpenAI's ``response_format`` asks for, as a grammar."""

from __future__ import annotations

from lsp_server.engine.http.fields import Body, field
from lsp_server.errors import InvalidRequestError

JSON_OBJECT = r"""
root ::= object
value ::= object | array | string | number | "true" | "false" | "null"
object ::= "{" ws (string ":" ws value ws ("," ws string ":" ws value ws)*)? "}"
array ::= "[" ws (value ws ("," ws value ws)*)? "]"
string ::= "\"" ([^"\\\x7F\x00-\x1F] | "\\" (["\\/bfnrt] | "u" [0-9a-fA-F]{4}))* "\""
number ::= "-"? ("0" | [1-9] [0-9]{0,15}) ("." [0-9]{1,15})? ([eE] [-+]? [0-9]{1,3})?
ws ::= " "? | "\n" [ \t]{0,20}
"""
"""GBNF of any JSON object (RFC 8259), with little room for blanks, which small models like to write for ever."""


def grammar(body: Body) -> str:
    """The grammar that an answer's form takes; empty for any form.

    Raises:
        InvalidRequestError: the form is not known, or a grammar is given besides.
    """
    asked = field(body, "response_format", dict, {})
    kind = field(asked, "type", str, "text")
    if kind == "text":
        return ""
    if kind != "json_object":
        raise InvalidRequestError(
            f"response_format of type {kind} is not supported, only text and json_object are.",
            hint="A grammar can say which JSON is wanted.",
        )
    if body.get("grammar"):
        raise InvalidRequestError("response_format and grammar cannot both be given.")
    return JSON_OBJECT
