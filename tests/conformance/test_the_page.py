"""The page of the port and the suite name the same promises."""

import ast
import re
from pathlib import Path

import cosmonapse.testing.conformance

HERE = Path(__file__).parent
SUITE = Path(cosmonapse.testing.conformance.__file__).parent
PAGE = HERE.parents[1] / "docs" / "spec" / "08-port.md"
PROMISED = re.findall(r"^\| \*\*(P\d+)\*\* \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
OURS_ALONE = "test_our_synapses.py"


def cited_by(paths):
    """Return the promises that each test cites in its docstring."""
    return {
        f"{path.name}::{node.name}": re.findall(r"\bP\d+\b", ast.get_docstring(node) or "")
        for path in paths
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    }


TESTS = cited_by([*SUITE.glob("test_*.py"), HERE / OURS_ALONE])


def test_promises_are_numbered_without_a_gap():
    assert [f"P{number}" for number in range(1, len(PROMISED) + 1)] == PROMISED


def test_every_promise_of_the_page_is_held_by_a_test():
    assert len(TESTS) > 100
    assert not set(PROMISED) - {each for cited in TESTS.values() for each in cited}


def test_every_test_names_promises_of_the_page():
    assert [name for name, cited in TESTS.items() if not cited or set(cited) - set(PROMISED)] == []


def test_only_the_promise_of_our_own_synapses_is_not_in_the_shipped_suite():
    shipped = {each for cited in cited_by(SUITE.glob("test_*.py")).values() for each in cited}

    assert set(PROMISED) - shipped <= {"P40"}
