"""What a name of a Python file means, and all the names that a class or a module has; None where nobody can tell."""

from __future__ import annotations

import abc
import builtins
import enum
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from lsp_server.context.index.types import IndexedSymbol
from lsp_server.context.python_text import bound_in, given_members, makes_members, without
from lsp_server.context.symbols import SymbolSource

# What a name means: something that is defined, a module, or a class of Python itself.
Meaning = IndexedSymbol | Path | type

_MOST_HOPS = 4
_MOST_CLASSES = 12
# Of other packages' base classes these bring along what everybody knows.
_KNOWN_MODULES = {"abc", "enum", "typing", "typing_extensions"}
_OF_ENUMS = ("name", "value", "_name_", "_value_", "_missing_", "_value2member_map_", "_member_map_", "_member_names_")
_KNOWN_BASES: dict[str, set[str]] = {
    "ABC": {*dir(abc.ABC), *dir(abc.ABCMeta)},
    "Protocol": set(),
    "Generic": set(),
    "NamedTuple": {*dir(tuple), "_make", "_asdict", "_replace", "_fields", "_field_defaults"},
    **{
        kind: {*dir(enum.Enum), *dir(enum.Flag), *dir(int), *dir(str), *_OF_ENUMS}
        for kind in ("Enum", "IntEnum", "StrEnum", "Flag", "IntFlag")
    },
}
# Others may put anything into a class, or return another one.
_PLAIN_DECORATORS = re.compile(
    r"@\s*(?:\w+\.)*(?:dataclass|total_ordering|final|runtime_checkable|unique|define|frozen|attrs)\b"
)
_OF_MODULES = {"__file__", "__path__", "__spec__", "__version__", "__all__", "__name__", "__doc__", "__dict__"} | {
    "__package__",
    "__loader__",
    "__cached__",
    "__builtins__",
    "__annotations__",
}
_OF_DATACLASSES = {"__dataclass_fields__", "__dataclass_params__", "__match_args__", "__attrs_attrs__"}
_MAKES_NAMES = re.compile(
    r"\b(?:globals|locals|vars|exec)\(|def __getattr__\(\s*(?!self\b|cls\b)|^[ \t]*__getattr__\b"
    r"|import\b[^\n]*__getattr__|sys\.modules",
    re.MULTILINE,
)
_CLASS_LINE = re.compile(r"^class\b[^(\n]*\((?P<bases>[^\n]{0,1000})\)\s*:", re.MULTILINE)
_TYPE_ARGUMENTS = re.compile(r"\[[^\[\]]*\]")
_DOTTED = re.compile(r"(?:[^\W\d]\w*\.)*[^\W\d]\w*")
_RETURNS = re.compile(r"->\s{0,9}[\"']?(?P<type>(?:\w+\.){0,5}[^\W\d]\w*)[\"']?\s{0,9}:?\s{0,9}$")
_GLOBAL = re.compile(r"\bglobal\b([^\n]{1,200})")
_WORD = re.compile(r"[^\W\d]\w*")


