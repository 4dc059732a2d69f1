"""The page of the port and this suite name the same promises."""

import ast
import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "spec" / "08-port.md"
PROMISED = re.findall(r"^\| \*\*(P\d+)\*\* \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
TESTS = {
    f"{path.name}::{node.name}": re.findall(r"\bP\d+\b", ast.get_docstring(node) or "")
    for path in sorted(HERE.glob("test_*.py"))
    if path != Path(__file__)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_")
}


def test_promises_are_numbered_without_a_gap():
    assert [f"P{number}" for number in range(1, len(PROMISED) + 1)] == PROMISED


@pytest.mark.parametrize("promise", PROMISED)
def test_every_promise_of_the_page_is_held_by_a_test(promise):
    assert promise in {each for cited in TESTS.values() for each in cited}


def test_every_test_names_promises_of_the_page():
    assert [name for name, cited in TESTS.items() if not cited or set(cited) - set(PROMISED)] == []
