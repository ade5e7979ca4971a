"""A small sample of each language, the first-class ones with what is to be found in it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """``text`` has the cursor in the body of ``add``, a function or method that is documented."""

    text: str
    signature: str
    parameters: str
    body: str
    doc: str
    stub: str
    modules: tuple[str, ...] = ()
    class_name: str | None = None


SAMPLES = {
    "python": Sample(
        'import os\n\ndef add(a: int, b=2):\n    """Add."""\n    return <|>a + b\n',
        "def add(a: int, b=2):", "a:int b=2", '"""Add."""\n    return a + b', '"""Add."""',
        'def add(a: int, b=2): """Add."""', ("os",),
    ),
    "javascript": Sample(
        'import x from "./m";\n\n/** Add. */\nexport function add(a, b = 2) {\n  return <|>a + b;\n}\n',
        "export function add(a, b = 2)", "a b=2", "{\n  return a + b;\n}", "/** Add. */",
        "/** Add. */\nexport function add(a, b = 2);", ("./m",),
    ),
    "javascriptreact": Sample(
        "/** Add. */\nconst add = ({ a }) => {\n  return <b>{<|>a}</b>;\n};\n",
        "const add = ({ a }) =>", "{ a }", "{\n  return <b>{a}</b>;\n}", "/** Add. */",
        "/** Add. */\nconst add = ({ a }) => ...;",
    ),
    "typescript": Sample(
        'import {x} from "./m";\n/** Add. */\nexport async function add<T>(a: T, b?: number): Promise<T> {\n'
        '  <|>return a;\n}\n',
        "export async function add<T>(a: T, b?: number): Promise<T>",
        "a:T b:number", "{\n  return a;\n}", "/** Add. */",
        "/** Add. */\nexport async function add<T>(a: T, b?: number): Promise<T>;", ("./m",),
    ),
    "typescriptreact": Sample(
        "class C {\n  /** Add. */\n  add(a: number): X {\n    return <b><|></b>;\n  }\n}\n",
        "add(a: number): X", "a:number", "{\n    return <b></b>;\n  }", "/** Add. */",
        "class C {\n    /** Add. */\n    add(a: number): X;\n}", class_name="C",
    ),
    "go": Sample(
        'package m\n\nimport "fmt"\n\n// Add adds.\nfunc (c *Calc) add(a, b int) error {\n\treturn <|>nil\n}\n',
        "func (c *Calc) add(a, b int) error", "a:int b:int", "{\n\treturn nil\n}", "// Add adds.",
        "// Add adds.\nfunc (c *Calc) add(a, b int) error", ("fmt",), "Calc",
    ),
    "rust": Sample(
        "use std::fmt;\n\n/// Adds.\n/// More.\n#[inline]\npub fn add(a: i32) -> i32 {\n    <|>a\n}\n",
        "pub fn add(a: i32) -> i32", "a:i32", "{\n    a\n}", "/// Adds.\n/// More.",
        "/// Adds.\npub fn add(a: i32) -> i32;", ("std::fmt",),
    ),
    "java": Sample(
        "import a.b.C;\nclass K {\n"
        "  /** Adds. */\n  @Override\n  public int add(final int a) {\n    return <|>a;\n  }\n}\n",
        "public int add(final int a)", "a:int", "{\n    return a;\n  }", "/** Adds. */",
        "class K {\n    /** Adds. */\n    public int add(final int a);\n}", ("a.b.C",), "K",
    ),
    "c": Sample(
        "#include <stdio.h>\n\n/* Adds. */\nstatic int add(const char *a, int b) {\n    return <|>b;\n}\n",
        "static int add(const char *a, int b)", "a:const char * b:int", "{\n    return b;\n}", "/* Adds. */",
        "/** Adds. */\nstatic int add(const char *a, int b);", ("stdio.h",),
    ),
    "cpp": Sample(
        "#include <vector>\n\nclass K {\n"
        "  /// Adds.\n  int add(const V& a, int b = 2) const {\n    return <|>b;\n  }\n};\n",
        "int add(const V& a, int b = 2) const", "a:const V& b:int=2", "{\n    return b;\n  }", "/// Adds.",
        "class K {\n    /** Adds. */\n    int add(const V& a, int b = 2) const;\n}", ("vector",), "K",
    ),
    "csharp": Sample(
        "using System;\nclass K {\n"
        "  /// <summary>Adds.</summary>\n  [Pure]\n  public int add(int a) {\n    return <|>a;\n  }\n}\n",
        "public int add(int a)", "a:int", "{\n    return a;\n  }", "/// <summary>Adds.</summary>",
        "class K {\n    /// Adds.\n    public int add(int a);\n}", ("System",), "K",
    ),
    "ruby": Sample(
        "require 'm'\n\nclass K\n  # Adds.\n  def add(a, b = 2)\n    <|>a + b\n  end\nend\n",
        "def add(a, b = 2)", "a b=2", "a + b", "# Adds.",
        "class K\n    # Adds.\n    def add(a, b = 2); end\nend", ("m",), "K",
    ),
    "php": Sample(
        "<?php\nuse A\\B;\n\n/** Adds. */\nfunction add(int $a, $b = 2): int {\n  return <|>$a;\n}\n",
        "function add(int $a, $b = 2): int", "$a:int $b=2", "{\n  return $a;\n}", "/** Adds. */",
        "/** Adds. */\nfunction add(int $a, $b = 2): int;", ("A\\B",),
    ),
    "shellscript": Sample(
        "#!/bin/sh\nsource ./m.sh\n\n# Adds.\nadd() {\n  echo <|>hi\n}\n",
        "add()", "", "{\n  echo hi\n}", "# Adds.", "# Adds.\nadd() { :; }", ("./m.sh",),
    ),
    "sql": Sample(
        "-- Adds.\nCREATE FUNCTION add(a int) RETURNS int AS $$ SELECT <|>a $$ LANGUAGE sql;\n",
        "CREATE FUNCTION add(a int) RETURNS int", "a:int", "AS $$ SELECT a $$", "-- Adds.",
        "-- Adds.\nCREATE FUNCTION add(a int) RETURNS int;",
    ),
    "lua": Sample(
        'require "m"\n\n--- Adds.\nfunction K.add(a, b)\n  return <|>a\nend\n',
        "function K.add(a, b)", "a b", "return a", "--- Adds.", "--- Adds.\nfunction K.add(a, b) end", ("m",), "K",
    ),
    "kotlin": Sample(
        'import a.b.C\n\nclass K {\n  /** Adds. */\n  fun add(a: Int): Int {\n    return <|>a\n  }\n}\n',
        "fun add(a: Int): Int", "a:Int", "{\n    return a\n  }", "/** Adds. */",
        "class K {\n    /** Adds. */\n    fun add(a: Int): Int\n}", ("a.b.C",), "K",
    ),
}  # fmt: skip

# Of the other languages those that have functions: the cursor is in `add`.
GENERIC = {
    "elisp": ";; Adds.\n(defun add (a b)\n  (+ a <|>b))\n",
    "elixir": "defmodule K do\n  # Adds.\n  def add(a, b) do\n    a + <|>b\n  end\n\n  def f(c), do: c\nend\n",
    "elm": "module K exposing (..)\n\nadd : Int -> Int -> Int\nadd a b =\n    a + <|>b\n",
    "erlang": "-module(k).\n% Adds.\nadd(A, B) ->\n    A + <|>B.\n",
    "fortran": "module k\ncontains\nfunction add(a, b)\n  add = a + <|>b\nend function\nend module\n",
    "hack": "<?hh\nclass K {\n  public function add(int $a): int {\n    return <|>$a;\n  }\n}\n",
    "haskell": "module K where\n-- Adds.\nadd :: Int -> Int -> Int\nadd a b = a + <|>b\n",
    "julia": "module K\n# Adds.\nfunction add(a, b)\n  a + <|>b\nend\nend\n",
    "lisp": ";; Adds.\n(defun add (a b)\n  (+ a <|>b))\n",
    "makefile": "add: a b\n\techo <|>hi\n",
    "objective-c": "@implementation K\n- (int)add:(int)a {\n  return <|>a;\n}\n@end\n",
    "ocaml": "module K = struct\n  (* Adds. *)\n  let add a b = a + <|>b\nend\n",
    "perl": "package K;\n# Adds.\nsub add {\n  return $_[0] + <|>$_[1];\n}\n",
    "ql": "module K {\n  predicate add(int a) { a = <|>1 }\n}\n",
    "r": "# Adds.\nadd <- function(a, b) {\n  a + <|>b\n}\n",
    "scala": "class K {\n  // Adds.\n  def add(a: Int): Int = {\n    <|>a\n  }\n}\n",
}

# Data and markup.
DATA = {
    "css": "a { color: red; }\n",
    "dockerfile": "FROM a\nRUN b\n",
    "dot": "digraph a { b -> c; }\n",
    "erb": "<p><%= a %></p>\n",
    "go.mod": "module a\n\ngo 1.22\n",
    "html": "<p>a</p>\n",
    "json": '{"a": [1]}\n',
    "markdown": "# A\n\nb\n",
    "restructuredtext": "A\n=\n\nb\n",
    "terraform": 'resource "a" "b" {\n  c = 1\n}\n',
    "toml": "[a]\nb = 1\n",
    "yaml": "a: [1]\n",
}
