from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from lsp_server.context.index.resolve import configures, resolve
from lsp_server.context.index.trees import DiskTree
from lsp_server.syntax.imports import Import, imports
from lsp_server.syntax.languages import language_for_path
from lsp_server.syntax.snapshot import Snapshot
from tests.unit.context.conftest import MakeFiles


class Tree:
    """Files that are nowhere."""

    def __init__(self, *paths: str, **texts: str) -> None:
        self.texts = {**dict.fromkeys(paths, ""), **{name.replace("_", "."): text for name, text in texts.items()}}

    def has(self, path: str) -> bool:
        return path in self.texts

    def named(self, name: str) -> Iterable[str]:
        return [path for path in self.texts if path.rpartition("/")[2] == name]

    def inside(self, folder: str) -> Iterable[str]:
        return [path for path in self.texts if path.rpartition("/")[0] == folder]

    def read(self, path: str) -> str | None:
        return self.texts.get(path)


def meant(code: str, importer: str, tree: Tree) -> list[str]:
    """The files that some code imports, each with what it takes by name."""
    language = language_for_path(importer)
    assert language
    snapshot = Snapshot.open(code, language.id)
    targets = [target for one in imports(snapshot) for target in resolve(one, importer, language.id, tree)]
    return [f"{path}:{','.join(names)}".rstrip(":") for path, names in targets]


PYTHON = Tree("pkg/__init__.py", "pkg/a.py", "pkg/sub/__init__.py", "pkg/sub/b.py", "src/lib/__init__.py", "stub.pyi")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import pkg.a", ["pkg/a.py"]),
        ("from pkg.a import f, g", ["pkg/a.py:f,g"]),
        ("from pkg import a", ["pkg/__init__.py:a", "pkg/a.py"]),
        ("from . import b", ["pkg/sub/__init__.py:b", "pkg/sub/b.py"]),
        ("from .b import x", ["pkg/sub/b.py:x"]),
        ("from .. import a", ["pkg/__init__.py:a", "pkg/a.py"]),
        ("from ..a import x", ["pkg/a.py:x"]),
        ("from .... import x", []),
        ("import lib", ["src/lib/__init__.py"]),
        ("import stub", ["stub.pyi"]),
        ("import os, json.decoder", []),
    ],
)
def test_python(code: str, expected: list[str]) -> None:
    assert meant(code, "pkg/sub/c.py", PYTHON) == expected


def test_a_module_in_a_package_is_not_meant_by_its_bare_name() -> None:
    tree = Tree("app/core/__init__.py", "app/core/own.py", "app/core/logging.py", "app/core/x.py", "app/tool.py")
    assert meant("import own, logging", "app/core/x.py", tree) == []
    assert meant("from . import own", "app/core/x.py", tree) == ["app/core/__init__.py:own", "app/core/own.py"]
    # A folder that is no package may be the one that a program is in, but Python's own modules go first there.
    assert meant("import tool, core.own", "app/core/x.py", tree) == ["app/tool.py", "app/core/own.py"]
    scripts = Tree("bin/types.py", "bin/helper.py", "json.py")
    assert meant("import types, helper, json", "bin/run.py", scripts) == ["bin/helper.py", "json.py"]


def test_folders_may_be_very_deep() -> None:
    assert meant("import top", f"{'d/' * 2000}a.py", Tree("top.py")) == ["top.py"]


def test_nobody_imports_himself() -> None:
    assert meant("import pkg.a", "pkg/a.py", PYTHON) == []


SCRIPTS = Tree("src/a.ts", "src/ui/index.tsx", "src/ui/b.tsx", "src/c.d.ts", "src/d.mjs", "lib/x/y.ts")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import { f } from '../a'", ["src/a.ts:f"]),
        ("import { f } from '../a.js'", ["src/a.ts:f"]),
        ("import * as ui from '..' ", []),
        ("import ui from './'", ["src/ui/index.tsx:ui"]),
        ("import { C } from '../c'", ["src/c.d.ts:C"]),
        ("import d from '../d.mjs'", ["src/d.mjs:d"]),
        ("import react from 'react'", []),
        ("import x from '../../../../etc/a'", []),
    ],
)
def test_javascript_and_typescript(code: str, expected: list[str]) -> None:
    found = meant(code, "src/ui/b.tsx", SCRIPTS)
    # Whether a default import has a name is the grammar's business, tested there.
    assert [path.partition(":")[0] for path in found] == [path.partition(":")[0] for path in expected]


