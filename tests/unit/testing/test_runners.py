"""The real runners, each on a project of its own. Those that are not installed are left out."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from lsp_server.context.workspace import Workspace
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.syntax.test_cases import test_cases as cases_of
from lsp_server.testing.bench import ProjectBench
from lsp_server.testing.reports import TestRun as Run
from lsp_server.testing.sites import test_site as site_of

Files = Callable[[dict[str, str]], None]

JS = "/** Adds. */\nexport function add(a, b) {\n  return a + b;\n}\n"
GO = "package calc\n\nfunc Add(a, b int) int {\n\treturn a + b\n}\n"
RUST = "pub fn add(a: i32, b: i32) -> i32 {\n    a + b\n}\n"


def needs(program: str) -> pytest.MarkDecorator:
    # In a home folder of its own rustup's cargo is there, and runs nothing.
    told = [program, "version" if program == "go" else "--version"]
    found = shutil.which(program) and not subprocess.run(told, capture_output=True, check=False).returncode
    return pytest.mark.skipif(not found, reason=f"{program} is not installed")


async def run(root: Path, path: str, language: str, text: str) -> Run:
    """All tests of a test file's text, in the framework that the project has."""
    site = site_of(root / path, language, Workspace((root,), lambda _path: None))
    assert site is not None
    before = listing(root)
    names = [case.name for case in cases_of(Snapshot.open(text, language))]
    async with ProjectBench(site, trusted=True, timeout_s=300) as bench:
        outcome = await bench.run({site.path: text}, names)
    assert listing(root) == before, "nothing is left in the workspace"
    return outcome


def listing(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if "node_modules" not in path.parts}


async def test_unittest(files: Files, root: Path) -> None:
    files({"calc.py": "def add(a, b):\n    return a + b\n", "tests/test_x.py": "import unittest\n"})
    text = (
        "import unittest\n\nfrom calc import add\n\n\nclass TestAdd(unittest.TestCase):\n"
        "    def test_right(self):\n        self.assertEqual(add(1, 2), 3)\n\n"
        "    def test_wrong(self):\n        self.assertEqual(add(1, 2), 4)\n"
    )
    outcome = await run(root, "calc.py", "python", text)
    assert (outcome.passed, outcome.failed) == ({"test_right"}, {"test_wrong": "AssertionError: 3 != 4"})


@needs("node")
async def test_node(files: Files, root: Path) -> None:
    files({"package.json": '{"type": "module"}', "calc.js": JS})
    text = (
        "import assert from 'node:assert/strict';\nimport { describe, test } from 'node:test';\n\n"
        "import { add } from './calc.js';\n\ndescribe('add', () => {\n"
        "  test('right + plain (1)', () => {\n    assert.equal(add(1, 2), 3);\n  });\n\n"
        "  test('wrong', () => {\n    assert.equal(add(1, 2), 4);\n  });\n});\n"
    )
    outcome = await run(root, "calc.js", "javascript", text)
    assert outcome.passed == {"right + plain (1)"}
    assert outcome.failed == {"wrong": "Expected values to be strictly equal: 3 !== 4"}
    broken = await run(root, "calc.js", "javascript", text.replace("./calc.js", "./nowhere.js"))
    assert not broken.passed
    assert "nowhere.js" in broken.failed[""]


