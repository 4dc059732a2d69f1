"""What comes back from any provider: the output, and the reading of a streamed answer. Pure."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import attrs

from .characters import CharacterJoiner, valid
from .endings import FAILURES, TOOL_CALLS, finish_reason, told_reason
from .faults import Faults, parsed
from .sse import ServerEvent
from .tool_calls import CallPart, assembled

Output = dict[str, Any]
Message = dict[str, Any]
"""One message of a conversation, in the form of its provider."""
OUTPUT_TEXT_KEYS = ("response", "text", "content", "answer", "value")
"""Where an output may have its text; the first key counts."""
CALLS = "calls"
"""The key of the calls of tools in an output, for a loop that takes them out."""


class Piece(NamedTuple):
    """A piece of a streamed answer. A tuple: each token makes one.

    Args:
        text: The text.
        is_reasoning: Whether it is reasoning, which is no part of the response.
    """

    text: str
    is_reasoning: bool = False


class Answer(NamedTuple):
    """The content of an answer, or of one event of a streamed one. A tuple: each token makes one.

    Args:
        text: The response.
        reasoning: The reasoning of the model.
        refusal: Its words when it refuses.
        calls: The tools that it calls, whole or in parts.
        reason: Why it ended, in the provider's word.
        model: Which model answers.
        usage: Its cost, in the provider's words.
    """

    text: str = ""
    reasoning: str = ""
    refusal: str = ""
    calls: tuple[CallPart, ...] = ()
    reason: str | None = None
    model: Any = None
    usage: Any = None


def output_of(answer: Answer, faults: Faults, runs_tools: bool = False) -> Output:
    """Return the output of a Neuron for a whole answer; `usage` and `reasoning` only if told.

    Args:
        answer: The answer.
        faults: Makes the errors.
        runs_tools: Whether the tools that it calls are run: they are under `CALLS` then.

    Raises:
        NeuronError: PROVIDER_ERROR, it was refused, filtered, failed, or only calls tools.
    """
    reason = finish_reason(answer.reason)
    if answer.refusal or reason in FAILURES:
        raise faults.failed_end(reason, answer.reason, answer.refusal, answer.text)
    calls = tuple(call for call in assembled(answer.calls) if call.name)
    if not answer.text.strip() and (calls or reason == TOOL_CALLS) and not (calls and runs_tools):
        raise faults.only_tools(tuple(call.name for call in calls), runs_tools)
    model = valid(answer.model) if isinstance(answer.model, str) else None
    output: Output = {"response": valid(answer.text), "model": model, "finish_reason": reason}
    if answer.reason != reason:
        output["native_finish_reason"] = answer.reason
    if answer.reasoning:
        output["reasoning"] = valid(answer.reasoning)
    if isinstance(answer.usage, Mapping):
        output["usage"] = _valid_values(answer.usage)
    if calls and runs_tools:
        output[CALLS] = calls
    return output


def _valid_values(usage: Mapping[str, Any]) -> Any:
    text = json.dumps(usage, ensure_ascii=False)
    return usage if text.isascii() else json.loads(valid(text))


def text_of(content: Any) -> str:
    """Return the text of `content`, which is a str, nothing, or parts of which some are text.

    Raises:
        LookupError, TypeError, AttributeError: It has another form.
    """
    if isinstance(content, list):
        content = "".join(part["text"] for part in content if part["type"] == "text")
    if not isinstance(content, str) and content:
        raise TypeError(f"the content is a {type(content).__name__}")
    return content or ""


def str_of(value: Any) -> str:
    """Return `value` if it is a str, else ""."""
    return value if isinstance(value, str) else ""


def read_whole(document: Any, read: Any, place: str, faults: Faults) -> Answer:
    """Return the content of a plain answer.

    Args:
        document: The answer.
        read: Takes an Answer out of it; may raise LookupError, TypeError or AttributeError.
        place: The place of the content, for the error text.
        faults: Makes the errors.

    Raises:
        NeuronError: PROVIDER_ERROR, the answer reports an error or has another form.
    """
    if error := faults.reported(document):
        raise error
    try:
        answer: Answer = read(document)
    except (LookupError, TypeError, AttributeError):
        raise faults.malformed(place, json.dumps(document)) from None
    return answer


@attrs.define
class AnswerReader(ABC):
    """Reads the events of one streamed answer; each dialect handles them in its way.

    Args:
        faults: Makes the errors.
        model: Which model was asked, until the answer names the one that answers.

    Attributes:
        ended: The last event came.
        piece_count: How many pieces came.
        response_id: The id that the provider gave the answer.
    """

    expected: ClassVar[str]
    _faults: Faults
    _model: Any
    ended: bool = attrs.field(default=False, init=False)
    piece_count: int = attrs.field(default=0, init=False)
    response_id: str | None = attrs.field(default=None, init=False)
    _texts: list[str] = attrs.field(factory=list, init=False)
    _refusal: str = attrs.field(default="", init=False)
    _calls: list[CallPart] = attrs.field(factory=list, init=False)
    _reason: str | None = attrs.field(default=None, init=False)
    _usage: Any = attrs.field(default=None, init=False)
    _text_joiner: CharacterJoiner = attrs.field(factory=CharacterJoiner, init=False)
    _reasoning_joiner: CharacterJoiner = attrs.field(factory=CharacterJoiner, init=False)

    @property
    def complete(self) -> bool:
        """Return whether the answer is whole: only a reason for its end says so."""
        return self._reason is not None

    def feed(self, event: ServerEvent) -> list[Piece]:
        """Handle one event and return the pieces that it adds, often none.

        Raises:
            NeuronError: PROVIDER_ERROR, the event reports an error or has another form.
        """
        data = event.data.strip()
        if self.ended or not data:  # a sign of life, no more
            return []
        if data == "[DONE]":
            self.ended = True
            return []
        if event.name == "error":
            raise self._faults.said(data)
        document = parsed(data)
        if self.response_id is None:
            self.response_id = response_id_in(document)
        if error := self._faults.reported(document):
            raise error
        try:
            answer = self._take(document)
        except (LookupError, TypeError, AttributeError):
            raise self._faults.malformed(f"{self.expected} in an event", event.data) from None
        return self._add(answer)

    def end(self) -> list[Piece]:
        """Return U+FFFD for a character that was cut and never completed."""
        return self._pieces(self._reasoning_joiner.end(), self._text_joiner.end())

    def output(self, runs_tools: bool = False) -> Output:
        """Return the output made of all that came, without the reasoning.

        Args:
            runs_tools: See `output_of`.

        Raises:
            NeuronError: See `output_of`.
        """
        answer = Answer(
            text="".join(self._texts),
            refusal=self._refusal,
            calls=tuple(self._calls),
            reason=self._reason,
            model=self._model,
            usage=self._usage,
        )
        return output_of(answer, self._faults, runs_tools)

    def _add(self, answer: Answer) -> list[Piece]:
        text, reasoning, refusal, calls, reason, model, usage = answer
        self._model = model or self._model
        self._usage = usage or self._usage
        self._reason = reason or self._reason
        self._refusal += refusal
        self._calls += calls
        return self._pieces(self._reasoning_joiner.join(reasoning), self._text_joiner.join(text))

    def _pieces(self, reasoning: str, text: str) -> list[Piece]:
        pieces = [Piece(reasoning, is_reasoning=True)] if reasoning else []
        if text:
            self._texts.append(text)
            pieces.append(Piece(text))
        self.piece_count += len(pieces)
        return pieces

    @abstractmethod
    def _take(self, document: Any) -> Answer:
        """Return the content of the event.

        A LookupError, TypeError or AttributeError means another form.
        """


def reason_in(part: Any, key: str) -> str | None:
    """Return the reason that `part`, a dict, holds under `key`."""
    return told_reason(part.get(key))


def response_id_in(document: Any) -> str | None:
    """Return the id in an answer, or in one event of a streamed one."""
    if not isinstance(document, Mapping):
        return None
    told = document.get("id")
    if told is None and isinstance(document.get("message"), Mapping):
        told = document["message"].get("id")
    return told if isinstance(told, str) and told else None