def test_the_workspace_folder_itself_is_a_module() -> None:
    tree = Tree("index.js", "lib/a.js", "lib/deep/b.js")
    assert [meant(f"const x = require('{module}')", "lib/a.js", tree) for module in ("../", "..", "../.")] == [
        ["index.js"]
    ] * 3
    assert meant("const x = require('../../')", "lib/deep/b.js", tree) == ["index.js"]
    assert meant("const x = require('./')", "main.js", tree) == ["index.js"]


def configs(**texts: str) -> Tree:
    """Some TypeScript, and configurations by path."""
    tree = Tree("libs/util/index.ts", "apps/web/own.ts", "config/odd.ts")
    tree.texts.update(texts)
    return tree


BASE = '{"compilerOptions": {"baseUrl": ".", "paths": {"@org/*": ["libs/*"], "odd": ["config/odd"]}}}'


@pytest.mark.parametrize(
    ("own", "base", "expected"),
    [
        ('{"extends": "../../tsconfig.base.json"}', BASE, ["libs/util/index.ts", "config/odd.ts"]),
        ('{"extends": "../../tsconfig.base"}', BASE, ["libs/util/index.ts", "config/odd.ts"]),
        ('{"extends": ["../../tsconfig.base.json", "./none.json"]}', BASE, ["libs/util/index.ts", "config/odd.ts"]),
        # Paths of its own take the place of all others; the baseUrl stays.
        (
            '{"extends": "../../tsconfig.base.json", "compilerOptions": {"paths": {"odd": ["apps/web/own"]}}}',
            BASE,
            ["apps/web/own.ts"],
        ),
        # Without a baseUrl the places are relative to the file that has them.
        (
            '{"extends": "../../tsconfig.base.json"}',
            '{"compilerOptions": {"paths": {"odd": ["./config/odd"]}}}',
            ["config/odd.ts"],
        ),
        ('{"extends": "@tsconfig/strictest"}', BASE, []),
        ('{"extends": "../../../tsconfig.base.json"}', BASE, []),
        ('{"extends": "./tsconfig.json"}', BASE, []),
        ('{"extends": {"a": 1}}', BASE, []),
        ('{"extends": 1}', BASE, []),
    ],
)
def test_a_tsconfig_that_extends_another(own: str, base: str, expected: list[str]) -> None:
    tree = configs(**{"apps/web/tsconfig.json": own, "tsconfig.base.json": base})
    assert meant("import '@org/util'\nimport 'odd'", "apps/web/a.ts", tree) == expected


def test_paths_of_a_tsconfig_with_comments() -> None:
    config = """{
      // what editors write
      "compilerOptions": {
        "baseUrl": "src", /* all of it */
        "paths": { "@ui/*": ["ui/*"], "exact": ["a.ts"], },
      },
    }"""
    tree = Tree("src/a.ts", "src/ui/b.tsx", "src/deep/c.ts", tsconfig_json=config)
    assert meant("import { B } from '@ui/b'", "app/x.ts", tree) == ["src/ui/b.tsx:B"]
    assert meant("import { f } from 'exact'", "app/x.ts", tree) == ["src/a.ts:f"]
    assert meant("import { c } from 'deep/c'", "app/x.ts", tree) == ["src/deep/c.ts:c"]
    assert meant("import { c } from '@ui/none'", "app/x.ts", tree) == []


@pytest.mark.parametrize("text", ["{", "[]", '{"compilerOptions": 1}', '{"compilerOptions": {"paths": {"a": 1}}}'])
def test_a_tsconfig_that_is_none_means_nothing(text: str) -> None:
    assert meant("import { c } from 'a'", "x.ts", Tree("a.ts", tsconfig_json=text)) == []


