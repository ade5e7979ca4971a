"""The languages, as one table: first-class rows have queries, the others a grammar.

To add one: a row here and ``queries/<id>/{scopes,outline,imports}.scm`` (see ``queries/README.md``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath
from typing import Literal


@dataclass(frozen=True, slots=True)
class DocStyle:
    """How a language documents its functions.

    Attributes:
        name: what people call it, for prompts.
        placement: ``inside`` the body as its first statement, or ``above`` the definition.
        opening: the first line's delimiter; empty if every line only has its ``prefix``.
        prefix: what each line begins with.
        closing: the last line's delimiter.
        recognized: the beginnings of the comments that count as documentation when they stand above a definition.
    """

    name: str
    placement: Literal["inside", "above"]
    opening: str
    prefix: str
    closing: str
    recognized: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Language:
    """One language.

    Attributes:
        id: the protocol's ``languageId``.
        name: for people and prompts.
        extensions: with their dots, lower case.
        line_comment: what begins a comment up to the line's end; empty if there is no such thing.
        grammar: the symbol in the tree-sitter-languages bundle, without ``tree_sitter_``.
        wheel: ``module:function`` of the official grammar wheel; empty if Shardlight depends on none.
        docs: how functions are documented; None if that is unknown.
        blocks: what delimits a body.
        queries: the folders under ``queries/`` whose files are joined in this order.
        aliases: other ids that editors send, lower case.
        filenames: whole file names that say the language, lower case.
    """

    id: str
    name: str
    extensions: tuple[str, ...]
    line_comment: str
    grammar: str
    wheel: str = ""
    docs: DocStyle | None = None
    blocks: Literal["indent", "braces", "end"] = "braces"
    queries: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    filenames: tuple[str, ...] = ()


def _block_docs(name: str, *recognized: str) -> DocStyle:
    return DocStyle(name, "above", "/**", " * ", " */", recognized or ("/**",))


def _line_docs(name: str, prefix: str, *recognized: str) -> DocStyle:
    return DocStyle(name, "above", "", prefix, "", recognized or (prefix.rstrip(),))


_JSDOC = _block_docs("JSDoc")
_TSDOC = _block_docs("TSDoc")
_DOXYGEN = _block_docs("Doxygen", "/*", "//")

LANGUAGES: tuple[Language, ...] = (
    Language(
        id="python",
        name="Python",
        extensions=(".py", ".pyi", ".pyw"),
        line_comment="#",
        grammar="python",
        wheel="tree_sitter_python:language",
        docs=DocStyle("docstring", "inside", '"""', "", '"""'),
        blocks="indent",
        queries=("python",),
        aliases=("py", "python3"),
    ),
    Language(
        id="javascript",
        name="JavaScript",
        extensions=(".js", ".mjs", ".cjs"),
        line_comment="//",
        grammar="javascript",
        wheel="tree_sitter_javascript:language",
        docs=_JSDOC,
        queries=("ecmascript", "javascript"),
        aliases=("js",),
    ),
    Language(
        id="javascriptreact",
        name="JavaScript (JSX)",
        extensions=(".jsx",),
        line_comment="//",
        grammar="javascript",
        wheel="tree_sitter_javascript:language",
        docs=_JSDOC,
        queries=("ecmascript", "javascript"),
        aliases=("jsx", "javascript.jsx"),
    ),
    Language(
        id="typescript",
        name="TypeScript",
        extensions=(".ts", ".mts", ".cts"),
        line_comment="//",
        grammar="typescript",
        wheel="tree_sitter_typescript:language_typescript",
        docs=_TSDOC,
        queries=("ecmascript", "typescript"),
        aliases=("ts",),
    ),
    Language(
        id="typescriptreact",
        name="TypeScript (TSX)",
        extensions=(".tsx",),
        line_comment="//",
        grammar="tsx",
        wheel="tree_sitter_typescript:language_tsx",
        docs=_TSDOC,
        queries=("ecmascript", "typescript"),
        aliases=("tsx", "typescript.tsx"),
    ),
    Language(
        id="go",
        name="Go",
        extensions=(".go",),
        line_comment="//",
        grammar="go",
        wheel="tree_sitter_go:language",
        docs=_line_docs("Go doc comment", "// ", "//", "/*"),
        queries=("go",),
        aliases=("golang",),
    ),
    Language(
        id="rust",
        name="Rust",
        extensions=(".rs",),
        line_comment="//",
        grammar="rust",
        wheel="tree_sitter_rust:language",
        docs=_line_docs("rustdoc", "/// ", "///", "/**"),
        queries=("rust",),
        aliases=("rs",),
    ),
    Language(
        id="java",
        name="Java",
        extensions=(".java",),
        line_comment="//",
        grammar="java",
        wheel="tree_sitter_java:language",
        docs=_block_docs("Javadoc"),
        queries=("java",),
    ),
    Language(
        id="c",
        name="C",
        extensions=(".c",),
        line_comment="//",
        grammar="c",
        wheel="tree_sitter_c:language",
        docs=_DOXYGEN,
        queries=("c_family", "c"),
    ),
    Language(
        id="cpp",
        name="C++",
        # A header may be C too; the C++ grammar reads both, the C grammar does not.
        extensions=(".cpp", ".cc", ".cxx", ".c++", ".hpp", ".hh", ".hxx", ".h++", ".h", ".ipp", ".cppm"),
        line_comment="//",
        grammar="cpp",
        wheel="tree_sitter_cpp:language",
        docs=_DOXYGEN,
        queries=("c_family", "cpp"),
        aliases=("c++", "cxx"),
    ),
    Language(
        id="csharp",
        name="C#",
        extensions=(".cs", ".csx"),
        line_comment="//",
        grammar="c_sharp",
        wheel="tree_sitter_c_sharp:language",
        docs=_line_docs("XML documentation comment", "/// ", "///", "/**"),
        queries=("csharp",),
        aliases=("cs", "c#", "c_sharp", "c-sharp"),
    ),
    Language(
        id="ruby",
        name="Ruby",
        extensions=(".rb", ".rake", ".gemspec"),
        line_comment="#",
        grammar="ruby",
        wheel="tree_sitter_ruby:language",
        docs=_line_docs("YARD comment", "# "),
        blocks="end",
        queries=("ruby",),
        aliases=("rb",),
        filenames=("rakefile", "gemfile"),
    ),
    Language(
        id="php",
        name="PHP",
        extensions=(".php", ".phtml"),
        line_comment="//",
        grammar="php",
        wheel="tree_sitter_php:language_php",
        docs=_block_docs("PHPDoc"),
        queries=("php",),
    ),
    Language(
        id="shellscript",
        name="Shell",
        extensions=(".sh", ".bash", ".zsh", ".ksh"),
        line_comment="#",
        grammar="bash",
        wheel="tree_sitter_bash:language",
        docs=_line_docs("shell comment", "# "),
        queries=("shellscript",),
        aliases=("sh", "bash", "zsh", "ksh", "shell"),
        filenames=(".bashrc", ".bash_profile", ".profile", ".zshrc"),
    ),
    Language(
        id="sql",
        name="SQL",
        extensions=(".sql",),
        line_comment="--",
        grammar="sql",
        wheel="tree_sitter_sql:language",
        docs=_line_docs("comment", "-- ", "--", "/*"),
        queries=("sql",),
        aliases=("postgres", "postgresql", "pgsql", "mysql", "plsql"),
    ),
    Language(
        id="lua",
        name="Lua",
        extensions=(".lua",),
        line_comment="--",
        grammar="lua",
        wheel="tree_sitter_lua:language",
        docs=_line_docs("LuaDoc comment", "--- ", "--"),
        blocks="end",
        queries=("lua",),
    ),
    Language(
        id="kotlin",
        name="Kotlin",
        extensions=(".kt", ".kts"),
        line_comment="//",
        grammar="kotlin",
        wheel="tree_sitter_kotlin:language",
        docs=_block_docs("KDoc"),
        queries=("kotlin",),
        aliases=("kt",),
    ),
    # Known to the bundle only: where it is installed, a tree, syntax checks, and functions by the names of nodes.
    Language("css", "CSS", (".css",), "", "css"),
    Language(
        "dockerfile", "Dockerfile", (".dockerfile",), "#", "dockerfile", filenames=("dockerfile", "containerfile")
    ),
    Language("dot", "Graphviz", (".dot", ".gv"), "//", "dot"),
    Language("elisp", "Emacs Lisp", (".el",), ";", "elisp", aliases=("emacs-lisp",)),
    Language("elixir", "Elixir", (".ex", ".exs"), "#", "elixir", blocks="end"),
    Language("elm", "Elm", (".elm",), "--", "elm", blocks="indent"),
    Language("erb", "ERB", (".erb", ".ejs"), "", "embedded_template", aliases=("eruby", "ejs")),
    Language("erlang", "Erlang", (".erl", ".hrl"), "%", "erlang"),
    Language("fortran", "Fortran", (".f90", ".f95", ".f03"), "!", "fortran", aliases=("fortran-modern",), blocks="end"),
    Language("go.mod", "Go module", (), "//", "gomod", aliases=("gomod",), filenames=("go.mod",)),
    Language("hack", "Hack", (".hack", ".hhi"), "//", "hack"),
    Language("haskell", "Haskell", (".hs",), "--", "haskell", blocks="indent"),
    Language("html", "HTML", (".html", ".htm"), "", "html"),
    Language("json", "JSON", (".json", ".jsonc"), "//", "json", aliases=("jsonc",)),
    Language("julia", "Julia", (".jl",), "#", "julia", blocks="end"),
    Language("lisp", "Common Lisp", (".lisp", ".cl"), ";", "commonlisp", aliases=("commonlisp",)),
    Language("makefile", "Makefile", (".mk",), "#", "make", aliases=("make",), filenames=("makefile", "gnumakefile")),
    Language("markdown", "Markdown", (".md", ".markdown"), "", "markdown"),
    Language("objective-c", "Objective-C", (".m",), "//", "objc", aliases=("objc",)),
    Language("ocaml", "OCaml", (".ml",), "", "ocaml"),
    Language("perl", "Perl", (".pl", ".pm"), "#", "perl"),
    Language("ql", "CodeQL", (".ql", ".qll"), "//", "ql"),
    Language("r", "R", (".r",), "#", "r"),
    Language("restructuredtext", "reStructuredText", (".rst",), "", "rst", aliases=("rst",)),
    Language("scala", "Scala", (".scala", ".sc"), "//", "scala"),
    Language("terraform", "Terraform", (".tf", ".tfvars", ".hcl"), "#", "hcl", aliases=("hcl",)),
    Language("toml", "TOML", (".toml",), "#", "toml"),
    Language("yaml", "YAML", (".yaml", ".yml"), "#", "yaml", aliases=("yml",)),
)

_BY_ID = {key: row for row in LANGUAGES for key in (row.id, *row.aliases)}
_BY_EXTENSION = {extension: row for row in LANGUAGES for extension in row.extensions}
_BY_FILENAME = {filename: row for row in LANGUAGES for filename in row.filenames}


def language(language_id: str) -> Language | None:
    """The language of a ``languageId`` or an alias of one, in any case; None if it is not in the table."""
    return _BY_ID.get(language_id.lower())


@lru_cache(4096)  # the search for context asks again and again about the same files
def language_for_path(path: str | PurePath) -> Language | None:
    """The language that a file's name says; None if it says none."""
    path = PurePath(path)
    return _BY_FILENAME.get(path.name.lower()) or _BY_EXTENSION.get(path.suffix.lower())
