"""What is written in a form is read as what it was; how whole results look is shown in tests/features/docstring/."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.features.docstring.documentation import Documentation, Entry
from lsp_server.features.docstring.forms import FORMS, Form, form_named, form_of
from lsp_server.syntax.languages import LANGUAGES

ALL = [pytest.param(form, id=f"{style}-{form.name}") for style, forms in FORMS.items() for form in forms]
TEXTS = st.lists(st.sampled_from(["alpha", "beta", "Gamma", "`delta`", "1,", "(x)"]), min_size=1, max_size=6).map(
    lambda words: f"The {' '.join(words)}."
)
NAMES = st.sampled_from(["radius", "x", "items_2"])
ENTRIES = st.lists(st.builds(Entry, NAMES, TEXTS), max_size=3, unique_by=lambda entry: entry.name).map(tuple)
VALUES = st.none() | st.builds(Entry, st.just(""), TEXTS)
# What every form has.
DOCS = st.builds(Documentation, summary=TEXTS, parameters=ENTRIES, returns=VALUES)


@pytest.mark.parametrize("form", ALL)
@given(doc=DOCS)
def test_what_is_written_is_read_as_what_it_was(form: Form, doc: Documentation) -> None:
    if form.name == "phpdoc":
        doc = Documentation(doc.summary, parameters=tuple(Entry(f"${e.name}", e.text) for e in doc.parameters))
    read = form.read(form.lines(doc))
    assert read.summary == doc.summary
    assert [(e.name, e.text) for e in read.parameters] == [(e.name, e.text) for e in doc.parameters]
    if form.name != "shell":
        assert (read.returns and read.returns.text) == (doc.returns and doc.returns.text)
    assert not read.rest


@pytest.mark.parametrize("form", ALL)
@given(lines=st.lists(st.text(st.sampled_from("@:-\\*<>/ abA\t#\"'`[]{}"), max_size=12), max_size=8))
def test_anything_can_be_read(form: Form, lines: list[str]) -> None:
    form.lines(form.read(lines))


@pytest.mark.parametrize("form", ALL)
def test_nothing_of_what_else_was_said_is_lost(form: Form) -> None:
    doc = Documentation("Do it.", details=("More of it.",), parameters=(Entry("x", "It."),))
    assert form.read(form.lines(doc)).details == doc.details


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("", "google"),
        ("    Args:\n        x: It.\n", "google"),
        ("    Parameters\n    ----------\n    x : int\n", "numpy"),
        ("    :param x: It.\n    Args:\n    :returns: It.\n", "sphinx"),
        ("    Args:\n        x (int): It.\n        y (list[int]): It.\n", "google-typed"),
    ],
)
def test_the_form_of_most_of_a_text(text: str, form: str) -> None:
    assert form_of([text], FORMS["docstring"]).name == form


def test_every_language_with_documentation_has_a_form() -> None:
    assert {language.docs.name for language in LANGUAGES if language.docs} <= FORMS.keys()
    assert form_named("numpy", FORMS["docstring"]) is not None
    assert form_named("numpy", FORMS["Javadoc"]) is None


def test_sections_of_numpy_with_several_names() -> None:
    lines = ["Do it.", "", "Parameters", "----------", "x, y : int", "    Where.", "", "Raises", "------", "KeyError"]
    (read,) = (form.read(lines) for form in FORMS["docstring"] if form.name == "numpy")
    assert read.parameters == (Entry("x", "Where.", "int"), Entry("y", "Where.", "int"))
    assert read.raises == (Entry("KeyError"),)


def test_a_section_may_be_empty() -> None:
    (form,) = (form for form in FORMS["docstring"] if form.name == "numpy")
    assert form.read(["Do it.", "", "Returns", "-------"]).returns == Entry("")
    assert form.read(["Do it.", "", "Returns", "-------", "", "int"]).returns == Entry("", "int")


@pytest.mark.parametrize(
    ("style", "name", "line", "entry"),
    [
        ("JSDoc", "jsdoc", "@param {string} [name='a'] Who it is.", Entry("name", "Who it is.", "string")),
        ("JSDoc", "jsdoc", "@param {Object} options - How.", Entry("options", "How.", "Object")),
        ("Doxygen", "doxygen-backslash", "\\param[in] size How large.", Entry("size", "How large.")),
        ("YARD comment", "yard", "@param name [String] who it is", Entry("name", "who it is", "String")),
        ("PHPDoc", "phpdoc", "@param int|null $size How large.", Entry("$size", "How large.", "int|null")),
        ("docstring", "sphinx", ":param int size: How large.", Entry("size", "How large.", "int")),
    ],
)
def test_how_people_write_parameters(style: str, name: str, line: str, entry: Entry) -> None:
    form = form_named(name, FORMS[style])
    assert form is not None
    assert form.read(["It.", "", line]).parameters == (entry,)


def test_a_role_of_sphinx_begins_no_tag() -> None:
    form = form_named("sphinx", FORMS["docstring"])
    assert form is not None
    lines = [
        "It is as",
        ":func:`other` says.",
        "",
        ":param silent: Whether it does not raise a",
        "    :exc:`RuntimeError`, or a",
        "    :py:exc:`KeyError`.",
        ":returns: :class:`Context` of it.",
    ]
    found = form.read(lines)
    assert found.parameters == (
        Entry("silent", "Whether it does not raise a :exc:`RuntimeError`, or a :py:exc:`KeyError`."),
    )
    assert found.returns == Entry("", ":class:`Context` of it.")
    assert (found.rest, "says" in f"{found.summary} {found.details}") == ((), True)
