"""What a test file begins with: the package, and the imports of what its tests use."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from lsp_server.errors import RefusedError
from lsp_server.features.describing import owner_of
from lsp_server.features.types import Target
from lsp_server.syntax.imports import imports
from lsp_server.syntax.outline import outline
from lsp_server.testing.sites import TestSite


@dataclass(frozen=True, slots=True)
class Head:
    """The first lines of a test file.

    Attributes:
        first: what comes before the imports of a new file.
        imports: statements in groups; an existing file gets those that it lacks.
        last: what comes after the imports of a new file.
    """

    first: tuple[str, ...] = ()
    imports: tuple[tuple[str, ...], ...] = ()
    last: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All of it, with a blank line between the groups and none at the end."""
        groups = ["\n".join(group) for group in (self.first, *self.imports, self.last) if group]
        return "\n\n".join(groups)

    @property
    def statements(self) -> list[str]:
        """The imports, each by itself."""
        lines = (line for group in self.imports for line in group if line not in ("import (", ")"))
        return [f"import {line.strip()}" if line.startswith("\t") else line for line in lines]


def imported_name(target: Target) -> str:
    """What tests import to get at a function."""
    return owner_of(target) or target.scope.name


def head(target: Target, site: TestSite, tests: str, more: Iterable[str] = ()) -> Head:
    """The head of a test file that holds these tests.

    Args:
        more: import statements of Python that they need besides.

    Raises:
        RefusedError: the function cannot be reached from a test file.
    """
    # What a test imports itself it does not need from above.
    code = re.sub(r"(?m)^[ \t]+(?:from|import) .*$", "", tests)
    used = set(re.findall(r"(?<!\.)\b[A-Za-z_]\w*\b", code)) | {imported_name(target)}
    if target.language.id == "python":
        return _python(target, site, used, tuple(more))
    return _HEADS[target.language.id](target, site, used)


def _python(target: Target, site: TestSite, used: set[str], more: Sequence[str]) -> Head:
    module = site.module
    local = {s.name for s in outline(target.snapshot) if not s.container} & used | {imported_name(target)}
    lines = [f"from {module} import {', '.join(sorted(local))}"]
    # A package's own file is in itself.
    package = module.split(".") if target.path.name == "__init__.py" else module.split(".")[:-1]
    standard: list[str] = ["import unittest"] if site.framework.name == "unittest" else []
    standard += ["import asyncio"] if "asyncio" in used else []
    for imported in imports(target.snapshot):
        if imported.level:
            source = ".".join([*package[: len(package) - imported.level + 1], *filter(None, [imported.module])])
        else:
            source = imported.module
        here = dict(imported.aliases)
        names = sorted(_as(name, here.get(name)) for name in imported.names if here.get(name, name) in used - local)
        own = imported.level or source.split(".")[0] == module.split(".")[0]
        group = lines if own else standard
        if names:
            group.append(f"from {source} import {', '.join(names)}")
        elif not imported.names and here.get("*", source.split(".")[0]) in used:
            group.append(f"import {_as(source, here.get('*'))}")
    third = ["import pytest"] if "pytest" in used else []
    for statement in more:
        root = statement.split()[1].split(".")[0]
        group = lines if root == module.split(".")[0] else standard if root in sys.stdlib_module_names else third
        group.append(statement)
    return Head(imports=tuple(_import_order(group) for group in (standard, third, lines) if group))


def _as(name: str, alias: str | None) -> str:
    return f"{name} as {alias}" if alias else name


def _import_order(lines: list[str]) -> tuple[str, ...]:
    """As isort has it: ``import`` before ``from``, and a module once."""
    names: dict[str, set[str]] = {}
    for line in lines:
        if line.startswith("from "):
            module, _, brought = line.removeprefix("from ").partition(" import ")
            names.setdefault(module, set()).update(brought.split(", "))
    plain = sorted({line for line in lines if not line.startswith("from ")})
    return (*plain, *(f"from {module} import {', '.join(sorted(names[module]))}" for module in sorted(names)))


def _ecmascript(target: Target, site: TestSite, used: set[str]) -> Head:
    text, subject = target.snapshot.text, imported_name(target)
    exported = _exported(text)
    if subject not in exported and exported.get("default") != subject:
        raise RefusedError(f"{subject} is not exported, so no test can import it.", hint="Export it first.")
    framework = site.framework.name
    module = site.module if framework == "node:test" else re.sub(r"\.[cm]?[jt]sx?$", "", site.module)
    named = sorted(name for name in exported if name != "default" and name in used)
    types = set(_TYPES.findall(text))
    default = exported["default"] if exported.get("default") in used else ""
    if _is_common_js(target, site):
        return Head(imports=_required(framework, module, named, default))
    # A runner that only strips types off would look for a value of that name.
    named = [f"type {name}" if name in types else name for name in named]
    brought = ", ".join(filter(None, [default, f"{{ {', '.join(named)} }}" if named else ""]))
    groups = [f"import {what} from '{package}';" for what, package in _frameworks_own(framework, site, used)]
    return Head(imports=(tuple(groups), (f"import {brought} from '{module}';",)))


