"""The documentation site: its pages are reachable, complete and made from the code."""

import importlib
import re

import pytest

from cosmonapse import CODES
from house import source
from tools.docs import counters

DOCS = source.ROOT / "docs"
MAP = (source.ROOT / "mkdocs.yml").read_text(encoding="utf-8")
TROUBLES = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
HEADINGS = set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^### .*$", TROUBLES, re.MULTILINE))))


def in_the_map(text):
    """Return the pages that the navigation of a site names."""
    return re.findall(r"([\w/-]+\.md)\s*$", text, flags=re.MULTILINE)


def test_the_navigation_names_every_page_once_and_no_other():
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    named = in_the_map(MAP)

    assert len(named) == len(set(named))
    assert {each for each in named if not each.startswith("project/")} == pages


def test_the_page_of_counters_is_the_generated_one():
    assert counters.PAGE.read_text(encoding="utf-8") == counters.page(), counters.COMMAND


@pytest.mark.parametrize("package", ["cosmonapse", "zmq_transport"])
def test_the_pages_of_the_api_name_every_public_name(package):
    pages = "".join(path.read_text(encoding="utf-8") for path in (DOCS / "api").glob("*.md"))
    entries = set(re.findall(r"^::: ([\w.]+)$", pages, flags=re.MULTILINE))
    names = importlib.import_module(package).__all__

    assert not sorted({f"{package}.{name}" for name in names} - entries)
    assert not [name for name in names if f"`{name}`" not in pages]


def test_every_error_code_has_its_trouble():
    assert not sorted(set(CODES) - HEADINGS)


def test_every_public_exception_has_its_trouble():
    package = importlib.import_module("cosmonapse")
    public = [name for name in package.__all__ if is_exception(getattr(package, name))]

    assert len(public) > 10
    assert not sorted(set(public) - HEADINGS)


def is_exception(value):
    return isinstance(value, type) and issubclass(value, BaseException)


@pytest.mark.parametrize(
    ("text", "found"),
    [("  - Home: index.md\n  - spec/README.md\n", ["index.md", "spec/README.md"])],
)
def test_pages_are_read_from_the_navigation(text, found):
    assert in_the_map(text) == found
