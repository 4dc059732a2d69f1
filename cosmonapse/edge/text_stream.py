"""A streamed task for code without asyncio: its texts, one after the other, and its outcome."""

from __future__ import annotations

import concurrent.futures
import contextlib
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

from ..errors import DendriteProtocolError
from ..payloads import response_text
from ..signals import Signal, SignalType
from .loop_thread import LoopThread
from .reader import SignalReader

_CLOSE_S = 5.0


class TextStream:
    """The stream of a task. Iterate over it for its texts; from one thread at a time.

    Ending it early (`close`, leaving its `with`, or dropping the last reference) cancels the task.
    Unread Signals are bounded by its Pathway: 65,536 and 64 MiB; the oldest are dropped first, and
    `missed` counts them.

    Attributes:
        trace_id: The workflow.
        reply: The Signal that settled the task, once everything was read; else None.
    """

    def __init__(self, reader: SignalReader, thread: LoopThread) -> None:
        self.trace_id = reader.pathway.trace_id
        self.reply: Signal | None = None
        self._reader = reader
        self._thread = thread
        self._closed = False

    def __iter__(self) -> Self:
        """Return itself."""
        return self

    def __next__(self) -> str:
        """Return the next text.

        Raises:
            StopIteration: The task ended with an output; see `output`.
            NeuronError: It ended with an ERROR.
            NeedsAnswer: It ended with a question without an answer.
            TimeoutError: It did not end in time.
            DendriteProtocolError: The Dendrite was stopped before the end.
        """
        for signal in self.signals():
            if (text := response_text(signal)) is not None:
                return text
        self.check()
        raise StopIteration

    def signals(self) -> Iterator[Signal]:
        """Yield every Signal of the task, the one that settles it last.

        It begins at the next unread Signal; iterating over texts continues where it stops.
        """
        while (signal := self.next_signal()) is not None:
            yield signal

    def next_signal(self) -> Signal | None:
        """Wait for the next Signal and return it; None at the end.

        Raises:
            DendriteProtocolError: The Dendrite was stopped before the end.
        """
        if self._closed:
            return None
        self.wait(None)
        signal: Signal | None = None
        try:
            signal = self._reader.take()
        finally:
            if signal is None:
                self.reply = self._reader.reply
                self.close()
        return signal

    def wait(self, timeout_s: float | None) -> bool:
        """Wait until `next_signal` returns at once; return False after `timeout_s` seconds.

        None waits without a limit.
        """
        if self._closed or self._reader.is_ahead:
            return True
        try:
            return self._thread.run(lambda: self._reader.wait(timeout_s))
        except BaseException:  # stopped, or interrupted from the keyboard
            self.close()
            raise

    def refusal(self, timeout_s: float) -> Signal | None:
        """Return the ERROR or the question that is the only Signal of the task, if it comes soon.

        It removes no Signal from the stream, and waits at most twice `timeout_s` seconds.
        """
        return None if self._closed else self._thread.run(lambda: self._reader.refusal(timeout_s))

    @property
    def missed(self) -> int:
        """How many Signals were dropped before the one read last: this reader is slow."""
        return self._reader.missed

    @property
    def output(self) -> dict[str, Any]:
        """The output of the task, after the end.

        Raises:
            NeuronError: It ended with an ERROR.
            NeedsAnswer: It ended with a question.
            TimeoutError: It did not end in time.
            DendriteProtocolError: It was not read to its end, or was closed before.
        """
        if self.reply is None:
            raise DendriteProtocolError("this stream has no output yet: read it to the end first")
        self.check()
        return self.reply.output

    def check(self) -> None:
        """Raise the error or the question that ended the task, if one did; see `output`."""
        if self.reply is None:
            return
        payload = self.reply.payload
        if self.reply.type is SignalType.ERROR and payload.get("code") == "EXPIRED":
            raise TimeoutError(f"{payload.get('message')}; its trace is {self.trace_id}")
        _ = self.reply.output

    def close(self) -> None:
        """Cancel the task if it still runs; return when the cancellation is sent. Idempotent.

        On the Dendrite's own thread it does not wait.
        """
        if self._closed:
            return
        self._closed = True
        if self._thread.is_here:
            self._thread.post(self._reader.close)
            return
        with contextlib.suppress(DendriteProtocolError, concurrent.futures.CancelledError):
            # the Dendrite is stopped, and the task with it; or we are a fork, and it is not ours
            concurrent.futures.wait([self._thread.submit(self._reader.close)], _CLOSE_S)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def __del__(self) -> None:
        """Cancel the task of a stream without references."""
        if not getattr(self, "_closed", True):
            self._thread.post(self._reader.close)
