"""What the demo shows, in order, and how each answer is checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tools.demo.checks import CheckFailedError, check_documented, check_parses, check_value, run_python
from tools.demo.editor import Document
from tools.demo.excerpt import Excerpt, diff_lines, excerpt, function_excerpt, split_cursor
from tools.demo.stage import Part, Stage


@dataclass(frozen=True, slots=True)
class Hole:
    """A place to complete.

    Attributes:
        code: what stands in the file; it is taken out.
        typed: what is there instead when the suggestion is asked for, with ``<|>`` at the cursor.
        above: lines to show above the cursor.
        mentions: names that the suggestion must use.
        expression, expected: what the completed code has to give; empty if it cannot be run here.
        sentence: what that shows.
    """

    title: str
    file: str
    code: str
    typed: str
    above: int
    mentions: tuple[str, ...]
    sentence: str
    expression: str = ""
    expected: object = None

    def part(self) -> Part:
        """The hole as a part of the demo."""
        return Part(self.title, self._complete)

    async def _complete(self, stage: Stage) -> str:
        editor = stage.editor
        document = editor.open(self.file)
        typed, at = split_cursor(self.typed)
        start = document.text.index(self.code)
        editor.edit(document, start, start + len(self.code), typed)
        cursor = start + at
        shown = excerpt(document.text, document.language, cursor, cursor, above=self.above, below=1)
        answer = editor.suggestion(document, cursor)
        suggestion = await stage.ask(document, "textDocument/inlineCompletion", shown, answer)
        if not suggestion:
            raise CheckFailedError("no suggestion came")
        text, end = suggestion
        editor.edit(document, cursor, end, text)
        stage.view.code(excerpt(document.text, document.language, cursor, cursor + len(text)))
        check_parses(document.text, document.language)
        missing = [name for name in self.mentions if name not in text]
        if missing:
            raise CheckFailedError(f"the suggestion does not use {', '.join(missing)}")
        editor.save(document)
        if self.expression:
            await check_value(editor.root, self.expression, self.expected)
        return self.sentence


HOLES = (
    Hole(
        title="Completion in an empty body",
        file="shop/models.py",
        code="return sum(line.quantity for line in self.lines)",
        typed="<|>",
        above=3,
        mentions=("quantity",),
        expression="order.units",
        expected=3,
        sentence="inserted and run: an order of two mugs and a lamp has 3 units",
    ),
    Hole(
        title="Completion at the end of a line",
        file="shop/inventory.py",
        code="self._units[sku] = self.units(sku) + quantity",
        typed="self._units[sku] = self.<|>",
        above=4,
        mentions=("quantity",),
        expression="shelf.units('lamp')",
        expected=3,
        sentence="inserted and run: deliveries of 2 and 1 lamps make 3",
    ),
    Hole(
        title="Completion in the middle of a line",
        file="shop/inventory.py",
        code="sorted(sku for sku, units in self._units.items() if units < self.reorder_level)",
        typed="sorted(<|>)",
        above=2,
        mentions=("reorder_level",),
        expression="shelf.to_reorder()",
        expected=["chair", "lamp"],
        sentence="inserted and run: of mugs, lamps and chairs the right two are running low",
    ),
    Hole(
        title="Completion that needs another file",
        file="shop/pricing.py",
        code="return sum(line.quantity * line.product.unit_price for line in order.lines)",
        typed="<|>",
        above=2,
        mentions=("quantity", "unit_price"),
        expression="subtotal(order)",
        expected=56_00,
        sentence="inserted and run: the fields are those of models.py, the sum is 56.00",
    ),
    Hole(
        title="Completion in TypeScript",
        file="web/cart.ts",
        code="return this.items.reduce((sum, item) => sum + item.unitPrice * item.quantity, 0);",
        typed="<|>",
        above=2,
        mentions=("this.items", "unitPrice", "quantity"),
        sentence="inserted: the file parses, and the fields are those of CartItem",
    ),
)


async def write_docstring(stage: Stage) -> str:
    """The docstring action on a function without one."""
    editor, name = stage.editor, "shipping_cost"
    document = editor.open("shop/pricing.py")
    before = document.text
    await _act(stage, document, name, "refactor.rewrite.docstring")
    stage.view.diff(diff_lines(before, document.text))
    check_documented(before, document.text, name)
    editor.save(document)
    return "applied: every parameter is named, and the code is as it was"


async def write_tests(stage: Stage) -> str:
    """The unit test action, and a run of what it wrote."""
    editor = stage.editor
    document = editor.open("shop/pricing.py")
    told = len(editor.messages)
    for path in await _act(stage, document, "apply_discount", "refactor.unitTests"):
        text = path.read_text(encoding="utf-8")
        stage.view.code(Excerpt("python", 1, text.rstrip()))
        for message in editor.messages[told:]:
            stage.view.note(message)
        status, output = await run_python(editor.root, "-m", "pytest", "-v", editor.relative(path))
        stage.view.output(_pytest_lines(output))
        if status:
            raise CheckFailedError(f"pytest ended with exit status {status}")
        return f"{editor.relative(path)} was created, and pytest passes"
    raise CheckFailedError("no test file was written")


async def find_bug(stage: Stage) -> str:
    """A bug hint for a slip, and its quick fix."""
    editor, name = stage.editor, "units_sold"
    document = editor.open("shop/reports.py")
    slip = document.text.index("units += order.units")
    editor.edit(document, slip, slip + len("units += "), "units = ")
    before = document.text
    shown = function_excerpt(before, name)
    at = before.index(f"def {name}") + len("def ")
    answer = editor.command("shardlight.findBugs", document, at)
    await stage.ask(document, "workspace/executeCommand shardlight.findBugs", shown, answer)
    for diagnostic in editor.diagnostics(document):
        stage.view.note(f"line {diagnostic.range.start.line + 1}: {diagnostic.message}")
        offset = editor.offset(document, diagnostic.range.start)
        for fix in await editor.actions(document, offset, "quickfix"):
            await editor.apply(fix)
            stage.view.diff(diff_lines(before, document.text))
            editor.save(document)
            await check_value(editor.root, f"{name}([order, order])", 6)
            return "fix applied and run: two orders of 3 units are 6"
    raise CheckFailedError("no bug was found, or the hint came without a fix")


async def explain(stage: Stage) -> str:
    """The explanation of a function."""
    editor, name = stage.editor, "bestsellers"
    document = editor.open("shop/reports.py")
    shown = function_excerpt(document.text, name)
    at = document.text.index(f"def {name}") + len("def ")
    answer = editor.command("shardlight.explain", document, at)
    result = await stage.ask(document, "workspace/executeCommand shardlight.explain", shown, answer)
    markdown = str(result.get("markdown", ""))
    stage.view.markdown(markdown)
    prose = markdown.partition("\n")[2]
    if name not in prose:
        raise CheckFailedError(f"the explanation does not speak of {name}")
    return f"it speaks of {name}, in {len(prose.split())} words"


async def _act(stage: Stage, document: Document, name: str, kind: str) -> list[Path]:
    """Choose the code action of a kind on a function, and apply it; returns the files that it changed."""
    at = document.text.index(f"def {name}") + len("def ")
    offered = await stage.editor.actions(document, at, kind)
    if not offered:
        raise CheckFailedError(f"no {kind} is offered on {name}")
    shown = function_excerpt(document.text, name)
    return await stage.ask(document, f"codeAction/resolve {kind}", shown, stage.editor.apply(offered[0]))


def _pytest_lines(output: str) -> str:
    """The lines of ``pytest -v`` that tell the outcome."""
    lines = output.strip().splitlines()
    return "\n".join([*(line for line in lines[:-1] if "::" in line or line.startswith("E ")), *lines[-1:]])


PARTS: tuple[Part, ...] = (
    *(hole.part() for hole in HOLES),
    Part("Docstring", write_docstring),
    Part("Unit tests, generated and run", write_tests),
    Part("Bug hint and its quick fix", find_bug),
    Part("Explanation", explain),
)
