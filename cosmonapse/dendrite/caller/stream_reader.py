"""The replies of a task before its last one: to its Pathway and to the handlers.

Spec: docs/spec/03-routing.md, "Runs"; docs/spec/07-signals.md, "Runs of thoughts". Where nobody
looks at a Signal none is made: a Pathway stores texts.
"""

from __future__ import annotations

from collections import Counter

from ... import kernel
from ...errors import BadSignal
from ...signals import TYPE_OF_CODE, SignalType
from ...telemetry.task_observer import Observers
from ..watch.subscriptions import Subscriptions
from .open_tasks import OpenTask
from .pathway_feed import PathwayFeed

_THOUGHT = SignalType.THOUGHT_DELTA


class StreamReader:
    """Passes on what a task says while it runs.

    Args:
        subscriptions: The handlers that receive copies of our own traffic.
        counts: The counters of the caller's side.

    Attributes:
        observer: Is told about every task.
    """

    def __init__(self, subscriptions: Subscriptions, counts: Counter[str]) -> None:
        self._subscriptions = subscriptions
        self._senders = subscriptions.senders
        self._counts = counts
        self.observer: Observers | None = None

    def take(self, opened: OpenTask, kind: int, body: bytes) -> None:
        """Pass on a reply; count one that is no Signal."""
        pathway, is_watched = _pathway_of(opened), self._is_watched(opened, kind)
        if self.observer is not None and kind == _THOUGHT.code:
            self._tell_of_thought(self.observer, opened)
        if not is_watched:
            if pathway is None:
                return
            text = kernel.thought_text(body) if kind == _THOUGHT.code else None
            if text is not None:
                pathway.take_thoughts(body, [text], 0, self._senders.name_of(opened.worker))
                return
        try:
            signal = kernel.decode_signal(body)
        except BadSignal:
            self._counts["drop.bad_signal"] += 1
            return
        if self._senders.have_names:
            self._senders.mark(signal, opened.worker)
        if pathway is not None:
            pathway.take(signal, len(body))
        if is_watched:
            self._subscriptions.feed_reply(signal)

    def take_run(self, opened: OpenTask, body: bytes, texts: list[str], had: int) -> None:
        """Pass on the replies of a run, but the first `had` of them."""
        pathway = _pathway_of(opened)
        if self.observer is not None:
            self._tell_of_thought(self.observer, opened)
        if not self._is_watched(opened, _THOUGHT.code):
            if pathway is not None:
                pathway.take_thoughts(body, texts, had, self._senders.name_of(opened.worker))
            return
        for signal in kernel.run_signals(body)[had:]:
            if self._senders.have_names:
                self._senders.mark(signal, opened.worker)
            if pathway is not None:
                pathway.take(signal, len(body) // len(texts))
            self._subscriptions.feed(signal)

    def _tell_of_thought(self, observer: Observers, opened: OpenTask) -> None:
        if not opened.has_thought:
            opened.has_thought = True
            observer.on_first_thought(opened)

    def _is_watched(self, opened: OpenTask, kind: int) -> bool:
        subscriptions = self._subscriptions
        return subscriptions.watches_tasks and subscriptions.may_want(
            TYPE_OF_CODE.get(kind), opened.signal.trace_id
        )


def _pathway_of(opened: OpenTask) -> PathwayFeed | None:
    """Return the Pathway that follows this one task, if there is any."""
    pathway: PathwayFeed | None = opened.pathway
    return pathway if pathway is not None and pathway.scope == "all" else None
