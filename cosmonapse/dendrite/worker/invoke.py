"""How a Neuron's function is run: on the loop or in a thread, at once or piece by piece."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import AsyncIterator, Callable, Generator
from typing import Any

from ...runtime.threads import in_thread
from .context import TaskContext
from .job import Job


async def run_function(job: Job, loop: asyncio.AbstractEventLoop) -> Any:
    """Call the Neuron's function and return what it gives in the end.

    Every text that a generator yields is sent as a THOUGHT_DELTA; the last dict is its output, or
    the texts together if there is none.
    """
    axon, payload = job.slots.axon, job.signal.payload
    items = payload.get("context_ref")
    if items is not None and axon.context_fetcher is not None:
        items = await _fetched(axon.context_fetcher, items)
    context = TaskContext(
        items if isinstance(items, list) else (),
        job.signal,
        job,
        job.deadline_at_s,
        loop,
    )
    function, given = axon.neuron_fn, payload["input"]
    if axon.is_coroutine:
        return await function(given, context)
    if axon.on_loop:
        value = function(given, context)
    else:
        value = await job.in_thread(_in_thread, function, given, context)
    if inspect.isawaitable(value):
        return await value
    return await _from_pieces(value, context) if hasattr(value, "__aiter__") else value


async def _fetched(fetcher: Callable[[Any], Any], reference: Any) -> list[Any]:
    """Return the context items behind a reference."""
    if inspect.iscoroutinefunction(fetcher):
        items = await fetcher(reference)
    else:
        items = await in_thread(fetcher, reference, name="context fetcher")
        if inspect.isawaitable(items):
            items = await items
    return list(items or ())


class _Pieces:
    """What a generator yields, put together."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._output: dict[str, Any] | None = None

    def take(self, piece: Any) -> bool:
        """Take a piece; True if it is a thought.

        Raises:
            TypeError: It is neither str nor dict.
        """
        if isinstance(piece, str):
            self._texts.append(piece)
            return True
        if not isinstance(piece, dict):
            raise TypeError(f"a Neuron yields str or a final dict, not {type(piece).__name__}")
        self._output = piece
        return False

    def output(self) -> dict[str, Any]:
        """Return the last dict, or the texts together."""
        return {"response": "".join(self._texts)} if self._output is None else self._output


async def _from_pieces(values: AsyncIterator[Any], context: TaskContext) -> dict[str, Any]:
    pieces = _Pieces()
    try:
        async for piece in values:
            if pieces.take(piece):
                await context.think(piece)
    finally:
        close = getattr(values, "aclose", None)
        if close is not None:
            await close()
    return pieces.output()


def _in_thread(function: Any, given: Any, context: TaskContext) -> Any:
    """Call a plain function; drive it here if it is a generator."""
    value = function(given, context)
    return _from_thread_pieces(value, context) if inspect.isgenerator(value) else value


def _from_thread_pieces(values: Generator[Any, Any, Any], context: TaskContext) -> dict[str, Any]:
    pieces = _Pieces()
    with contextlib.closing(values):
        for piece in values:
            if pieces.take(piece):
                context.think(piece)
    return pieces.output()
