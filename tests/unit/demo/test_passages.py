"""Markdown pages as passages. Reads the real pages once."""

import attrs
import pytest

from cosmonapse.demo.librarian import load_pages
from cosmonapse.demo.passages import Passage, split_pages

PASSAGES = split_pages(load_pages())


def test_a_passage_knows_its_page_its_headings_and_its_sentences():
    pages = {
        "p.md": "# Title\n\n## One\n\n### Deep `x`\n\nFirst one,\nwrapped. **Second** [one](u)."
    }

    assert split_pages(pages) == [
        Passage("p.md", "deep-x", ("One", "Deep x"), ("First one, wrapped.", "Second one."))
    ]


def test_code_tables_and_quotes_are_no_passages():
    text = "## A\n\n```python\n# no heading\n\nno = 1\n```\n\n| a | b |\n\n> said\n\nProse."

    assert [p.sentences for p in split_pages({"p.md": text})] == [("Prose.",)]


def test_a_list_belongs_to_the_paragraph_that_announces_it():
    text = "## A\n\nThere are two:\n\n- one\n  wrapped\n- two\n\nAfter."

    assert [p.sentences for p in split_pages({"p.md": text})] == [
        ("There are two:", "one wrapped", "two"),
        ("After.",),
    ]


def test_a_repeated_heading_gets_a_numbered_anchor():
    pages = {"p.md": "## BEAT\nLoud.\n\n## Beat\nSoft.", "q.md": "## Beat\nOther page."}

    assert [p.anchor for p in split_pages(pages)] == ["beat", "beat-1", "beat"]


def test_a_passage_cannot_be_changed_and_is_never_empty():
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        PASSAGES[0].page = "other.md"
    with pytest.raises(ValueError, match="sentences"):
        Passage("p.md", "a", ("A",), ())