class PythonNames:
    """The names of a workspace's Python files; for one search.

    Args:
        text_of: the text of a file, None if it cannot be read.
    """

    def __init__(self, symbols: SymbolSource, text_of: Callable[[Path], str | None]) -> None:
        self.symbols_in = symbols.symbols_in
        self._symbols = symbols
        self._text_of = text_of
        # A class is the type of several variables, and the base of several classes.
        self._members: dict[IndexedSymbol, set[str] | None] = {}
        self._meanings: dict[tuple[Path, str, int], Meaning | None] = {}

    def meaning(self, path: Path, dotted: str) -> Meaning | None:
        """What a name, or one behind modules, means at the top of a file."""
        first, *rest = dotted.split(".")
        found = self._means(path, first, _MOST_HOPS)
        for part in rest:
            found = self._means(found, part, _MOST_HOPS) if isinstance(found, Path) else None
        return found

    def class_named(self, path: Path, dotted: str) -> IndexedSymbol | type | None:
        """The class that a name means at the top of a file."""
        found = self.meaning(path, dotted)
        return (
            found if isinstance(found, type) or (isinstance(found, IndexedSymbol) and found.kind == "class") else None
        )

    def made_by(self, path: Path, dotted: str) -> IndexedSymbol | type | None:
        """The class of what a call of a name makes: that class, or what a function says that it returns."""
        found = self.meaning(path, dotted)
        if not isinstance(found, IndexedSymbol) or found.kind != "function":
            return self.class_named(path, dotted)
        # A decorator may change what it returns, and a coroutine is to be awaited.
        plain = _RETURNS.search(found.signature) if found.signature.startswith("def ") else None
        return self.class_named(found.path, plain["type"]) if plain else None

    def of_class(self, owner: IndexedSymbol | type) -> set[str] | None:
        """All names that the objects of a class have."""
        found: set[str] = set()
        classes: list[IndexedSymbol | type] = [owner]
        for one in classes:
            if len(classes) > _MOST_CLASSES:
                return None
            if isinstance(one, type):
                found.update(dir(one))
                continue
            if one not in self._members:
                self._members[one] = self._own_members(one)
            own, bases = self._members[one], self._bases(one)
            if own is None or bases is None:
                return None
            found |= own
            for base in bases:
                if isinstance(base, set):
                    found |= base
                elif base not in classes:
                    classes.append(base)
        return found

    def of_module(self, path: Path, seen: frozenset[Path] = frozenset()) -> set[str] | None:
        """All names that a module has."""
        text = self._text_of(path)
        if text is None or _MAKES_NAMES.search(text) or len(seen) > _MOST_HOPS:
            return None
        top = [symbol for symbol in self._symbols.symbols_in(path) if not symbol.container]
        found = {symbol.name for symbol in top} | _OF_MODULES
        found |= bound_in(without(text, 0, len(text), top))
        found.update(word for line in _GLOBAL.findall(text) for word in _WORD.findall(line))
        for imported in self._symbols.imports_of(path):
            found.update(imported.names, (here for _, here in imported.aliases), imported.module.split(".")[:1])
            if "*" in imported.names:
                if imported.target is None:
                    return None
                if imported.target not in seen:
                    more = self.of_module(imported.target, seen | {path})
                    if more is None:
                        return None
                    found |= more
        if path.name == "__init__.py":
            try:
                found |= {child.name.partition(".")[0] for child in path.parent.iterdir()}
            except OSError:
                return None
        return {name for name in found if name.isidentifier()}

    def _means(self, path: Path, name: str, hops: int) -> Meaning | None:
        key = path, name, hops
        if key not in self._meanings:
            self._meanings[key] = self._meant(path, name, hops)
        return self._meanings[key]

    def _meant(self, path: Path, name: str, hops: int) -> Meaning | None:
        own = [s for s in self._symbols.symbols_in(path) if s.name == name and not s.container]
        imported = list(dict.fromkeys(self._imported(path, name)))
        if own or imported:
            # What is defined twice, or may come from elsewhere as well, is open.
            if len(own) + len(imported) > 1:
                return None
            if own:
                return own[0]
            target, there = imported[0]
            if target is None or there is None or not hops:
                return None if target and self._is_given(path, name) else target
            return self._means(target, there, hops - 1)
        stars = {found.target for found in self._symbols.imports_of(path) if "*" in found.names}
        if len(stars) > 1 or None in stars or (stars and not hops):
            return None
        if stars and (found := self._means(next(iter(stars)), name, hops - 1)):  # type: ignore[arg-type]
            return found
        made = getattr(builtins, name, None)
        text = self._text_of(path) if isinstance(made, type) else None
        # Where the file gives the name something of its own the outline may not see it.
        return None if text is None or re.search(rf"^[ \t]*{name}[ \t]*[:=,]", text, re.MULTILINE) else made

    def _imported(self, path: Path, name: str) -> Iterator[tuple[Path | None, str | None]]:
        """What imports bind a name to: the file, and what it is called there; None for the module itself."""
        modules: list[Path] = []
        names: list[tuple[Path | None, str | None]] = []
        for found in self._symbols.imports_of(path):
            other = dict(found.aliases)
            if found.names:
                names += [(found.target, there) for there in found.names if other.get(there, there) == name != "*"]
            elif "*" in other:
                modules += [found.target] if other["*"] == name and found.target else []
                names += [(None, None)] if other["*"] == name and not found.target else []
            elif found.target and (own := _module_name(found.target)) != found.module.rpartition(".")[2]:
                # `from package import module`.
                modules += [found.target] if other.get(own, own) == name else []
            elif found.module.split(".")[0] == name:
                simple = found.target if "." not in found.module else None
                modules += [simple] if simple else []
                names += [] if simple else [(None, None)]
        if not modules:
            yield from names
        elif _elsewhere(names, modules) or any(
            target and there and self._hides(target, there) for target, there in names
        ):
            yield None, None
        else:
            yield from ((module, None) for module in modules)

    def _hides(self, package: Path, name: str) -> bool:
        """Whether a package has something else of the name of its module."""
        if any(s.name == name and not s.container for s in self._symbols.symbols_in(package)):
            return True
        imports = (found for found in self._symbols.imports_of(package) if found.target != package)
        return any(dict(found.aliases).get(there, there) == name for found in imports for there in found.names)

    def _is_given(self, path: Path, name: str) -> bool:
        """Whether a file gives the name of a module that it imports something else as well."""
        text = self._text_of(path)
        given = re.compile(
            rf"^[ \t]*(?:global\b[^\n]*\b{name}\b|{name}[ \t]*[:=,])|\b(?:as|for)[ \t]+{name}\b", re.MULTILINE
        )
        if text is None:
            return True
        return any(
            "import" not in text[text.rfind("\n", 0, found.end()) + 1 : found.end()] for found in given.finditer(text)
        )

    def _own_members(self, owner: IndexedSymbol) -> set[str] | None:
        text = self._text_of(owner.path)
        if text is None:
            return None
        source = text[owner.start : owner.end]
        decorators = [line for line in owner.signature.splitlines() if line.startswith("@")]
        plain = all(_PLAIN_DECORATORS.match(line) for line in decorators)
        if not plain or f"class {owner.name}" not in source or makes_members(source):
            return None
        # A mixin counts on what the classes have that it is mixed into.
        if "mixin" in owner.name.lower() or f"setattr({owner.name}," in text:
            return None
        # Half a line may hide what the file had when it was saved.
        members = self._symbols.members(owner.dotted, owner.path)
        saved = self._symbols.saved_members(owner.dotted, owner.path)
        found = {member.name for member in (*members, *saved)}
        # What others give its objects may be anything in its file.
        found.update(given_members(text))
        found |= _OF_DATACLASSES if decorators else set()
        return found | bound_in(without(text, owner.start, owner.end, members))

    def _bases(self, owner: IndexedSymbol) -> list[IndexedSymbol | type | set[str]] | None:
        line = _CLASS_LINE.search(owner.signature if owner.signature.endswith(":") else f"{owner.signature}:")
        if line is None:
            return [] if "(" not in owner.signature.rpartition("class ")[2] else None
        text, replaced = line["bases"], 1
        while replaced:
            text, replaced = _TYPE_ARGUMENTS.subn("", text)
        found: list[IndexedSymbol | type | set[str]] = []
        for part in filter(None, map(str.strip, text.split(","))):
            if "=" in part:
                # `metaclass=`, of which the source was searched for others than the usual one.
                if not part.startswith("metaclass"):
                    return None
                continue
            base = self.class_named(owner.path, part) if _DOTTED.fullmatch(part) else None
            known = base or self._known_base(owner.path, part)
            if known is None or known == owner or known is type:
                return None
            found.append(known)
        return found

    def _known_base(self, path: Path, dotted: str) -> set[str] | None:
        first, _, last = dotted.rpartition(".")
        bound = first or last
        for found in self._symbols.imports_of(path):
            other = dict(found.aliases)
            names = {other.get(name, name) for name in found.names} or {other.get("*", found.module)}
            if found.module in _KNOWN_MODULES and bound in names and found.target is None:
                return _KNOWN_BASES.get(last)
        return None


def _module_name(path: Path) -> str:
    return path.parent.name if path.stem == "__init__" else path.stem


def _elsewhere(names: list[tuple[Path | None, str | None]], modules: list[Path]) -> bool:
    """Whether a name that is a module's is bound to something else as well, not only by the package of that module."""
    around = {(module.parent.parent if module.stem == "__init__" else module.parent) for module in modules}
    return any(target is None or target.parent not in around for target, _ in names)