def _required(framework: str, module: str, named: list[str], default: str) -> tuple[tuple[str, ...], ...]:
    own = [] if framework == "jest" else ["const assert = require('node:assert/strict');"]
    if framework == "node:test":
        own.append("const { describe, test } = require('node:test');")
    what = f"{{ {', '.join(named)} }}" if named else default
    return tuple(group for group in (tuple(own), (f"const {what} = require('{module}');",)) if group)


def _frameworks_own(framework: str, site: TestSite, used: set[str]) -> list[tuple[str, str]]:
    if framework == "vitest":
        names = sorted({"describe", "expect", "test"} | used & {"vi", "beforeEach", "afterEach", "assert"})
        return [(f"{{ {', '.join(names)} }}", "vitest")]
    if framework == "mocha":
        return [("{ expect }", "chai")] if site.project.needs("chai") else [("assert", "node:assert/strict")]
    return [("assert", "node:assert/strict"), ("{ describe, test }", "node:test")] if framework == "node:test" else []


def _is_common_js(target: Target, site: TestSite) -> bool:
    suffix = PurePosixPath(target.path).suffix
    if suffix != ".js" or re.search(r"^\s*export\b", target.snapshot.text, re.MULTILINE):
        return suffix == ".cjs"
    return site.project.package_json().get("type") != "module"


_TYPES = re.compile(r"^\s*export\s+(?:declare\s+)?(?:interface|type)\s+(\w+)", re.MULTILINE)
_DECLARED = re.compile(
    r"^\s*export\s+(?:declare\s+|abstract\s+|async\s+)*"
    r"(?:function\s*\*?|class|const|let|var|enum|interface|type)\s+(\w+)",
    re.MULTILINE,
)


def _exported(text: str) -> dict[str, str]:
    """What a module exports: name there → name in the module; ``default`` is one of the names."""
    found: dict[str, str] = {}
    for name in _DECLARED.findall(text):
        found[name] = name
    if match := re.search(r"^\s*export\s+default\s+(?:async\s+)?(?:function\s*\*?|class)?\s*(\w+)", text, re.MULTILINE):
        found["default"] = match[1]
    for listed in re.findall(r"(?:^\s*export|module\.exports\s*=)\s*\{([^}]*)\}", text, re.MULTILINE):
        for part in filter(None, (part.strip() for part in listed.split(","))):
            names = re.split(r"\s+as\s+|\s*:\s*", part)
            found[names[-1]] = names[0]
    for name in re.findall(r"^\s*(?:module\.)?exports\.(\w+)\s*=", text, re.MULTILINE):
        found[name] = name
    if match := re.search(r"^\s*module\.exports\s*=\s*(\w+)\s*;?\s*$", text, re.MULTILINE):
        found["default"] = match[1]
    return found


# The packages of the standard libraries that tests use most, by what they are called in code.
_GO_NAMES = "bytes context errors fmt io maps math os reflect slices sort strconv strings sync time"
_GO = {
    **{name: name for name in _GO_NAMES.split()},
    "filepath": "path/filepath",
    "json": "encoding/json",
    "http": "net/http",
    "httptest": "net/http/httptest",
    "rand": "math/rand",
}
_JAVA_UTIL = "ArrayList Arrays Collections HashMap HashSet LinkedHashMap List Map Optional Set TreeMap"
_JAVA = {
    **{name: f"java.util.{name}" for name in _JAVA_UTIL.split()},
    **{name: f"org.junit.jupiter.api.{name}" for name in ("Test", "BeforeEach", "AfterEach", "DisplayName")},
    "ParameterizedTest": "org.junit.jupiter.params.ParameterizedTest",
    "BigDecimal": "java.math.BigDecimal",
    "Duration": "java.time.Duration",
    "LocalDate": "java.time.LocalDate",
}
_RUST = {
    **{name: f"std::collections::{name}" for name in ("BTreeMap", "BTreeSet", "HashMap", "HashSet", "VecDeque")},
    "Rc": "std::rc::Rc",
    "Arc": "std::sync::Arc",
    "RefCell": "std::cell::RefCell",
    "Duration": "std::time::Duration",
}