def test_go() -> None:
    tree = Tree("geo/a.go", "geo/b.go", "geo/a_test.go", "main.go", go_mod="// x\nmodule example.com/shapes\n")
    assert meant('package main\nimport "example.com/shapes/geo"', "cmd/x.go", tree) == ["geo/a.go", "geo/b.go"]
    assert meant('package main\nimport "example.com/shapes"', "cmd/x.go", tree) == ["main.go"]
    assert meant('package main\nimport ("fmt"; "example.com/shapesother")', "cmd/x.go", tree) == []


RUST = Tree("src/lib.rs", "src/shapes.rs", "src/shapes/circle.rs", "src/util/mod.rs", "src/util/text.rs")


@pytest.mark.parametrize(
    ("code", "importer", "expected"),
    [
        ("use crate::shapes;", "src/util/text.rs", ["src/shapes.rs"]),
        ("use crate::shapes::circle::Circle;", "src/util/text.rs", ["src/shapes/circle.rs"]),
        ("use super::text;", "src/util/other.rs", ["src/util/text.rs"]),
        ("use self::circle::Circle;", "src/shapes.rs", ["src/shapes/circle.rs"]),
        ("use super::super::shapes;", "src/util/text.rs", ["src/shapes.rs"]),
        ("use std::fmt;", "src/lib.rs", []),
        (
            "use crate::{shapes::circle::Circle, util::text};",
            "src/lib.rs",
            ["src/shapes/circle.rs", "src/util/text.rs"],
        ),
        ("use crate::Root;", "src/util/text.rs", ["src/lib.rs"]),
        ("mod shapes;\nuse shapes::Square;", "src/lib.rs", ["src/shapes.rs"]),
        ("use circle::Circle;", "src/shapes.rs", ["src/shapes/circle.rs"]),
        ("use util::text;", "src/shapes.rs", []),
    ],
)
def test_rust(code: str, importer: str, expected: list[str]) -> None:
    assert [path.partition(":")[0] for path in meant(code, importer, RUST)] == expected


def test_names_of_rust_are_in_the_file_or_files_of_their_own() -> None:
    assert meant("use crate::shapes::{circle, Square};", "src/lib.rs", RUST) == [
        "src/shapes.rs:Square",
        "src/shapes/circle.rs",
    ]


@pytest.mark.parametrize("path", ["go.mod", "a/tsconfig.json", "tsconfig.base.json", "jsconfig.json"])
def test_what_says_what_imports_mean(path: str) -> None:
    assert configures(path)


@pytest.mark.parametrize("path", ["package.json", "tsconfig.json.bak", "my.tsconfig.json", "go.mod/a.go", "tsconfig/a"])
def test_what_says_nothing_of_it(path: str) -> None:
    assert not configures(path)


def test_java_and_kotlin() -> None:
    tree = Tree("app/src/main/java/org/x/Circle.java", "app/src/main/java/org/y/Circle.java", "app/kt/org/x/Area.kt")
    importer = "app/src/main/java/org/z/Main.java"
    assert meant("import org.x.Circle;", importer, tree) == ["app/src/main/java/org/x/Circle.java"]
    assert meant("import org.x.Area;", importer, tree) == ["app/kt/org/x/Area.kt"]
    assert meant("import static org.y.Circle.area;", importer, tree) == ["app/src/main/java/org/y/Circle.java:area"]
    assert meant("import java.util.List;", importer, tree) == []


def test_csharp() -> None:
    tree = Tree("App/Shapes/Circle.cs", "App/Shapes/Square.cs", "App/Main.cs")
    assert meant("using Company.App.Shapes;", "App/Main.cs", tree) == ["App/Shapes/Circle.cs", "App/Shapes/Square.cs"]
    assert meant("using System.Text;", "App/Main.cs", tree) == []


def test_c_and_cpp() -> None:
    tree = Tree("src/shapes.h", "include/geo/area.h", "src/sub/own.h")
    assert meant('#include "own.h"\n#include "shapes.h"', "src/sub/a.c", tree) == ["src/sub/own.h", "src/shapes.h"]
    assert meant('#include <geo/area.h>\n#include "../shapes.h"', "src/sub/a.cpp", tree) == [
        "include/geo/area.h",
        "src/shapes.h",
    ]
    assert meant("#include <stdio.h>", "src/sub/a.c", tree) == []


