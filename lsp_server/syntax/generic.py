"""Queries for grammars that nobody wrote any for: from the names that grammars give to functions and classes."""

from __future__ import annotations

import re

import tree_sitter

_FUNCTIONS = r"function|method|procedure|subroutine|macro|predicate|memberPredicate|classlessPredicate"
_CONTAINERS = r"class|interface|protocol|struct|enum|trait|impl|module|namespace|object|dataclass"
_KIND = re.compile(
    rf"(?:\w+_)?(?P<kind>{_FUNCTIONS}|{_CONTAINERS})_(?:definition|declaration|implementation|interface|item)"
    rf"|(?P<bare>{_FUNCTIONS}|{_CONTAINERS})"
)
# Where a kind's word is not the name of a capture.
_CAPTURES = {"protocol": "interface", "namespace": "module", "dataclass": "class"}
# In the order in which they usually stand. Each costs a little when the query is made, if the grammar has such a field.
_FIELDS = (("parameters", "parameters"), ("return_type", "returns"), ("body", "body"))


def scope_patterns(grammar: tree_sitter.Language) -> list[str]:
    """Patterns for the captures of ``scopes.scm``: each kind that is called a function or a class and has a name.

    Some do not fit the grammar.
    """
    parts = [f"{field}: (_)? @{capture}" for field, capture in _FIELDS if grammar.field_id_for_name(field) is not None]
    patterns = {}
    for number in range(grammar.node_kind_count):
        if grammar.node_kind_is_named(number) and grammar.node_kind_is_visible(number):
            kind = grammar.node_kind_for_id(number) or ""
            if match := _KIND.fullmatch(kind):
                patterns[kind] = f"({kind} {' '.join(('name: (_) @name', *parts))}) @{_capture(match)}"
    return list(patterns.values())


def _capture(match: re.Match[str]) -> str:
    word = match["kind"] or match["bare"]
    return "function" if re.fullmatch(_FUNCTIONS, word) else _CAPTURES.get(word, word)
