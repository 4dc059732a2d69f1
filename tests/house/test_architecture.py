"""The map of the code is true: its tables equal the source, its pictures name what exists."""

import ast
import re
from functools import cache

import pytest

from house import source
from tools.docs import architecture
from tools.docs.architecture import COMMAND, NO_FUNCTION, PAGE, SPEC_INDEX

TEXT = (source.ROOT / PAGE).read_text()
PICTURE = re.compile(r"^```\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)
CLASS_NAME = re.compile(r"\b[A-Z][a-z]+(?:[A-Z][a-z]+)*\b")
SNAKE_NAME = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b")
FUNCTION = re.compile(r"`([a-z_]+(?:\.[a-z_]+){2,})`")
# Not ours, but part of the pictures.
FOREIGN = {"Flask"}


@cache
def text_of(module):
    return source.module_paths()[module].read_text()


@cache
def identifiers():
    """Every name of a module, class or function of both packages."""
    found = {part for module in source.module_paths() for part in module.split(".")}
    kinds = ast.ClassDef | source.Function
    for module in source.module_paths():
        nodes = source.nodes_of(text_of(module))
        found |= {node.name for node in nodes if isinstance(node, kinds)}
    return found


def functions_in(module):
    known = module in source.module_paths()
    return {each.name for each in source.functions_of(text_of(module))} if known else set()


def section(heading, text=TEXT):
    """Return the part of the page under a heading."""
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def unknown_places(text):
    """Return those names `room.module.function` in a text that no package has."""
    named = (name.rpartition(".") for name in FUNCTION.findall(text))
    places = [(module, function) for module, _, function in named]
    return [
        f"{module}.{function}"
        for module, function in places
        if not any(function in functions_in(f"{package}.{module}") for package in source.PACKAGES)
    ]


def rows(text):
    """Return the cells of each row of the tables in a text, headings left out."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [each for each, line in zip(cells, lines, strict=True) if "---" not in line][1:]


def test_the_tables_say_what_the_source_says():
    stale = [str(path) for path in architecture.stale_pages()]

    assert not stale, f"the source has changed: run `{COMMAND}`"


def test_every_module_has_a_first_line_and_a_row():
    for module, text in architecture.modules().items():
        assert architecture.decision_of(text), f"{module} does not say what it is"
        heading = f"### `{module}`" in TEXT
        assert heading or f"| `{module.rpartition('.')[2]}` |" in TEXT, module


def test_every_reason_has_a_row_that_says_how_it_travels_and_what_it_means():
    by_reason = architecture.functions_by_reason(architecture.modules())
    table = rows(section("Where each BOUNCE and LOST is decided"))

    assert [reason for reason, *_ in table] == [f"`{each}`" for each in by_reason]
    for reason, travels, means, where in table:
        assert travels, f"{PAGE}: say how {reason} travels"
        assert means or where == NO_FUNCTION, f"{PAGE}: say what {reason} means"


@pytest.mark.parametrize(
    "heading", ["Where each deadline is decided", "Where each BOUNCE and LOST is decided"]
)
def test_every_function_that_the_page_names_exists(heading):
    text = section(heading)

    assert len(FUNCTION.findall(text)) >= 10
    assert not unknown_places(text.replace("`room.module.function`", ""))


def test_the_pictures_name_what_exists():
    pictures = "\n".join(PICTURE.findall(TEXT))
    named = {*CLASS_NAME.findall(pictures), *SNAKE_NAME.findall(pictures)} - FOREIGN

    assert len(named) > 30
    assert not named - identifiers()


def test_the_parts_in_the_list_exist():
    parts = re.findall(r"\*\*(\w+)\*\*", section("The parts of a Dendrite"))

    assert len(parts) > 10
    assert not set(parts) - identifiers()


def test_the_map_and_the_specification_lead_to_each_other():
    assert "(../spec/README.md)" in TEXT
    assert "(../design/architecture.md)" in (source.ROOT / SPEC_INDEX).read_text()


def test_a_module_without_a_row_and_another_first_line_are_found():
    page = architecture.modules()
    changed = {**page, "zmq_transport.wire.new": '"""A new thing. Pure."""'}

    table = architecture.module_tables(changed)

    assert "| `new` | pure | A new thing. |  |" in table
    assert table != architecture.module_tables(page)


def test_a_section_that_a_comment_cites_is_found():
    text = '"""A. Spec: docs/spec/03-routing.md. Pure."""\nx = 1  # 03-routing, "Bounces": why\n'

    assert architecture.decision_of(text) == "A."
    assert architecture.citations_of(text) == {"spec/03-routing": ["Bounces"]}


def test_a_function_that_is_gone_is_found():
    assert unknown_places("`proxy.tasks.forget_overdue`, `proxy.tasks.nowhere`") == [
        "proxy.tasks.nowhere"
    ]


def test_an_unwritten_mark_is_found():
    with pytest.raises(architecture.NoMarks):
        architecture.between_marks("# a page", "modules")
