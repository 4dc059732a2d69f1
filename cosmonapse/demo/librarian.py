"""A Neuron that answers from the documentation, without a model and without a network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from ..errors import NeuronError
from .passages import Passage, split_pages
from .retrieval import Index, Match

PAGES = ("glossary.md", "concepts.md")
PROMPT_KEYS = ("prompt", "text", "query", "content")
EXAMPLES_COUNT = 5

Librarian = Callable[[Mapping[str, Any], Any], AsyncGenerator[str | dict[str, Any], None]]


def load_pages() -> dict[str, str]:
    """Read the pages that the librarian knows, by name.

    An installed package carries them in `cosmonapse._docs`; a checkout has them in `docs/`.

    Raises:
        FileNotFoundError: A page is in neither place.
    """
    try:
        folder = resources.files("cosmonapse._docs")
    except ModuleNotFoundError:
        folder = Path(__file__).parents[2] / "docs"
    return {name: (folder / name).read_text(encoding="utf-8") for name in PAGES}


def librarian(pages: Mapping[str, str], pause_s: float = 0.0) -> Librarian:
    """Build the neuron function that answers from `pages` (Markdown, name -> text).

    It yields the answer sentence by sentence, and then the output: `response` (the sentences,
    joined), `source` (page and anchor, or None where the pages do not cover the question) and
    `model`.

    Args:
        pages: The pages it may answer from.
        pause_s: Seconds to wait between two sentences, so that they are seen one by one.

    Raises:
        ValueError: `pause_s` is negative.
    """
    if pause_s < 0:
        raise ValueError(f"pause_s must be 0 or more seconds and is {pause_s!r}")
    passages = split_pages(pages)
    index = Index(passages)
    unknown = _unknown(passages)

    async def answer(
        input: Mapping[str, Any], context: Any
    ) -> AsyncGenerator[str | dict[str, Any]]:
        match = index.best(_prompt(input))
        sentences = match.passage.sentences if match else (unknown,)
        pieces = [*(f"{sentence} " for sentence in sentences[:-1]), sentences[-1]]
        for place, piece in enumerate(pieces):
            if place and pause_s > 0:
                await asyncio.sleep(pause_s)
            yield piece
        yield {"response": "".join(pieces), "source": _source(match), "model": "librarian"}

    return answer


def _prompt(given: Mapping[str, Any]) -> str:
    """Return the question in the input of a TASK.

    Raises:
        NeuronError: There is no question; the code is `BAD_INPUT`.
    """
    if not isinstance(given, Mapping):
        raise NeuronError("BAD_INPUT", f"expected a dict with a prompt, got {type(given).__name__}")
    for key in PROMPT_KEYS:
        prompt = given.get(key)
        if isinstance(prompt, str) and prompt.strip():
            return prompt
    raise NeuronError(
        "BAD_INPUT",
        "expected a question as text under one of "
        f"{', '.join(PROMPT_KEYS)}, got {sorted(map(str, given))!r:.200}; "
        'send {"prompt": "What is a Dendrite?"}',
    )


def _source(match: Match | None) -> str | None:
    return f"{match.page}#{match.passage.anchor}" if match else None


def _unknown(passages: list[Passage]) -> str:
    """Return the answer without a match: one sentence that names topics of the pages."""
    headings = dict.fromkeys(passage.heading[-1] for passage in passages if passage.heading)
    if not headings:
        return "I don't know: there is no page that I could answer from."
    *some, last = list(headings)[:EXAMPLES_COUNT]
    examples = f"{', '.join(some)} or {last}" if some else last
    return f"I don't know: you can ask me about what my pages explain, such as {examples}."
