"""Each promise about versions that live together names what holds it."""

import re

from house import source

PAGE = (source.ROOT / "docs" / "versions.md").read_text()
ROW = re.compile(r"^\| (?!promise|---)([^|]+) \| ([^|]+) \|$", flags=re.MULTILINE)


def unheld(page):
    """Return the promises of the table under "promise | held by" that no test holds."""
    _, _, table = page.partition("| promise | held by |\n")
    rows = ROW.findall(table.partition("\n\n")[0])
    return [promise for promise, held in rows if "test" not in held], len(rows)


def test_each_promise_of_a_rolling_upgrade_names_its_test():
    promises, count = unheld(PAGE)

    assert not promises
    assert count > 5


def test_a_promise_without_a_test_is_found():
    page = "| promise | held by |\n|---|---|\n| a | `test_a` |\n| b | somebody |\n\n| c | d |\n"

    assert unheld(page) == (["b"], 2)
