"""Where the Neurons of model providers tell of their calls, and who listens: nobody by default.

A Neuron does not know which Dendrite runs it, and each of them may be traced elsewhere. So the
listener is a context variable that the run of a TASK sets.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import Any, NamedTuple, Protocol
from weakref import WeakSet

_LOG = logging.getLogger(__name__)


class CallFacts(NamedTuple):
    """What is known of a call before its answer.

    Attributes:
        source: The provider, as in `Neuron(source=...)`.
        model: The model that is asked; None leaves it to the provider.
        url: Where it is asked.
        given: The input of the TASK. It is content: only for who asks for content.
    """

    source: str
    model: str | None
    url: str
    given: Any


class ModelCall(Protocol):
    """A call that was begun; ends with `answered` or `failed`."""

    def asking(self) -> AbstractContextManager[None]:
        """Return a context in which the request is sent, for an instrumented HTTP client."""

    def answered(self, output: Mapping[str, Any], response_id: str | None) -> None:
        """The answer is whole.

        Args:
            output: The output of the Neuron: `response`, `model`, `usage`, `finish_reason`.
            response_id: The id that the provider gave it.
        """

    def failed(self, error: BaseException) -> None:
        """It ended in an error, or nobody wants its answer any more."""


class ModelListener(Protocol):
    """Is told of the calls to models."""

    def begin(self, facts: CallFacts) -> ModelCall | None:
        """A call is about to be made; None if nobody wants to know of it any more."""


LISTENER: ContextVar[ModelListener | None] = ContextVar("cosmonapse_model_listener", default=None)
"""Who is told of the calls of the run around the calling code."""

_broken: WeakSet[ModelListener] = WeakSet()


def begun(facts: CallFacts) -> ModelCall | None:
    """Tell of a call; return it, or None if nobody listens.

    A listener that raises is logged once and told nothing more: an answer that was paid for counts
    for more than its span.
    """
    listener = LISTENER.get()
    if listener is None or listener in _broken:
        return None
    try:
        call = listener.begin(facts)
    except Exception as error:  # noqa: BLE001  # whatever the listener's tools raise
        _leave_out(listener, error)
        return None
    return None if call is None else _GuardedCall(listener, call)


class _GuardedCall:
    """A call whose listener cannot make it fail."""

    def __init__(self, listener: ModelListener, call: ModelCall) -> None:
        self._listener = listener
        self._call = call

    @contextlib.contextmanager
    def asking(self) -> Iterator[None]:
        entered = contextlib.ExitStack()
        self._tell(lambda: entered.enter_context(self._call.asking()))
        try:
            yield
        finally:
            self._tell(entered.close)

    def answered(self, output: Mapping[str, Any], response_id: str | None) -> None:
        self._tell(lambda: self._call.answered(output, response_id))

    def failed(self, error: BaseException) -> None:
        self._tell(lambda: self._call.failed(error))

    def _tell(self, said: Callable[[], None]) -> None:
        try:
            said()
        except Exception as error:  # noqa: BLE001  # as above
            _leave_out(self._listener, error)


def _leave_out(listener: ModelListener, error: Exception) -> None:
    if listener not in _broken:
        _broken.add(listener)
        _LOG.error(
            "%s raised, and is told nothing more about calls to models",
            type(listener).__name__,
            exc_info=error,
        )
