"""The figures of the code: `python -m tools.house`. Rooms, sizes, comments, tuple indexes.

It reads sources and imports none of them. The floors and the reader are those of `tests/house`, so
run it from a checkout.
"""

from __future__ import annotations

import ast
import os
import statistics
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

import attrs

from cosmonapse.bench.figures import Table, percentiles

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from house import source
from house.floors import FLOORS

_LEAST_INDEX = 2  # pairs are often unpacked by [0] and [1], and both read well


@attrs.frozen
class Rooms:
    """The entries of the floors of one package, and the imports between them.

    Args:
        rooms: The rooms, each a module or a package of modules.
        floors: How many floors they stand on.
        arrows: The pairs of rooms of which the first imports the second.
    """

    rooms: frozenset[str]
    floors: int
    arrows: frozenset[tuple[str, str]]


@attrs.frozen
class Counted:
    """The sizes and counts of one or more modules.

    Args:
        modules: Lines of each module.
        functions: Code lines of each function.
        comments: Lines that hold only a comment.
        docstrings: Lines of docstrings.
        indexes: Subscripts with a constant number of 2 or more, or of -2 or less.
    """

    modules: tuple[int, ...] = ()
    functions: tuple[int, ...] = ()
    comments: int = 0
    docstrings: int = 0
    indexes: int = 0

    @property
    def lines(self) -> int:
        """The lines of all modules."""
        return sum(self.modules)

    def __add__(self, other: Counted) -> Counted:
        """Return the figures of both together."""
        return Counted(
            self.modules + other.modules,
            self.functions + other.functions,
            self.comments + other.comments,
            self.docstrings + other.docstrings,
            self.indexes + other.indexes,
        )


def room_of(module: str) -> str | None:
    """Return the entry of the floors that holds a module; None if no entry does."""
    entries = (entry for floor in FLOORS for entry in floor)
    return next((entry for entry in entries if source.matches(module, entry)), None)


def rooms_of(package: str, imports: Mapping[str, Iterable[str]]) -> Rooms:
    """Return the rooms of a package, their floors, and the imports between them.

    Args:
        package: The package.
        imports: The modules that each module imports, by its name.
    """
    own = {module: room_of(module) for module in imports if module.split(".")[0] == package}
    arrows = {
        (room, target)
        for module, room in own.items()
        for target in map(room_of, imports[module])
        if room is not None and target is not None and target in own.values() and target != room
    }
    rooms = {room for room in own.values() if room is not None}
    floors = sum(1 for floor in FLOORS if rooms.intersection(floor))
    return Rooms(frozenset(rooms), floors, frozenset(arrows))


def counted(text: str) -> Counted:
    """Return the figures of one module."""
    nodes, code = source.nodes_of(text), source.code_lines(text)
    sizes = (
        len(code.intersection(range(each.lineno, (each.end_lineno or each.lineno) + 1)))
        for each in source.functions_of(text)
    )
    return Counted(
        modules=(len(text.splitlines()),),
        functions=tuple(sizes),
        comments=len(source.scan(text).comments - code),
        docstrings=sum(_docstrings(nodes)),
        indexes=sum(map(_is_positional, nodes)),
    )


def _docstrings(nodes: Iterable[ast.AST]) -> Iterator[int]:
    """Yield how many lines each docstring has."""
    for node in nodes:
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            match node.body:
                case [ast.Expr(value=ast.Constant(value=str())) as docstring, *_]:
                    yield (docstring.end_lineno or docstring.lineno) - docstring.lineno + 1


def _is_positional(node: ast.AST) -> bool:
    """Check whether a node is an index that only its position explains, such as `x[4]`."""
    match node:
        case ast.Subscript(slice=ast.Constant(value=int(index))):
            return index >= _LEAST_INDEX
        case ast.Subscript(
            slice=ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(index)))
        ):
            return index >= _LEAST_INDEX
    return False


def table(figures: Mapping[str, tuple[Rooms, Counted]]) -> Table:
    """Return all figures, a row for each package."""
    head = (
        "package",
        "lines",
        "rooms / floors / arrows",
        "modules: n, median / p90 / max",
        "functions: n, median / p90 / max",
        "comments / docstrings",
        "x[2+] in 1,000 lines",
    )
    rows = [_row(package, *each) for package, each in figures.items()]
    return Table("the house in figures", head, rows)


def _row(package: str, rooms: Rooms, counts: Counted) -> tuple[str, ...]:
    lines = max(1, counts.lines)
    return (
        package,
        f"{counts.lines:,}",
        f"{len(rooms.rooms)} / {rooms.floors} / {len(rooms.arrows)}",
        _sizes(counts.modules),
        _sizes(counts.functions),
        f"{counts.comments / lines:.1%} / {counts.docstrings / lines:.1%}",
        f"{counts.indexes * 1000 / lines:.1f}",
    )


def _sizes(sizes: Collection[int]) -> str:
    if not sizes:
        return "0"
    (p90,) = percentiles([*sizes], 90)
    middle = statistics.median(sizes)
    return f"{len(sizes):,}, {middle:.0f} / {p90:.0f} / {max(sizes)}"


def main() -> None:
    """Print the figures of both packages."""
    modules = source.module_paths()
    texts = {name: path.read_text() for name, path in modules.items()}
    imports = {
        name: set(
            source.imports_of(text, name, modules, is_package=modules[name].name == "__init__.py")
        )
        for name, text in texts.items()
    }
    figures = {}
    for package in source.PACKAGES:
        own = (counted(text) for name, text in texts.items() if name.split(".")[0] == package)
        figures[package] = (rooms_of(package, imports), sum(own, Counted()))
    print(table(figures))
    for package, (rooms, _) in figures.items():
        print(f"\n{package}:")
        for number, floor in enumerate(FLOORS):
            for room in sorted(rooms.rooms.intersection(floor)):
                below = sorted(to for each, to in rooms.arrows if each == room)
                print(f"  {number:>2}  {room}" + (f" -> {', '.join(below)}" if below else ""))


def run() -> int:
    """Print the figures and return the exit code: 1 if the reader, such as `head`, is gone."""
    try:
        main()
        sys.stdout.flush()
    except BrokenPipeError:
        # The interpreter flushes once more at its end; that must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(run())
