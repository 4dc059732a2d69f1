"""The open questions of a namespace: received, shown and answered, with the result of each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any

import click

from ..dendrite import Dendrite
from ..dendrite.caller.questions import ANSWERS
from ..errors import CosmonapseError
from ..ids import ID_CHARS
from ..runtime.printable import printable
from ..signals import QUESTIONS, Signal, SignalType
from .fabric import as_json, signal_as_json
from .replies import (
    BadReply,
    Reply,
    StandingAnswers,
    checked,
    prompt_of,
    read_json_line,
    read_line,
    shown,
)
from .std_streams import complain
from .stdin import StdinLines

_MAX_QUESTIONS = 1_000
_VERBS: Mapping[SignalType, Callable[..., Awaitable[Signal | None]]] = MappingProxyType(
    {
        SignalType.CLARIFICATION: Dendrite.respond_to_clarification,
        SignalType.PERMISSION: Dendrite.respond_to_permission,
        SignalType.ESCALATION: Dendrite.respond_to_escalation,
    }
)


class OpenQuestions:
    """The questions of a namespace without an answer, as far as they were received.

    Up to 1,000 wait; beyond that the oldest is left to others, with a line on stderr.

    Args:
        dendrite: Receives questions and sends answers; not started yet.
        standing: Answers given in advance.
        once: Whether it ends after one answer.
        timeout_s: How long to wait for a question; None means for ever.
        trace_id: Only questions of this workflow: its id, or the beginning of it.
        neuron: Only questions of this neuron.
    """

    def __init__(
        self,
        dendrite: Dendrite,
        standing: StandingAnswers,
        once: bool,
        timeout_s: float | None,
        trace_id: str | None,
        neuron: str | None,
    ) -> None:
        self._dendrite = dendrite
        self._standing = standing
        self._once = once
        self._timeout_s = timeout_s
        self._open: dict[str, Signal] = {}
        self._shown: str | None = None
        self._unlisted: list[Signal] = []
        self._news = asyncio.Event()
        self._lines = StdinLines(self._news.set)
        self._trace = trace_id or ""
        whole = trace_id if len(self._trace) == ID_CHARS else None
        dendrite.on_signal(*QUESTIONS, trace_id=whole, neuron=neuron)(self._asked)
        dendrite.on_signal(*ANSWERS, trace_id=whole)(self._answered)

    async def _asked(self, question: Signal) -> None:
        if not question.trace_id.startswith(self._trace):
            return
        self._open[question.id] = question
        if len(self._open) > _MAX_QUESTIONS:
            oldest = next(each for each in self._open if each != self._shown)
            del self._open[oldest]
            complain(f"over {_MAX_QUESTIONS:,} questions wait: {oldest} is left to others")
        self._unlisted.append(question)
        self._news.set()

    async def _answered(self, answer: Signal) -> None:
        if answer.parent_id is not None and self._open.pop(answer.parent_id, None) is not None:
            self._news.set()

    # -- a person --------------------------------------------------------------------------------

    async def ask_person(self) -> None:
        """Show one question after the other and read its answer; end with the input.

        Raises:
            TimeoutError: No question arrived in time.
            CosmonapseError: With `once`, the answer could not be given.
        """
        self._begin()
        while await self._until(lambda: bool(self._open) or self._is_over(), self._timeout_s):
            self._unlisted.clear()
            if not self._open:
                return
            question = next(iter(self._open.values()))
            self._shown = question.id
            self._lines.forget()
            click.echo(shown(question))
            reply = await self._typed(question)
            still_open = self._open.pop(question.id, None) is not None
            if reply is None:
                click.echo("skipped" if still_open else "another peer has answered it")
                continue
            click.echo(printable(await self._give(question, reply)))
            if self._once:
                return

    async def _typed(self, question: Signal) -> Reply | None:
        """Return the typed reply; None if the person skips it, or the question is answered."""
        if self._standing:
            return self._standing.reply_to(question)
        while True:
            click.echo(prompt_of(question), nl=False)
            await self._until(
                lambda: bool(self._lines) or self._lines.ended or question.id not in self._open
            )
            if question.id not in self._open or not self._lines:
                click.echo()
                return None
            line = self._lines.take()
            if not self._lines.typed:
                click.echo()  # a terminal has shown the line end that was typed
            try:
                return read_line(question, line)
            except BadReply as error:
                click.echo(str(error))

    async def _give(self, question: Signal, reply: Reply) -> str:
        try:
            task = await _VERBS[question.type](self._dendrite, question, **reply)
        except (CosmonapseError, TypeError) as error:
            if self._once:
                raise
            return f"not answered: {error}"
        if task is None:
            return "another peer had answered it before"
        gone = "; its caller is gone and does not wait" if _is_alone(task) else ""
        return f"{task.directed and task.directed.id} continues with {task.id}{gone}"

    # -- a tool ----------------------------------------------------------------------------------

    async def ask_tool(self) -> None:
        """Print every question as a line of JSON, and read answers as lines of JSON.

        Raises:
            TimeoutError: Neither a question nor a line arrived in time.
            CosmonapseError: With `once`, the answer could not be given.
        """
        self._begin()
        while await self._until(
            lambda: bool(self._unlisted or self._lines) or self._is_over(), self._timeout_s
        ):
            if not (self._unlisted or self._lines):
                return
            if await (self._list() if self._unlisted else self._take()) and self._once:
                return

    async def _list(self) -> bool:
        question = self._unlisted.pop(0)
        click.echo(signal_as_json(question))
        reply = self._standing.reply_to(question)
        return reply is not None and await self._give_for_tool(question, reply)

    async def _take(self) -> bool:
        line = self._lines.take()
        if not line.strip():
            return False
        id_: str | None = None
        try:
            id_, reply = read_json_line(line)
            question = self._open.get(id_)
            if question is None:
                raise BadReply("no open question has this id: it was answered, or never received")  # noqa: TRY301
            reply = checked(question, reply)
        except BadReply as error:
            click.echo(as_json({"id": id_, "error": str(error)}))
            return False
        return await self._give_for_tool(question, reply)

    async def _give_for_tool(self, question: Signal, reply: Reply) -> bool:
        self._open.pop(question.id, None)
        became: dict[str, Any] = {"id": question.id}
        try:
            task = await _VERBS[question.type](self._dendrite, question, **reply)
            became["task"] = None if task is None else task.id
            became["caller_gone"] = task is not None and _is_alone(task)
        except (CosmonapseError, TypeError) as error:
            if self._once:
                raise
            became["error"] = str(error)
        click.echo(as_json(became))
        return True

    # -- waiting ---------------------------------------------------------------------------------

    def _begin(self) -> None:
        complain(f"waiting for questions in namespace {self._dendrite.namespace}")
        if not self._standing:
            self._lines.start()

    def _is_over(self) -> bool:
        return self._lines.ended and (self._lines.typed or not self._lines)

    async def _until(self, is_so: Callable[[], bool], timeout_s: float | None = None) -> bool:
        try:
            async with asyncio.timeout(timeout_s):
                while not is_so():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise TimeoutError(f"no question within {timeout_s:g} s") from None
        return True


def _is_alone(task: Signal) -> bool:
    """Return whether a follow-up TASK was sent in place of a caller that is gone."""
    return task.meta.get("caller") == "gone"
