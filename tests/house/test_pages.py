"""The language of the pages: true, short sentences, plain words."""

import re

import pytest

from house import pages, source

MAX_WORDS = 30
# Decisions are dated records and stay as they were taken.
RECORDS = "docs/design/decisions/"
PAGES = [
    page
    for page in [*pages.every(), pages.CHANGELOG]
    if not pages.name_of(page).startswith(RECORDS)
]
# Its words are those of the docstrings that it is made from.
GENERATED = {"docs/design/architecture.md", "docs/counters.md"}
NAMES = [pages.name_of(page) for page in PAGES]
SHIPPED = [pages.name_of(page) for page in pages.shipped()]

# A page for users says what exists.
UNBUILT = re.compile(
    r"not (?:yet )?(?:built|implemented|supported|available)|not built yet|\bplanned\b|\bTODO\b"
    r"|in this version|coming soon|\bwill be\b|in (?:the|a) (?:future|later version)",
    re.IGNORECASE,
)
# Which of these a page may say, because it is a fact.
UNBUILT_ALLOWED: dict[str, set[str]] = {}

# Not plain English: say "invalid", name the noun, name the process.
FORBIDDEN = re.compile(
    r"\b(?:is|are) (?-i:none)\b|\bmakes? no sense\b|\bwhoever\b|\b(?:is|are) told\b|\bfor people\b"
    r"|\bneeds? it not\b|\btakes? (?:its )?leave\b|\btaken leave\b|\bhe (?:is|has|was)\b"
    r"|\bwhat is no\b|\bbehind (?:it|them|that|those) in time\b",
    re.IGNORECASE,
)
# These name nobody in particular; a page may do so now and then.
VAGUE = re.compile(r"\b(?:nobody|somebody|everybody|everyone|anybody)\b", re.IGNORECASE)
VAGUE_AT_MOST = 2
# In the tables that the bench writes, it is the name of a kind.
VAGUE_AT_MOST_IN = {"docs/design/benchmarks.md": 6}


def text_of(name):
    return (source.ROOT / name).read_text(encoding="utf-8")


def long_sentences(text):
    """Return the sentences over the wall, with their length."""
    counted = [(pages.word_count(each), each) for each in pages.sentences(text)]
    return [f"{count} words: {each}" for count, each in counted if count > MAX_WORDS]


def unbuilt_in(name, text):
    """Return what a page says of things that do not exist, but for its allowed facts."""
    found = {each.group().lower() for each in UNBUILT.finditer(pages.words_of(text))}
    return found - UNBUILT_ALLOWED.get(name, set())


@pytest.mark.parametrize("name", SHIPPED)
def test_a_page_for_users_speaks_of_what_exists(name):
    assert not unbuilt_in(name, text_of(name))


@pytest.mark.parametrize("name", NAMES)
def test_no_sentence_of_a_page_is_too_long(name):
    found = long_sentences(text_of(name))

    assert not found


@pytest.mark.parametrize("name", [name for name in NAMES if name not in GENERATED])
def test_a_page_is_in_plain_english(name):
    text = pages.words_of(text_of(name))

    found = FORBIDDEN.findall(text)

    assert not found
    assert len(VAGUE.findall(text)) <= VAGUE_AT_MOST_IN.get(name, VAGUE_AT_MOST)


def test_every_page_is_in_the_index():
    index = text_of("docs/index.md")
    linked = {name for name in SHIPPED if f"({name.removeprefix('docs/')})" in index}

    assert linked == set(SHIPPED) - {"README.md", "docs/index.md"}


@pytest.mark.parametrize("outstanding", [1, 16, 256])
def test_the_readme_has_the_ratios_of_the_benchmarks(outstanding):
    page = text_of("docs/design/benchmarks.md")
    row = re.search(rf"^\| a call, {outstanding} outstanding (\|.*\|)$", page, re.MULTILINE)
    with_kernel, without, _ = re.findall(r"\| ([\d.]+) \(", row[1])
    paragraph = text_of("README.md").split("## How fast is it?\n")[1].split("\n## ")[0]

    assert {with_kernel, without} <= set(re.findall(r"\d+\.\d+", paragraph))


def test_sentences_are_found_as_they_are_meant():
    text = (
        "# Heading of a page\n\nOne two `a b c` three. Four\nfive [six](x.md).\n\n"
        "- **Seven** 8. Nine\n"
        "- ten\n\n| a | table |\n|---|---|\n\n```\ncode here\n```\n\n1. eleven, number 1. Twelve\n"
    )

    found = list(pages.sentences(text))

    assert found == [
        "One two Code three.",
        "Four five six.",
        "Seven 8.",
        "Nine",
        "ten",
        "eleven, number 1.",
        "Twelve",
    ]
    assert [pages.word_count(each) for each in found[:2]] == [4, 3]


def test_a_sentence_over_the_wall_and_a_promise_are_found():
    long = " ".join(["word"] * MAX_WORDS)

    assert long_sentences(f"{long}.") == []
    assert len(long_sentences(f"{long} more.")) == 1
    assert unbuilt_in("p.md", "It is not built yet; retries are planned. `will be`") == {
        "not built",
        "planned",
    }
    assert FORBIDDEN.search("a port that is none")
