"""Every case of bad input is on its page, and each names tests that exist."""

import re

import pytest

from house import source

PAGE = (source.ROOT / "docs" / "bad-input.md").read_text()
ROWS = [*(str(number) for number in range(1, 37)), "10a", "23a", "23b", "27a", "32a"]
ROW = re.compile(r"^\| (\d+[ab]?) \|(.*)\|$", flags=re.MULTILINE)
CASES = range(1, 51)
ROW_OF_CASE = re.compile(r"^\| case (\d+) \|(.*)\|$", flags=re.MULTILINE)
TEST = re.compile(r"`(test_\w+)`")


def held_by(page):
    """Return the tests that each row names."""
    return {number: TEST.findall(cells.split("|")[-1]) for number, cells in ROW.findall(page)}


def names_in(text):
    """Return the names of the tests in a module."""
    return {each.name for each in source.functions_of(text) if each.name.startswith("test_")}


@pytest.fixture(scope="module")
def there():
    """The names of all tests, those of the shipped suite included."""
    folders = ("tests", "cosmonapse/testing/conformance")
    files = [path for each in folders for path in (source.ROOT / each).rglob("test_*.py")]
    return set().union(*(names_in(path.read_text(encoding="utf-8")) for path in files))


def test_every_row_is_held_by_a_test_that_exists(there):
    named = held_by(PAGE)

    assert not [row for row in ROWS if not named.get(row)], "rows of docs/bad-input.md without one"
    assert not set().union(*named.values()) - there


def test_the_page_has_no_other_rows_and_none_twice():
    numbers = [number for number, _ in ROW.findall(PAGE)]

    assert sorted(numbers) == sorted(ROWS)


def test_every_case_of_keys_rights_and_bounds_stands_on_the_page_with_its_tests():
    rows = ROW_OF_CASE.findall(PAGE)

    assert {int(number) for number, _ in rows} == set(CASES)
    assert not [number for number, cells in rows if not TEST.findall(cells.split("|")[-1])]


@pytest.mark.parametrize("page", ["bad-input.md", "versions.md"])
def test_every_test_that_a_page_names_exists(page, there):
    named = set(TEST.findall((source.ROOT / "docs" / page).read_text()))

    assert named
    assert not named - there


def test_a_row_without_a_test_and_a_test_that_is_none_are_found():
    page = "| 1 | a `test_not_here` | b | `test_a`, `test_b` |\n| 10a | c | d | |\n| what | e |\n"

    assert held_by(page) == {"1": ["test_a", "test_b"], "10a": []}
    assert names_in("def test_a():\n    pass\n\nasync def test_b(): ...\n# test_c") == {
        "test_a",
        "test_b",
    }
