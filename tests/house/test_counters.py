"""Every counter is a literal that a search finds, and stands in the table of its package."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module, util

import pytest

from house import source

TABLES = {each: f"{each}.counters" for each in source.PACKAGES}
PACKAGES = [each for each, table in TABLES.items() if util.find_spec(table)]
# A dotted counter begins with the kind of event that it counts.
DOTTED = re.compile(
    r"(bounced?|connection|cut|drop|full|gap|ignored|later|lost|refused|resync|unexpected)\.[a-z_]+(\.[a-z_]+)?"
)


def is_counts(node: ast.expr) -> bool:
    """Tell whether an expression is a `counts` of something, by its name."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.lstrip("_") == "counts"
    return False


def counted_in(text: str) -> Iterator[str]:
    """Yield each literal of a module that names a counter."""
    for node in source.nodes_of(text):
        match node:
            case ast.Subscript(value=value, slice=ast.Constant(value=str(name))):
                if is_counts(value):
                    yield name
            case ast.Constant(value=str(name)) if DOTTED.fullmatch(name):
                yield name


def composed_in(text: str) -> Iterator[int]:
    """Yield the line of each counter whose name is put together while the code runs."""
    for node in source.nodes_of(text):
        match node:
            case ast.Subscript(value=value, slice=ast.JoinedStr() | ast.BinOp()):
                if is_counts(value):
                    yield node.lineno


def reasons_in(text: str) -> Iterator[str]:
    """Yield the reason of each `WireError`, and of each drop that a shell reports."""
    for node in source.nodes_of(text):
        if isinstance(node, ast.Call) and source.called_name(node) in {"WireError", "on_dropped"}:
            match node.args:
                case [ast.Constant(value=str(reason)), *_]:
                    yield reason


@cache
def texts_of(package: str) -> dict[str, str]:
    """Return the modules of a package but its table of counters."""
    paths = source.module_paths()
    table = TABLES[package]
    return {
        module: path.read_text(encoding="utf-8")
        for module, path in paths.items()
        if source.matches(module, f"{package}.*") and module != table
    }


def table_of(package: str) -> dict[str, str]:
    return dict(import_module(TABLES[package]).COUNTERS)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_counter_stands_in_the_table_of_its_package(package):
    known = {name for each in PACKAGES for name in table_of(each)}
    found = {(m, name) for m, text in texts_of(package).items() for name in counted_in(text)}

    assert len(found) > 20
    assert not [(module, name) for module, name in found if name not in known]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_row_of_the_table_is_counted_somewhere(package):
    # The router on NATS is of one package, and counts beside the engine of the other one.
    texts = [text for each in PACKAGES for text in texts_of(each).values()]
    counted = {name for text in texts for name in counted_in(text)}

    assert not sorted(set(table_of(package)) - counted)


@pytest.mark.parametrize("package", PACKAGES)
def test_no_name_of_a_counter_is_put_together(package):
    assert not [
        f"{module}:{line}"
        for module, text in texts_of(package).items()
        for line in composed_in(text)
    ]


def test_every_reason_of_a_drop_has_a_counter():
    drops = import_module("zmq_transport.wire.drops")
    texts = [text for each in PACKAGES for text in texts_of(each).values()]
    reasons = {each for text in texts for each in reasons_in(text)}

    assert len(reasons) > 20
    assert not [
        reason
        for reason in reasons
        if drops.OTHER in (drops.drop_counter(reason), drops.ignored_counter(reason))
        and drops.drop_counter(reason) == drops.ignored_counter(reason)
    ]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_meaning_is_one_sentence(package):
    meanings = table_of(package)

    assert not [name for name, text in meanings.items() if not text.endswith(".")]
    assert not [name for name, text in meanings.items() if ". " in text or not text[0].isupper()]


def test_what_is_counted_is_found_in_each_form():
    text = (
        "self._counts['a'] += 1; other.counts['b.c'] = 2; rows['d'] = 1\n"
        "T = {BUSY: 'bounce.busy'}; counts[T[x]] += 1; 'drop.'; 'x.bounce.busy'"
    )

    assert set(counted_in(text)) == {"a", "b.c", "bounce.busy"}


def test_a_name_that_is_put_together_is_found():
    text = "counts[f'drop.{reason}'] += 1\nself.counts['drop.' + why] += 1\ncounts[TABLE[x]] += 1\n"

    assert list(composed_in(text)) == [1, 2]
