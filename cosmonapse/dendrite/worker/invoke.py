"""Calls the function of a Neuron: on the loop or in a thread, whole or as a generator."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from typing import Any

from ...axon import Axon, is_marked, reply_of, reply_of_exception
from ...errors import LocalError, Question, UnencodableValue
from ...raised import described, place_of, safely
from ...runtime.extras import missing_extra
from ...runtime.threads import in_thread
from ...schemas import Contract, Unfit
from ...signals import Signal, SignalType
from .context import TaskContext
from .job import Job
from .yielded_stream import YieldedStream

_LOG = logging.getLogger(__name__)
MAX_REMEMBER_S = 10.0
"""So long an answer waits at most until it is kept."""


def run_function(job: Job, loop: asyncio.AbstractEventLoop, counts: Counter[str]) -> Awaitable[Any]:
    """Call the Neuron's function; return an awaitable of its result.

    Every text that a generator yields is sent as a THOUGHT_DELTA. Its result is the last dict that
    it yields, or without one the joined texts.
    """
    axon, payload = job.slots.axon, job.signal.payload
    if not axon.is_bare or "context_ref" in payload:
        contract = axon.contract
        if contract is None:
            running = _run_function(job, loop, payload["input"])
        else:
            running = _run_checked(job, loop, contract)
        remember = _remember_of(axon) if "context_ref" in payload else None
        return running if remember is None else _remembered(running, job, remember, counts)
    context = TaskContext((), job.signal, job, job.deadline_at_s, loop)
    called: Awaitable[Any] = axon.neuron_fn(payload["input"], context)
    return called  # the function's own coroutine: one less for each task


async def _run_checked(job: Job, loop: asyncio.AbstractEventLoop, contract: Contract) -> Any:
    given = _fitted(contract.given, job.signal.payload["input"])
    value = await _run_function(job, loop, given)
    return value if is_marked(value) else _fitted(contract.gives, value)


def _fitted(check: Callable[[Any], Any], value: Any) -> Any:
    """Return what a check makes of a value; say where a check of the user's own broke."""
    try:
        return check(value)
    except Unfit as unfit:
        if (broken := unfit.__cause__) is not None:
            told = safely(described, broken, otherwise=type(broken).__name__)
            _LOG.warning("the check of a type broke at %s: %s", place_of(broken), told)
        raise


async def _run_function(job: Job, loop: asyncio.AbstractEventLoop, given: Any) -> Any:
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
    function = axon.neuron_fn
    if axon.is_coroutine:
        return await function(given, context)
    if axon.on_loop:
        value = function(given, context)
    else:
        value = await job.in_thread(_in_thread, function, given, job, context, loop)
    if inspect.isawaitable(value):
        return await value
    return (
        await _from_async_generator(value, job, context) if hasattr(value, "__aiter__") else value
    )


async def _fetched(fetcher: Callable[[Any], Any], reference: Any) -> list[Any]:
    """Return the context items that a reference stands for."""
    items = await _called(fetcher, reference, name="context fetcher")
    return list(items or ())


async def _called(function: Callable[..., Any], *arguments: Any, name: str) -> Any:
    """Call an `async def` on the loop, and a plain `def` in a thread."""
    if inspect.iscoroutinefunction(function):
        return await function(*arguments)
    value = await in_thread(function, *arguments, name=name)
    return await value if inspect.isawaitable(value) else value


def _remember_of(axon: Axon) -> Callable[[Signal, Signal], Any] | None:
    """Return what keeps the answers for later contexts: a method of the fetcher, if it has one."""
    return getattr(axon.context_fetcher, "remember", None)


async def _remembered(
    running: Awaitable[Any],
    job: Job,
    remember: Callable[[Signal, Signal], Any],
    counts: Counter[str],
) -> Any:
    """Return the result of a function, kept by its fetcher before the reply goes out.

    So whoever asks next in a session finds it. One that cannot be kept is sent all the same.
    """
    try:
        value = await running
    except Question as question:
        await _kept(job, reply_of_exception(question), remember, counts)
        raise
    await _kept(job, reply_of(value), remember, counts)
    return value


