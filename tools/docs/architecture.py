"""The generated tables of docs/design/architecture.md and docs/spec/README.md.

    python -m tools.docs.architecture           print the differences; status 1 if there are any
    python -m tools.docs.architecture --write   rewrite the tables

Reads the source text and imports none of it. Everything around the tables is written by hand. So
are all columns but the last of the table of reasons and of the table of specification pages.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = Path("docs/design/architecture.md")
SPEC_INDEX = Path("docs/spec/README.md")
PACKAGES = ("zmq_transport", "cosmonapse")
COMMAND = "python -m tools.docs.architecture --write"

REASONS_MODULE = "zmq_transport.wire.heads"
REASONS_CLASS = "Reason"
NO_FUNCTION = "nothing: reserved"

_MARK = "<!-- {name}: made by `" + COMMAND + "` -->"
_END = "<!-- end of {name} -->"
_SOURCE = re.compile(r"(?:Spec|Page): docs/[\w/-]+\.md(?:, [^.]*)?\.")
_PURE = re.compile(r"\bPure\b.*")
_PAGE_CITED = re.compile(r"docs/((?:spec/)?[\w-]+)\.md(?:, \"([^\"\n]+)\")?")
_SPEC_ROW = re.compile(r"(?P<by_hand>\| \[(?P<page>\d\d-\w+)\]\([^)]*\) \| [^|]*) \|.*\|\n")
_SECTION_CITED = re.compile(r"\b(0\d-[a-z]+)(?:\.md)?,? \"([^\"\n]+)\"")


class NoMarks(Exception):
    """The page lacks the two marks between which a table belongs."""


def modules(root: Path = ROOT) -> dict[str, str]:
    """Map the name of every module of the two packages to its text; of a package to `__init__`."""
    return {
        _module_name(path.relative_to(root)): path.read_text(encoding="utf-8")
        for package in PACKAGES
        for path in sorted((root / package).rglob("*.py"))
    }


def _module_name(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def _tree(text: str) -> ast.Module:
    return ast.parse(text)


def decision_of(text: str) -> str:
    """Return the first line of a module's docstring without its source and without `Pure`."""
    first = (ast.get_docstring(_tree(text)) or "").partition("\n")[0]
    return _PURE.sub("", _SOURCE.sub("", first)).strip()


def is_pure(text: str) -> bool:
    """Return whether the header of a module says that it is pure."""
    return re.search(r"\bPure\b", ast.get_docstring(_tree(text)) or "") is not None


def citations_of(text: str) -> dict[str, list[str]]:
    """Return the pages below docs/ that a module cites, each with the sections that it names.

    A header cites `docs/spec/03-routing.md`; a comment cites `03-routing, "Bounces"`.
    """
    cited: dict[str, list[str]] = {}
    header = ast.get_docstring(_tree(text)) or ""
    sections = ((f"spec/{page}", name) for page, name in _SECTION_CITED.findall(text))
    for page, section in [*_PAGE_CITED.findall(header), *sections]:
        names = cited.setdefault(page, [])
        if section and section not in names:
            names.append(section)
    return cited


# -- the tables --------------------------------------------------------------------------------


def module_tables(sources: dict[str, str]) -> str:
    """Return one table for each room: module, kind, decision, pages."""
    rooms: dict[str, list[str]] = defaultdict(list)
    packages = {name for name in sources if any(o.startswith(f"{name}.") for o in sources)}
    for name in sources:
        rooms[name if name in packages else name.rpartition(".")[0]].append(name)
    parts = []
    for room, names in rooms.items():
        text = sources[room]
        lines = ["| module | kind | decides or does | obeys |", "|---|---|---|---|"]
        lines += [_module_row(name, sources[name]) for name in names if name != room]
        table = "\n".join(lines) if len(names) > 1 else ""
        parts.append(f"### `{room}`\n\n{decision_of(text)}\n\n{table}".strip())
    return "\n\n".join(parts)


def _module_row(name: str, text: str) -> str:
    cited = "; ".join(_link(page, names) for page, names in citations_of(text).items())
    kind = "pure" if is_pure(text) else "shell"
    return f"| `{name.rpartition('.')[2]}` | {kind} | {_cell(decision_of(text))} | {_cell(cited)} |"


def _link(page: str, sections: Iterable[str]) -> str:
    link = f"[{page.rpartition('/')[2]}](../{page}.md)"
    return ": ".join(filter(None, [link, ", ".join(sections)]))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def functions_by_reason(sources: dict[str, str]) -> dict[str, list[str]]:
    """Map each member of `Reason` to the functions of the transport that name it."""
    members = dict(_members_of(sources[REASONS_MODULE]))
    found: dict[str, list[str]] = {value: [] for value in members.values()}
    for module, text in sources.items():
        if not module.startswith("zmq_transport.") or module == REASONS_MODULE:
            continue
        for function, member in _members_named(text):
            where = f"{module.partition('.')[2]}.{function}"
            if member in members and where not in found[members[member]]:
                found[members[member]].append(where)
    return found


def _members_of(text: str) -> Iterator[tuple[str, str]]:
    for node in _tree(text).body:
        if isinstance(node, ast.ClassDef) and node.name == REASONS_CLASS:
            for each in node.body:
                match each:
                    case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=value)):
                        yield name, str(value)


def _members_named(text: str) -> Iterator[tuple[str, str]]:
    """Yield (function, member) for each `Reason.MEMBER` in the body of a function."""
    for function in ast.walk(_tree(text)):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for node in ast.walk(function):
            match node:
                case ast.Attribute(
                    value=ast.Name(id="Reason") | ast.Attribute(attr="Reason"), attr=member
                ):
                    yield function.name, member