def test_ruby() -> None:
    tree = Tree("lib/shapes/circle.rb", "lib/shapes.rb")
    assert meant("require_relative 'circle'", "lib/shapes/area.rb", tree) == ["lib/shapes/circle.rb"]
    assert meant("require 'shapes/circle'\nrequire 'json'", "bin/x.rb", tree) == ["lib/shapes/circle.rb"]


def test_php() -> None:
    tree = Tree("src/Shapes/Circle.php", "src/Other/Circle.php", "helpers.php")
    assert meant("<?php use App\\Shapes\\Circle;", "src/Main.php", tree) == ["src/Shapes/Circle.php"]
    assert meant("<?php use Vendor\\Thing;", "src/Main.php", tree) == []


def test_lua() -> None:
    tree = Tree("lua/shapes/init.lua", "lua/shapes/circle.lua")
    code = "local s = require('shapes')\nlocal c = require 'shapes.circle'\nlocal j = require('cjson')"
    assert meant(code, "lua/main.lua", tree) == ["lua/shapes/init.lua", "lua/shapes/circle.lua"]


def test_bash() -> None:
    assert meant("source ./lib/log.sh\n. /etc/profile", "run.sh", Tree("lib/log.sh")) == ["lib/log.sh"]


def test_other_languages_and_empty_imports_mean_nothing() -> None:
    assert resolve(Import("a"), "x.sql", "sql", Tree("a")) == ()
    assert resolve(Import(""), "x.py", "python", Tree("__init__.py")) == ()


def test_what_is_on_disk(root: Path, files: MakeFiles) -> None:
    files({"a.py": "x = 1", "b/c.py": "", "b/d/e.py": ""})
    (root.parent / "outside.py").write_text("", encoding="utf-8")
    (root / "latin1.txt").write_bytes(b"\xe9")
    tree = DiskTree(root)
    assert tree.has("a.py")
    assert tree.read("a.py") == "x = 1"
    assert list(tree.inside("b")) == ["b/c.py"]
    assert list(tree.inside("")) == ["a.py", "latin1.txt"]
    assert list(tree.inside("none")) == []
    assert not any(map(tree.has, ("b", "none.py", "../outside.py", "b/../../outside.py", str(root / "a.py"))))
    assert [tree.read(path) for path in ("none.py", "../outside.py", "latin1.txt")] == [None] * 3


def test_what_leads_elsewhere_or_is_secret_is_not_on_disk(root: Path, files: MakeFiles, tmp_path: Path) -> None:
    files({"a.py": "", ".env": "A=1", "..odd/b.py": ""})
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "c.py").write_text("", encoding="utf-8")
    (root / "out").symlink_to(tmp_path / "outside")
    (root / "conf.py").symlink_to(".env")
    (root / "own.py").symlink_to("a.py")
    tree = DiskTree(root)
    assert all(map(tree.has, ("a.py", "own.py", "..odd/b.py")))
    assert not any(map(tree.has, (".env", "conf.py", "out/c.py", "nul\0.py")))
    assert [tree.read(path) for path in (".env", "conf.py", "out/c.py")] == [None] * 3
    assert list(tree.inside("")) == ["a.py", "own.py"]
    assert [list(tree.inside(folder)) for folder in ("out", "../outside", "nul\0")] == [[]] * 3


@pytest.mark.skipif(sys.platform == "win32", reason="there such names are what they are taken for here")
@pytest.mark.parametrize("path", ["\\\\host\\share\\x.h", "C:/x.h", "c:x.h", "sub\\..\\..\\x.h"])
def test_nothing_is_looked_up_on_drives_and_shares(path: str, root: Path, files: MakeFiles) -> None:
    files({path: "secret"})
    tree = DiskTree(root)
    assert not tree.has(path)
    assert tree.read(path) is None
    assert list(tree.inside(path.rpartition("/")[0] or path)) == []
    include = f'#include "{path}"\n'
    assert resolve(imports(Snapshot.open(include, "c"))[0], "a.c", "c", tree) == ()
