"""Where the Neurons of model providers tell of their calls, and who listens: nobody by default.

A Neuron does not know which Dendrite runs it, and each of them may be traced elsewhere. So the
listener is a context variable that the run of a TASK sets.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import Any, NamedTuple, Protocol


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


def begun(facts: CallFacts) -> ModelCall | None:
    """Tell of a call; return it, or None if nobody listens."""
    listener = LISTENER.get()
    return None if listener is None else listener.begin(facts)