def _go(target: Target, _site: TestSite, used: set[str]) -> Head:
    package = re.search(r"^package\s+(\w+)", target.snapshot.text, re.MULTILINE)
    if package is None:
        raise RefusedError("This file says no package.", hint="Begin it with one.")
    known = {**_GO, **{one.module.rsplit("/", 1)[-1]: one.module for one in imports(target.snapshot)}}
    paths = sorted({"testing", *(known[name] for name in used if name in known)})
    lines = ("import (", *(f'\t"{path}"' for path in paths), ")") if len(paths) > 1 else (f'import "{paths[0]}"',)
    return Head((f"package {package[1]}",), (lines,))


def _rust(target: Target, _site: TestSite, used: set[str]) -> Head:
    brought = {name for one in imports(target.snapshot) for name in one.names}
    return Head(imports=(tuple(f"use {path};" for name, path in _RUST.items() if name in used - brought),))


def _java(target: Target, _site: TestSite, used: set[str]) -> Head:
    text = target.snapshot.text
    package = re.search(r"^\s*package\s+([\w.]+)\s*;", text, re.MULTILINE)
    brought = {name: f"{one.module}.{name}" for one in imports(target.snapshot) for name in one.names}
    brought |= {match[1]: match[0] for match in re.finditer(r"(?<=import )[\w.]+\.(\w+)(?=;)", text)}
    paths = sorted({path for name, path in {**_JAVA, **brought}.items() if name in used | {"Test"}})
    first = (f"package {package[1]};",) if package else ()
    plain = tuple(f"import {path};" for path in paths)
    return Head(first, (plain, ("import static org.junit.jupiter.api.Assertions.*;",)))


def _csharp(target: Target, _site: TestSite, used: set[str]) -> Head:
    space = re.search(r"^\s*namespace\s+([\w.]+)", target.snapshot.text, re.MULTILINE)
    lines = {"using Xunit;", *([f"using {space[1]};"] if space else [])}
    lines |= {"using System;"} if used & {"Exception", "ArgumentException", "DateTime", "Math", "TimeSpan"} else set()
    lines |= {"using System.Collections.Generic;"} if used & {"List", "Dictionary", "HashSet"} else set()
    last = (f"namespace {space[1]}.Tests;",) if space else ()
    return Head((), (tuple(sorted(lines, key=lambda line: (not line.startswith("using System"), line))),), last)


def _ruby(target: Target, site: TestSite, _used: set[str]) -> Head:
    helper = site.project.folder / "spec" / "spec_helper.rb"
    lines = ["require 'spec_helper'"] if helper.is_file() else []
    module = re.sub(r"\.rb$", "", site.module).removeprefix("./")
    return Head(imports=((*lines, f"require_relative '{module}'"),))


def _php(target: Target, site: TestSite, _used: set[str]) -> Head:
    space = re.search(r"^\s*namespace\s+([\w\\]+)\s*;", target.snapshot.text, re.MULTILINE)
    owner = owner_of(target)
    lines = ["use PHPUnit\\Framework\\TestCase;"]
    if owner and space:
        lines.append(f"use {space[1]}\\{owner};")
    elif space:
        lines.append(f"use function {space[1]}\\{target.scope.name};")
    # Classes are loaded by their names where there is Composer; functions never are.
    loads = not owner or not (site.project.folder / "composer.json").is_file()
    last = (f"require_once __DIR__ . '/{site.module.removeprefix('./')}';",) if loads else ()
    return Head(("<?php", "", "declare(strict_types=1);"), (tuple(sorted(lines)),), last)


def _cpp(target: Target, site: TestSite, _used: set[str]) -> Head:
    header = next(
        (h for suffix in (".h", ".hpp", ".hh") if (h := site.source.with_suffix(suffix)).is_file()), site.source
    )
    module = str(PurePosixPath(site.module).with_suffix(header.suffix)).removeprefix("./")
    return Head(imports=((f'#include "{module}"',), ("#include <gtest/gtest.h>",)))


def _bats(_target: Target, site: TestSite, _used: set[str]) -> Head:
    source = f'    source "$BATS_TEST_DIRNAME/{site.module.removeprefix("./")}"'
    return Head(("#!/usr/bin/env bats",), (), ("setup() {", source, "}"))


_HEADS: dict[str, Callable[[Target, TestSite, set[str]], Head]] = {
    "javascript": _ecmascript,
    "javascriptreact": _ecmascript,
    "typescript": _ecmascript,
    "typescriptreact": _ecmascript,
    "go": _go,
    "rust": _rust,
    "java": _java,
    "csharp": _csharp,
    "ruby": _ruby,
    "php": _php,
    "cpp": _cpp,
    "shellscript": _bats,
}