def reason_table(sources: dict[str, str], written: str) -> str:
    """Return the table of reasons; all cells but the last are those of the table in `written`."""
    by_hand = {}
    for line in written.splitlines():
        match re.split(r"\s*\|\s*", line):
            case ["", reason, travels, means, *_] if reason.startswith("`"):
                by_hand[reason.strip("`")] = travels, means
    lines = ["| reason | travels as | means | decided in |", "|---|---|---|---|"]
    for reason, functions in functions_by_reason(sources).items():
        travels, means = by_hand.get(reason, ("", ""))
        places = ", ".join(f"`{each}`" for each in functions) or NO_FUNCTION
        lines.append(f"| `{reason}` | {travels} | {means} | {places} |")
    return "\n".join(lines)


def counters_by_module(sources: dict[str, str]) -> dict[str, list[str]]:
    """Map each module that counts to the names that it counts under."""
    tables = {name for name in sources if name.rpartition(".")[2] == "counters"}
    known = {key for name in tables for key in _string_keys(sources[name])}
    found = {}
    for module, text in sources.items():
        names = sorted(set(_counted(text, known))) if module not in tables else []
        if names:
            found[module] = names
    return found


def _string_keys(text: str) -> Iterator[str]:
    for node in ast.walk(_tree(text)):
        if isinstance(node, ast.Dict):
            yield from (k.value for k in node.keys if isinstance(k, ast.Constant))


def _counted(text: str, known: set[str]) -> Iterator[str]:
    """Yield the names in `counts["..."]`, and the dotted names that a table of counters knows."""
    for node in ast.walk(_tree(text)):
        match node:
            case ast.Subscript(
                value=ast.Name(id=owner) | ast.Attribute(attr=owner),
                slice=ast.Constant(value=str(name)),
            ) if owner.lstrip("_") == "counts":
                yield name
            case ast.Constant(value=str(name)) if "." in name and name in known:
                yield name


def counter_table(sources: dict[str, str], root: Path = ROOT) -> str:
    """Return the table of the modules that count, with the names of their counters."""
    page = "counters.md"
    has_page = (root / "docs" / page).exists()
    where = f"[{page}](../{page})" if has_page else f"`docs/{page}`"
    lines = [
        f"The meaning of each counter is in {where}.",
        "",
        "| module | counts |",
        "|---|---|",
    ]
    for module, names in counters_by_module(sources).items():
        lines.append(f"| `{module}` | {', '.join(f'`{each}`' for each in names)} |")
    return "\n".join(lines)


def spec_index(sources: dict[str, str], written: str) -> str:
    """Return the index of the specification with the modules whose header cites each page."""
    citing: dict[str, list[str]] = defaultdict(list)
    for module, text in sources.items():
        for page, _ in _PAGE_CITED.findall(ast.get_docstring(_tree(text)) or ""):
            citing[page.removeprefix("spec/")].append(f"`{module.removeprefix('zmq_transport.')}`")
    lines = []
    for line in written.splitlines(keepends=True):
        row = _SPEC_ROW.match(line)
        if row is not None:
            line = f"{row['by_hand']} | {', '.join(citing[row['page']])} |\n"
        lines.append(line)
    return "".join(lines)


# -- the pages -----------------------------------------------------------------------------------


def between_marks(page: str, name: str) -> str:
    """Return the text between the two marks of a table.

    Raises:
        NoMarks: One of them is missing.
    """
    start, end = _MARK.format(name=name), _END.format(name=name)
    if start not in page or end not in page:
        raise NoMarks(f"{PAGE} lacks the line {start} or the line {end}")
    return page.partition(start)[2].partition(end)[0].strip()


def rewritten(page: str, root: Path = ROOT) -> str:
    """Return the page with every table as the source says it now.

    Raises:
        NoMarks: A mark is missing.
    """
    sources = modules(root)
    tables = {
        "modules": module_tables(sources),
        "reasons": reason_table(sources, between_marks(page, "reasons")),
        "counters": counter_table(sources, root),
    }
    for name, table in tables.items():
        between_marks(page, name)
        start, end = _MARK.format(name=name), _END.format(name=name)
        before, _, rest = page.partition(start)
        page = f"{before}{start}\n\n{table}\n\n{end}{rest.partition(end)[2]}"
    return page


def stale_pages(root: Path = ROOT) -> dict[Path, tuple[str, str]]:
    """Map each page that differs from the source to its text as it is and as it should be.

    Raises:
        NoMarks: A mark is missing.
    """
    pages = {path: (root / path).read_text(encoding="utf-8") for path in (PAGE, SPEC_INDEX)}
    wanted = {
        PAGE: rewritten(pages[PAGE], root),
        SPEC_INDEX: spec_index(modules(root), pages[SPEC_INDEX]),
    }
    return {path: (pages[path], text) for path, text in wanted.items() if pages[path] != text}


def main() -> int:
    """Write the tables, or print how the pages differ from the source."""
    parser = argparse.ArgumentParser(description="The generated tables of the map of the code.")
    parser.add_argument("--write", action="store_true", help="rewrite the pages")
    given = parser.parse_args()
    stale = stale_pages()
    for path, (page, wanted) in stale.items():
        if given.write:
            (ROOT / path).write_text(wanted, encoding="utf-8")
        else:
            lines = page.splitlines(), wanted.splitlines()
            print(*difflib.unified_diff(*lines, str(path), "source", n=0, lineterm=""), sep="\n")
    return 1 if stale and not given.write else 0


if __name__ == "__main__":
    sys.exit(main())
