"""What comes back from any provider: the output, and the reading of a streamed answer. Pure."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import attrs

from .faults import Faults, parsed

Output = dict[str, Any]


def output_of(response: str, model: Any, usage: Any) -> Output:
    """Return the output of a Neuron, with usage if the provider sent it."""
    output = {"response": response, "model": model}
    return {**output, "usage": usage} if isinstance(usage, Mapping) else output


def text_of(content: Any) -> Any:
    """Return the text of `content`, which is a str, nothing, or parts of which some are text.

    Any other value is returned as it is, or raises LookupError, TypeError or AttributeError.
    """
    if isinstance(content, list):
        return "".join(part["text"] for part in content if part["type"] == "text")
    return content or ""


def whole_output(
    document: Any, find: Callable[[Any], Any], place: str, asked: Any, faults: Faults
) -> Output:
    """Return the output that a plain answer holds.

    Args:
        document: The answer.
        find: Takes the content out of it; may raise LookupError or TypeError.
        place: The place of the value, for the error text.
        asked: Which model was asked, unless the answer names the one that answered.
        faults: Makes the errors.

    Raises:
        NeuronError: PROVIDER_ERROR, the answer reports an error or has another form.
    """
    if error := faults.reported(document):
        raise error
    try:
        text = text_of(find(document))
    except (LookupError, TypeError):
        text = None
    if not isinstance(text, str):
        raise faults.malformed(place, json.dumps(document))
    return output_of(text, document.get("model") or asked, document.get("usage"))


@attrs.define
class AnswerReader(ABC):
    """Reads the events of one streamed answer; each dialect handles them in its way.

    Args:
        faults: Makes the errors.
        model: Which model was asked, until the answer names the one that answers.

    Attributes:
        ended: The last event came.
        complete: The answer is whole; some providers send no last event after it.
    """

    expected: ClassVar[str]
    _faults: Faults
    _model: Any
    ended: bool = attrs.field(default=False, init=False)
    complete: bool = attrs.field(default=False, init=False)
    _tokens: list[str] = attrs.field(factory=list, init=False)
    _usage: Any = attrs.field(default=None, init=False)

    @property
    def token_count(self) -> int:
        """Return how many pieces of text came."""
        return len(self._tokens)

    def feed(self, event: str) -> str:
        """Handle the data of one event and return the text it adds, often none.

        Raises:
            NeuronError: PROVIDER_ERROR, the event reports an error or has another form.
        """
        if self.ended or event.strip() == "[DONE]":
            self._end()
            return ""
        if not event.strip():  # a sign of life, no more
            return ""
        document = parsed(event)
        if error := self._faults.reported(document):
            raise error
        try:
            token = self._take(document)
        except (LookupError, TypeError, AttributeError):
            token = None
        if not isinstance(token, str):
            raise self._faults.malformed(f"{self.expected} in an event", event)
        if token:
            self._tokens.append(token)
        return token

    def output(self) -> Output:
        """Return the output made of all that came."""
        return output_of("".join(self._tokens), self._model, self._usage)

    def _end(self) -> None:
        self.ended = self.complete = True

    @abstractmethod
    def _take(self, document: Any) -> Any:
        """Record the facts of the event and return its text.

        Anything but a str, like a LookupError, TypeError or AttributeError, means another form.
        """
