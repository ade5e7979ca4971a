"""The forms in which languages and projects write documentation: as lines, and read again.

Lines are without delimiters and indentation; those are the language's (`DocStyle`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from lsp_server.features.docstring import languages, sections
from lsp_server.features.docstring.documentation import Documentation
from lsp_server.features.docstring.tags import Tags


@dataclass(frozen=True, slots=True)
class Form:
    """One form.

    Attributes:
        name: as settings and people call it.
        lines: a documentation in this form.
        read: what lines in this form say; what it does not know is in ``rest``.
        recognized: what only documentation in this form has.
        typed: types go into it that the code has; else only those that somebody has written there.
    """

    name: str
    lines: Callable[[Documentation], list[str]]
    read: Callable[[Sequence[str]], Documentation]
    recognized: re.Pattern[str]
    typed: bool = True


def form_named(name: str, forms: Sequence[Form]) -> Form | None:
    """The form of a name among those of a language."""
    return next((form for form in forms if form.name == name), None)


def form_of(texts: Iterable[str], forms: Sequence[Form]) -> Form:
    """The form that most of the documentation in some texts has; the first one where nothing tells."""
    counts = {form.name: 0 for form in forms}
    for text in texts:
        for form in forms:
            counts[form.name] += len(form.recognized.findall(text))
    # Of two that fit alike the later one says more: Google's form with types has all that the one without has.
    return max(reversed(forms), key=lambda form: counts[form.name]) if any(counts.values()) else forms[0]


def _tag_form(name: str, recognized: str, tags: Tags) -> Form:
    return Form(name, tags.lines, tags.read, re.compile(recognized, re.MULTILINE))


_TAG = r"^\s*(?:\*|/{2,3}!?|-{2,3}|#)?\s*"
GOOGLE = Form(
    "google",
    sections.google,
    sections.read_google,
    re.compile(r"^[ \t]+(?:Args|Returns|Raises|Yields|Attributes):[ \t]*$", re.MULTILINE),
    typed=False,
)
GOOGLE_TYPED = Form(
    "google-typed",
    sections.google,
    sections.read_google,
    re.compile(r"^[ \t]+\*{0,2}\w+ \([\w\[\], .|]+\): ", re.MULTILINE),
)
NUMPY = Form(
    "numpy",
    sections.numpy,
    sections.read_numpy,
    re.compile(r"^[ \t]*(?:Parameters|Returns|Raises|Yields|Attributes)\r?\n[ \t]*-{3,}", re.MULTILINE),
)
SPHINX = _tag_form(
    "sphinx",
    r"^[ \t]*:(?:param|returns?|raises?|yields|[ic]?var)\b",
    Tags(":", ":", returns="returns", raises="raises", attributes=("ivar", "var", "cvar")),
)
_JAVADOC = Tags()
# By the names of `DocStyle`; the first one is what is written where nothing tells.
FORMS: dict[str, tuple[Form, ...]] = {
    "docstring": (GOOGLE, NUMPY, SPHINX, GOOGLE_TYPED),
    "JSDoc": (
        _tag_form(
            "jsdoc", rf"{_TAG}@param (?:\{{[^}}]*\}} )?\[?\w+\]? (?!- )", Tags(returns="returns", types="braces")
        ),
        _tag_form(
            "jsdoc-dash",
            rf"{_TAG}@param (?:\{{[^}}]*\}} )?\[?\w+\]? - ",
            Tags(dash=" - ", returns="returns", types="braces"),
        ),
    ),
    "TSDoc": (
        _tag_form("tsdoc", rf"{_TAG}@param \w+ - ", Tags(dash=" - ", returns="returns")),
        _tag_form("jsdoc", rf"{_TAG}@param (?:\{{[^}}]*\}} )?\w+ (?!- )", Tags(returns="returns")),
    ),
    "Javadoc": (_tag_form("javadoc", rf"{_TAG}@param", _JAVADOC),),
    "KDoc": (_tag_form("kdoc", rf"{_TAG}@param", _JAVADOC),),
    "PHPDoc": (_tag_form("phpdoc", rf"{_TAG}@param", Tags(types="before")),),
    "Doxygen": (
        _tag_form("doxygen", rf"{_TAG}@(?:param|brief|returns?)\b", _JAVADOC),
        _tag_form("doxygen-backslash", rf"{_TAG}\\(?:param|brief|returns?)\b", Tags("\\")),
    ),
    "YARD comment": (_tag_form("yard", rf"{_TAG}@param", Tags(raises="raise", yields="yield", types="behind")),),
    "LuaDoc comment": (_tag_form("luadoc", rf"{_TAG}@param", Tags(raises="raise")),),
    "rustdoc": (Form("rustdoc", languages.rustdoc, languages.read_rustdoc, re.compile(r"^\s*///")),),
    "Go doc comment": (Form("godoc", languages.go, languages.read_go, re.compile(r"^\s*//")),),
    "XML documentation comment": (Form("xml", languages.xml, languages.read_xml, re.compile(r"<summary>")),),
    "comment": (Form("plain", languages.plain, languages.read_plain, re.compile(r"^")),),
    "shell comment": (Form("shell", languages.shell, languages.read_shell, re.compile(r"^\s*# Arguments:")),),
}
