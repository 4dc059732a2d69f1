"""The pages of the specification that modules cite exist, and each is cited and listed."""

import ast
import re

import pytest

from house import source

CITED = re.compile(r"docs/spec/[\w.-]+\.\w+")
SPEC = source.ROOT / "docs" / "spec"
DECISIONS = source.ROOT / "docs" / "design" / "decisions"
PAGES = sorted(path.name for path in SPEC.glob("[0-9][0-9]-*.md"))
DECIDED = sorted(path.name for path in DECISIONS.glob("[0-9]*.md"))


def citations_of(text: str) -> list[str]:
    """Return the pages that the header of a module cites."""
    return CITED.findall(ast.get_docstring(source.parse(text)) or "")


CITATIONS = [
    (module, page)
    for module, path in source.module_paths().items()
    for page in citations_of(path.read_text(encoding="utf-8"))
]


def test_every_page_that_a_module_cites_exists():
    assert not [cite for cite in CITATIONS if not (source.ROOT / cite[1]).is_file()]


def test_every_page_is_cited_by_some_module():
    cited = {page for _, page in CITATIONS}

    assert PAGES
    assert not [page for page in PAGES if f"docs/spec/{page}" not in cited]


@pytest.mark.parametrize(("folder", "pages"), [(SPEC, PAGES), (DECISIONS, DECIDED)])
def test_every_page_is_in_the_index_of_its_folder(folder, pages):
    index = (folder / "README.md").read_text(encoding="utf-8")

    assert not [page for page in pages if f"({page})" not in index]


def test_pages_are_numbered_without_a_gap():
    assert [int(page[:2]) for page in PAGES] == list(range(1, len(PAGES) + 1))


def test_a_citation_is_found_at_the_end_of_a_sentence():
    assert citations_of('"""A room. Spec: docs/spec/09-door.md. Pure."""') == [
        "docs/spec/09-door.md"
    ]
    assert not citations_of('x = "docs/spec/09-door.md"')
