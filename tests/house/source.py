"""The checkout as the house tests read it: its files, modules, imports and code lines.

Parses and never imports, so a rule is checked even where a module cannot be imported.
"""

import ast
import io
import re
import subprocess
import tokenize
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("zmq_transport", "cosmonapse")
LEFTOVERS = frozenset({"__pycache__", "build", "dist"})
LAYOUT_TOKENS = frozenset(
    {
        tokenize.COMMENT,
        tokenize.DEDENT,
        tokenize.ENCODING,
        tokenize.ENDMARKER,
        tokenize.INDENT,
        tokenize.NEWLINE,
        tokenize.NL,
    }
)
Function = ast.FunctionDef | ast.AsyncFunctionDef


def checkout_files() -> list[Path]:
    """List every file that belongs to the checkout, as paths relative to its root.

    Asks git, which knows what is ignored; without git (an unpacked sdist) hidden folders and
    leftovers of builds are left out.
    """
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        found = (path.relative_to(ROOT) for path in ROOT.rglob("*"))
        names = [path for path in found if not _is_leftover(path)]
    else:
        names = [Path(name) for name in listed.stdout.split("\0") if name]
    return sorted(name for name in names if (ROOT / name).is_file())


def _is_leftover(path: Path) -> bool:
    return any(
        part in LEFTOVERS or part.endswith(".egg-info") or (part.startswith(".") and part != ".ci")
        for part in path.parts
    )


@cache
def module_paths() -> Mapping[str, Path]:
    """Map the name of every module of the two packages to its file."""
    paths = {
        module_name(path.relative_to(ROOT)): path
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    }
    return MappingProxyType(paths)


@cache
def parse(text: str) -> ast.Module:
    """Return the tree of a module, parsed once for all tests; none of them changes it."""
    return ast.parse(text)


@cache
def nodes_of(text: str) -> tuple[ast.AST, ...]:
    """Return every node of a module, in the order of `ast.walk`."""
    return tuple(ast.walk(parse(text)))


def module_name(path: Path) -> str:
    """Turn `a/b.py` into `a.b` and `a/__init__.py` into `a`."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def says_pure(text: str) -> bool:
    """Tell whether the header of a module says that it is pure; `test_layers` holds it to that."""
    return re.search(r"\bPure\b", ast.get_docstring(parse(text)) or "") is not None


def matches(module: str, pattern: str) -> bool:
    """Tell whether `module` is `pattern`, or in the room that `pattern` names by `.*`."""
    room = pattern.removesuffix(".*")
    return module == room or (room != pattern and module.startswith(f"{room}."))


def imports_of(
    source: str, module: str, known: Collection[str], *, is_package: bool = False
) -> Iterator[str]:
    """Yield every module imported anywhere in `source`, function bodies included.

    `from . import wire` counts as `wire` if that is in `known`, `from .wire import Kind` too;
    so does `import_module(".wire", __package__)`, as far as the name is written out.
    """
    parts = module.split(".")
    package = parts if is_package else parts[:-1]
    for node in nodes_of(source):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            for alias in node.names:
                name = f"{base}.{alias.name}"
                yield name if name in known else base
        elif isinstance(node, ast.Call) and called_name(node) in {"import_module", "__import__"}:
            match node.args:
                case [ast.Constant(value=str(name)), *_]:
                    yield ".".join([*package, name[1:]]) if name.startswith(".") else name


def called_name(call: ast.Call) -> str | None:
    """Return the last part of what is called: `c` for `a.b.c()`."""
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return None


class Scan(NamedTuple):
    """The lines of a module by number, and every name in it, read from its tokens."""

    code: frozenset[int]
    comments: frozenset[int]
    names: frozenset[str]


@cache
def scan(source: str) -> Scan:
    """Return the lines that hold code or a docstring, those that hold a comment, and the names."""
    code: set[int] = set()
    comments: set[int] = set()
    names: set[str] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in LAYOUT_TOKENS:
            code.update(range(token.start[0], token.end[0] + 1))
        if token.type == tokenize.COMMENT:
            comments.add(token.start[0])
        elif token.type == tokenize.NAME:
            names.add(token.string)
    return Scan(frozenset(code), frozenset(comments), frozenset(names))


@cache
def code_lines(source: str) -> frozenset[int]:
    """Return the numbers of the lines that are not blank, comment or docstring."""
    lines = set(scan(source).code)
    for node in nodes_of(source):
        if isinstance(node, ast.Module | ast.ClassDef | Function):
            match node.body:
                case [ast.Expr(value=ast.Constant(value=str())) as docstring, *_]:
                    lines.difference_update(range(docstring.lineno, docstring.end_lineno + 1))
    return frozenset(lines)


@cache
def functions_of(text: str) -> tuple[Function, ...]:
    """Return every function of a module, methods and inner ones included."""
    return tuple(node for node in nodes_of(text) if isinstance(node, Function))
