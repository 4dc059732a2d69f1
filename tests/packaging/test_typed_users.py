"""Whoever uses the package with types: a right program is clean, typical mistakes are found."""

import importlib
import re
import subprocess
import sys
from collections import defaultdict
from importlib.resources import files

import pytest

from house import source

PROGRAM, MISTAKES = "tests/typed/program.py", "tests/typed/mistakes.py"
WRONG = re.compile(r"  # wrong: (.+)$")
FOUND = re.compile(r"^(?P<file>[^:]+):(?P<line>\d+): error: .*\[(?P<code>[a-z-]+)\]$")


@pytest.fixture(scope="module")
def findings():
    """What mypy, strict, finds in both files: {file: {line: codes}}."""
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "--hide-error-context"]
    ended = subprocess.run(
        [*command, PROGRAM, MISTAKES],
        cwd=source.ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode in (0, 1), ended.stdout + ended.stderr
    found = defaultdict(lambda: defaultdict(set))
    for text in ended.stdout.splitlines():
        matched = FOUND.match(text)
        assert matched or ": note: " in text, text
        if matched:
            found[matched["file"]][int(matched["line"])].add(matched["code"])
    return found


def expected_codes(text):
    """Return what the comments of a file say is wrong: {line: codes}."""
    marked = ((number, WRONG.search(line)) for number, line in enumerate(text.splitlines(), 1))
    return {number: set(match[1].split(", ")) for number, match in marked if match}


def test_a_program_that_uses_the_whole_surface_is_clean(findings):
    assert findings[PROGRAM] == {}


def test_typical_mistakes_give_exactly_these_errors(findings):
    expected = expected_codes((source.ROOT / MISTAKES).read_text())

    assert len(expected) > 25
    assert findings[MISTAKES] == expected


def test_the_program_names_all_that_is_public_but_rare_errors():
    text = (source.ROOT / PROGRAM).read_text()
    package = importlib.import_module("cosmonapse")

    unused = [name for name in package.__all__ if not re.search(rf"\b{name}\b", text)]

    rare = [name for name in unused if is_error(getattr(package, name)) or name == "CODES"]
    assert unused == rare, f"use them in {PROGRAM}, with an assert_type"


def is_error(value):
    return isinstance(value, type) and issubclass(value, Exception)


@pytest.mark.parametrize("package", source.PACKAGES)
def test_both_packages_say_that_they_have_types(package):
    assert (files(package) / "py.typed").is_file()