async def _kept(
    job: Job,
    reply: tuple[SignalType, dict[str, Any]],
    remember: Callable[[Signal, Signal], Any],
    counts: Counter[str],
) -> None:
    signal_type, payload = reply
    if signal_type is SignalType.ERROR:
        return
    signal = job.signal.reply(signal_type, payload=payload)
    # Half of the time that is left is for the answer, which is ready.
    left_s = (job.deadline_at_s - asyncio.get_running_loop().time()) / 2
    try:
        signal.encode()  # one that cannot be sent is an ERROR
        async with asyncio.timeout(min(MAX_REMEMBER_S, left_s)):
            await _called(remember, job.signal, signal, name="remember")
    except UnencodableValue:
        return
    except Exception as error:  # noqa: BLE001  # the last door: the answer is there, and goes out
        counts["remember_failed"] += 1
        _LOG.error(
            "an answer of %s could not be remembered: %s",
            job.slots.axon.neuron_id,
            safely(described, error, otherwise=type(error).__name__),
            exc_info=None if isinstance(error, LocalError) else error,  # ours says what to do
        )


class _Yielded:
    """The values that a generator has yielded.

    Args:
        has_type: Whether its output is checked: then a value of its type may be the last one.
    """

    def __init__(self, has_type: bool) -> None:
        self._has_type = has_type
        self._texts: list[str] = []
        self._output: Any = None

    def add(self, value: Any) -> bool:
        """Add a value; return True if it is a text, to be sent as a thought.

        Raises:
            TypeError: It is neither str nor dict, and the output has no type.
        """
        if isinstance(value, str):
            self._texts.append(value)
            return True
        if not isinstance(value, dict) and not self._has_type:
            raise TypeError(
                f"a Neuron yields str or a final dict, not {type(value).__name__}; with output= of "
                "its Axon also a final value of that type"
            )
        self._output = value
        return False

    def output(self) -> Any:
        """Return the last value that is no text, or without one the joined texts."""
        return {"response": "".join(self._texts)} if self._output is None else self._output


async def _from_async_generator(values: AsyncIterator[Any], job: Job, context: TaskContext) -> Any:
    yielded = _Yielded(_has_type(job.slots.axon))
    try:
        async for value in values:
            if yielded.add(value) and not job.think_now(value):
                await context.think(value)
    finally:
        close = getattr(values, "aclose", None)
        if close is not None:
            await close()
    return yielded.output()


def _in_thread(
    function: Any, given: Any, job: Job, context: TaskContext, loop: asyncio.AbstractEventLoop
) -> Any:
    """Call a plain function; iterate over it in this thread if it is a generator."""
    value = function(given, context)
    if not inspect.isgenerator(value):
        return value
    stream = YieldedStream(job, loop)
    context._finish_yielded = stream.finish
    return _from_generator(value, stream, _Yielded(_has_type(job.slots.axon)))


def _has_type(axon: Axon) -> bool:
    return axon.contract is not None and axon.contract.output is not None


def _from_generator(
    values: Generator[Any, Any, Any], stream: YieldedStream, yielded: _Yielded
) -> Any:
    try:
        with contextlib.closing(values):
            for value in values:
                if yielded.add(value):
                    stream.add(value)
    finally:
        stream.finish()  # also what came ahead of an exception goes out ahead of the ERROR
    return yielded.output()


def warn_unchecked(axon: Axon) -> None:
    """Log once in a process that schemas of Axons are carried and not checked."""
    if axon.contract is not None and axon.contract.is_unchecked:
        _tell_unchecked()


@functools.cache
def _tell_unchecked() -> None:
    _LOG.warning(
        "inputs and outputs are not checked against schemas that are a dict: %s",
        missing_extra("jsonschema", "schema"),
    )


def log_raised(axon: Axon, error: BaseException) -> None:
    """Log what the function of an Axon raised, with the line of the user's code."""
    place = safely(place_of, error, axon.neuron_fn, otherwise="an unknown place")
    text = safely(described, error, otherwise=type(error).__name__)
    # The configuration of logging is the user's too, and may raise.
    safely(
        lambda: _LOG.error(
            "neuron %s raised %s at %s",
            axon.neuron_id,
            text,
            place,
            exc_info=error,
            extra={"neuron": axon.neuron_id},
        ),
        otherwise=None,
    )