@pytest.fixture(scope="session")
def node_modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runners that npm brings, fetched once."""
    folder = tmp_path_factory.mktemp("npm")
    (folder / "package.json").write_text("{}", encoding="utf-8")
    npm = shutil.which("npm")
    assert npm
    command = [npm, "install", "--silent", "--no-audit", "--no-fund", "vitest@3", "jest@30", "mocha@11"]
    subprocess.run(command, cwd=folder, check=True, timeout=600)
    return folder / "node_modules"


@needs("npm")
@pytest.mark.parametrize(
    ("framework", "head", "call"),
    [
        ("vitest", "import { describe, expect, test } from 'vitest';\nimport { add } from './calc';\n", "test"),
        ("jest", "const { add } = require('./calc');\n", "test"),
        ("mocha", "const { add } = require('./calc');\nconst { expect } = require('expect');\n", "it"),
    ],
)
async def test_runners_of_npm(
    framework: str, head: str, call: str, files: Files, root: Path, node_modules: Path
) -> None:
    source = JS if framework == "vitest" else JS.replace("export ", "") + "\nmodule.exports = { add };\n"
    files({"package.json": f'{{"devDependencies": {{"{framework}": "*"}}}}', "calc.js": source})
    (root / "node_modules").symlink_to(node_modules)
    text = (
        f"{head}\ndescribe('add', () => {{\n"
        f"  {call}('right / plain', () => {{\n    expect(add(1, 2)).toBe(3);\n  }});\n\n"
        f"  {call}('wrong', () => {{\n    expect(add(1, 2)).toBe(4);\n  }});\n}});\n"
    )
    outcome = await run(root, "calc.js", "javascript", text)
    assert outcome.passed == {"right / plain"}
    assert re.search("4.*3|3.*4", outcome.failed["wrong"])


@needs("npm")
async def test_a_runner_that_is_not_installed(files: Files, root: Path) -> None:
    files({"package.json": '{"devDependencies": {"vitest": "*"}}', "calc.js": JS})
    outcome = await run(root, "calc.js", "javascript", "test('a', () => {});\n")
    assert outcome.trouble == "vitest is not installed in node_modules."


@needs("go")
async def test_go(files: Files, root: Path) -> None:
    files({"go.mod": "module example.com/calc\n\ngo 1.19\n", "calc/calc.go": GO})
    text = (
        'package calc\n\nimport "testing"\n\n'
        'func TestRight(t *testing.T) {\n\tif Add(1, 2) != 3 {\n\t\tt.Error("no")\n\t}\n}\n\n'
        "func TestWrong(t *testing.T) {\n\tgot := Add(1, 2)\n"
        '\tif got != 4 {\n\t\tt.Errorf("got %d, want 4", got)\n\t}\n}\n'
    )
    outcome = await run(root, "calc/calc.go", "go", text)
    assert (outcome.passed, outcome.failed) == ({"TestRight"}, {"TestWrong": "got 3, want 4"})
    broken = await run(root, "calc/calc.go", "go", text.replace("got != 4", "gone != 4"))
    assert broken.faulty_lines == {13}


@needs("cargo")
async def test_cargo(files: Files, root: Path) -> None:
    files({"Cargo.toml": '[package]\nname = "calc"\nversion = "0.1.0"\nedition = "2021"\n', "src/lib.rs": RUST})
    text = (
        f"{RUST}\n#[cfg(test)]\nmod tests {{\n    use super::*;\n\n"
        "    #[test]\n    fn right() {\n        assert_eq!(add(1, 2), 3);\n    }\n\n"
        "    #[test]\n    fn wrong() {\n        assert_eq!(add(1, 2), 4);\n    }\n}\n"
    )
    outcome = await run(root, "src/lib.rs", "rust", text)
    assert outcome.passed == {"right"}
    assert outcome.failed == {"wrong": "assertion `left == right` failed left: 3 right: 4"}
    broken = await run(root, "src/lib.rs", "rust", text.replace("2), 4)", '2), "4")'))
    assert broken.faulty_lines == {16}


# Where Debian's packages put what Maven needs: maven, junit5, libsurefire-java, libmaven-compiler-plugin-java …
REPOSITORY = Path("/usr/share/maven-repo")
POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>shop</groupId><artifactId>shop</artifactId><version>1</version>
  <properties>
    <maven.compiler.release>17</maven.compiler.release>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
  </properties>
  <dependencies><dependency>
    <groupId>org.junit.jupiter</groupId><artifactId>junit-jupiter</artifactId><version>5.9.2</version><scope>test</scope>
  </dependency></dependencies>
  <build><plugins>
    <plugin><artifactId>maven-resources-plugin</artifactId><version>3.3.0</version></plugin>
    <plugin><artifactId>maven-compiler-plugin</artifactId><version>3.10.1</version></plugin>
    <plugin><artifactId>maven-surefire-plugin</artifactId><version>2.22.3</version></plugin>
  </plugins></build>
</project>
"""
JAVA = (
    "package shop;\n\npublic class Calc {\n    public static int add(int a, int b) {\n        return a + b;\n    }\n}\n"
)


@needs("mvn")
@pytest.mark.skipif(
    not (REPOSITORY / "org/junit/jupiter/junit-jupiter/5.9.2").is_dir(), reason="JUnit is not installed"
)
async def test_maven(files: Files, root: Path) -> None:
    files(
        {"pom.xml": POM, ".mvn/maven.config": f"-Dmaven.repo.local={REPOSITORY}", "src/main/java/shop/Calc.java": JAVA}
    )
    text = (
        "package shop;\n\nimport org.junit.jupiter.api.Test;\n\nimport static org.junit.jupiter.api.Assertions.*;\n\n"
        "class CalcTest {\n    @Test\n    void right() {\n        assertEquals(3, Calc.add(1, 2));\n    }\n\n"
        "    @Test\n    void wrong() {\n        assertEquals(4, Calc.add(1, 2));\n    }\n}\n"
    )
    outcome = await run(root, "src/main/java/shop/Calc.java", "java", text)
    assert (outcome.passed, outcome.failed) == ({"right"}, {"wrong": "expected: <4> but was: <3>"})
    broken = await run(
        root, "src/main/java/shop/Calc.java", "java", text.replace("assertEquals(4", "assertEquals(four")
    )
    assert broken.faulty_lines == {15}


@needs("mvn")
async def test_what_maven_has_not_fetched_is_said(files: Files, root: Path, tmp_path: Path) -> None:
    files({"pom.xml": POM, ".mvn/maven.config": f"-Dmaven.repo.local={tmp_path}", "src/main/java/shop/Calc.java": JAVA})
    outcome = await run(
        root, "src/main/java/shop/Calc.java", "java", "class CalcTest {\n    @Test\n    void a() {}\n}\n"
    )
    assert "has not been fetched" in outcome.trouble
