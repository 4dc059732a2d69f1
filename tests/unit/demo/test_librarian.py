"""What the librarian says, piece by piece, and how it refuses. Reads the real pages."""

import asyncio
import re

import pytest

from cosmonapse.demo import librarian as module
from cosmonapse.demo.librarian import librarian, load_pages
from cosmonapse.errors import NeuronError

PAGES = load_pages()
DENDRITE = {"prompt": "What is a Dendrite?"}


async def said(answer, given):
    """Return the streamed sentences and the output of one task."""
    *pieces, output = [item async for item in answer(given, [])]
    return pieces, output


@pytest.mark.asyncio
async def test_an_answer_comes_sentence_by_sentence_and_then_as_a_whole():
    pieces, output = await said(librarian(PAGES), DENDRITE)

    assert len(pieces) > 1
    assert all(re.search(r"[.!?] ?$", piece) for piece in pieces)
    assert "".join(pieces) == output["response"]
    assert output["response"].startswith("A Dendrite is the asyncio client that")


@pytest.mark.asyncio
async def test_an_output_names_its_source_and_its_model():
    _, output = await said(librarian(PAGES), DENDRITE)

    assert output["source"] == "glossary.md#dendrite"
    assert output["model"] == "librarian"
    assert set(output) == {"response", "source", "model"}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("prompt", "source"),
    [
        ("What is a HEARTBEAT?", "glossary.md#heartbeat"),
        ("What is a heartbeat?", "glossary.md#heartbeat-1"),
        ("What is a high-water mark?", "glossary.md#high-water-mark"),
        ("What is a THOUGHT_DELTA?", "glossary.md#thought_delta"),
        ("What happens when a worker dies?", "concepts.md#what-happens-when-a-worker-dies"),
    ],
)
async def test_a_source_is_the_anchor_of_the_section(prompt, source):
    _, output = await said(librarian(PAGES), {"prompt": prompt})

    assert output["source"] == source


@pytest.mark.asyncio
@pytest.mark.parametrize("prompt", ["Who won the world cup in 1998?", "What is it?", "🦊"])
async def test_what_the_pages_do_not_cover_is_admitted_in_one_sentence(prompt):
    pieces, output = await said(librarian(PAGES), {"prompt": prompt})

    assert pieces == [output["response"]]
    assert output["response"].startswith("I don't know: you can ask me about")
    assert "Neuron, Axon, Dendrite, Synapse or Signal." in output["response"]
    assert output["source"] is None


TRUE = {
    "What is a Pathway?": ["dispatch", "observe_pathway", "in order"],
    "What is an Attempt?": ["RetryStrategy", "exactly one", "own id"],
    "Is a task ever run twice?": ["at most once", "ids of ended tasks", "10 minutes", "200,000"],
    "Are tasks retried automatically?": ["only on request", "RetryStrategy"],
    "What happens when a worker hangs?": ["stuck", "no new tasks", "6 s"],
    "What happens on a timeout?": ["TimeoutError", "cancels the task"],
    "Does it write anything to disk?": ["nothing is written to disk", "--ipc"],
}
FALSE = re.compile(r"not (?:yet )?(?:built|remembered)|\bplanned\b|in this version|\bwill\b")


@pytest.mark.asyncio
@pytest.mark.parametrize(("prompt", "facts"), TRUE.items())
async def test_an_answer_about_what_exists_says_what_is_true(prompt, facts):
    _, output = await said(librarian(PAGES), {"prompt": prompt})

    assert not [fact for fact in facts if fact not in output["response"]]
    assert not FALSE.search(output["response"])


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("pages", "ending"),
    [({}, "no page that I could answer from."), ({"p.md": "## Foxes\nRed."}, "such as Foxes.")],
)
async def test_an_admission_fits_the_pages_at_hand(pages, ending):
    _, output = await said(librarian(pages), DENDRITE)

    assert output["response"].endswith(ending)


@pytest.mark.asyncio
@pytest.mark.parametrize("key", ["prompt", "text", "query", "content"])
async def test_a_question_may_come_under_four_keys(key):
    _, output = await said(librarian(PAGES), {key: "What is an Axon?"})

    assert output["source"] == "glossary.md#axon"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "given",
    [{}, {"prompt": ""}, {"prompt": " \n"}, {"prompt": None}, {"prompt": 7}, {"other": "x"}, "x"],
)
async def test_an_input_without_a_question_is_a_bad_input(given):
    with pytest.raises(NeuronError, match="expected") as caught:
        await said(librarian(PAGES), given)

    assert caught.value.code == "BAD_INPUT"
    assert caught.value.recoverable is False


@pytest.mark.asyncio
@pytest.mark.parametrize(("pause_s", "pauses"), [(0.0, False), (0.25, True)])
async def test_a_pause_lies_between_sentences_and_nowhere_else(monkeypatch, pause_s, pauses):
    slept = []

    async def sleep(delay):
        slept.append(delay)

    monkeypatch.setattr(module.asyncio, "sleep", sleep)
    pieces, _ = await said(librarian(PAGES, pause_s), DENDRITE)

    assert slept == ([pause_s] * (len(pieces) - 1) if pauses else [])


def test_a_negative_pause_is_refused_at_once():
    with pytest.raises(ValueError, match="pause_s"):
        librarian(PAGES, pause_s=-1)


@pytest.mark.asyncio
async def test_one_librarian_serves_many_tasks_at_a_time():
    answer = librarian(PAGES)

    results = await asyncio.gather(*(said(answer, {"prompt": f"{t}?"}) for t in ("Axon", "TASK")))

    assert [output["source"] for _, output in results] == ["glossary.md#axon", "glossary.md#task"]


def test_the_pages_of_an_installed_package_go_before_those_of_a_checkout(monkeypatch, tmp_path):
    for name in module.PAGES:
        (tmp_path / name).write_text("## Fuchs\nRöt.", encoding="utf-8")
    asked = []
    monkeypatch.setattr(module.resources, "files", lambda name: asked.append(name) or tmp_path)

    pages = load_pages()

    assert asked == ["cosmonapse._docs"]
    assert pages == dict.fromkeys(module.PAGES, "## Fuchs\nRöt.")


def test_a_checkout_has_its_pages_in_the_docs_folder():
    assert list(PAGES) == ["glossary.md", "concepts.md"]
    assert all(text.startswith("# ") for text in PAGES.values())
