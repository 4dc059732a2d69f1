"""The pieces of a streamed chat completion, Signals in and bytes out. Pure.

Source: https://platform.openai.com/docs/api-reference/chat-streaming. All that is the same in each
piece of a stream is written once; a token costs the writing of its text. Texts that arrive together
leave in one piece, so a slow client gets few large pieces instead of a long queue.
"""

from __future__ import annotations

import json
from json.encoder import encode_basestring as quoted
from typing import Any

from ...edge.outcomes import HttpAnswer, answer_of, to_json
from ...payloads import REASONING
from ...signals import QUESTIONS, Signal, SignalType
from .completions import Said, said_by
from .error_bodies import error_answer, in_openai_form

KEEP_ALIVE = b": keep-alive\n\n"
DONE = b"data: [DONE]\n\n"
_CUT_OFF = (
    "this gateway has ended before the answer: the task is cancelled, and may have run in part"
)
_CONTENT, _REASONING = "content", "reasoning_content"
_SETTLING = frozenset({SignalType.AGENT_OUTPUT, SignalType.FINAL, SignalType.ERROR, *QUESTIONS})


class ChatChunks:
    """Writes one stream.

    Args:
        completion_id: The id of the answer.
        created: When it was asked for, in whole seconds UTC.
        model: The model, in the words of the client.
        include_usage: Whether a last piece tells the usage.
    """

    def __init__(
        self, completion_id: str, created: int, model: str, include_usage: bool = False
    ) -> None:
        head = {
            "id": completion_id,
            "object": "chat.completion.chunk",
            "created": created,
            "model": model,
        }
        self._head = f'data: {_compact(head)[:-1]},"choices":['
        self._before = self._head + '{"index":0,"delta":{"'
        self._include_usage = include_usage
        self._said: list[str] = []
        self._has_reasoned = False
        self._waiting: list[str] = []
        self._kind = _CONTENT
        self._out: list[str] = []
        self._settled: Signal | None = None

    def opening(self) -> bytes:
        """Return the piece that says who speaks; it holds no text."""
        told = 'role":"assistant","content":""},"finish_reason":null}]}'
        return _bytes(f"{self._before}{told}\n\n")

    def take(self, signal: Signal) -> None:
        """Take a Signal of the task, in order; `pop` returns what it makes."""
        if signal.type is SignalType.THOUGHT_DELTA:
            payload = signal.payload
            is_reasoning = payload.get("kind") == REASONING
            self._add(_REASONING if is_reasoning else _CONTENT, str(payload.get("delta", "")))
        elif signal.type in _SETTLING:
            self._settled = signal

    def pop(self) -> bytes:
        """Return the pieces for all that was taken since the last call; often one, or none."""
        self._flush()
        out, self._out = self._out, []
        return _bytes("".join(out))

    def end(self, is_cut: bool = False) -> bytes:
        """Return the last pieces: what the output adds, why it ended, the usage; or the error.

        Args:
            is_cut: Whether the gateway ended the task, so that its ERROR is no news of the Neuron.
        """
        settled = self._settled
        if settled is None or (is_cut and settled.type is SignalType.ERROR):
            return self.cut_off()
        if settled.type is SignalType.ERROR or _is_unanswerable(settled):
            return self.error(in_openai_form(answer_of(settled)))
        said = said_by(settled)
        self._finish(said)
        return self.pop() + DONE

    def cut_off(self) -> bytes:
        """Return the last pieces where the gateway ends before the task does."""
        return self.error(error_answer(503, _CUT_OFF, "NOT_READY"))

    def error(self, answer: HttpAnswer) -> bytes:
        """Return the last pieces where the task fails after the first bytes were sent."""
        return self.pop() + b"data: " + to_json(answer.body) + b"\n\n"

    def _add(self, kind: str, text: str) -> None:
        if not text:
            return
        if kind != self._kind:
            self._flush()
            self._kind = kind
        self._waiting.append(text)
        if kind is _CONTENT:
            self._said.append(text)
        else:
            self._has_reasoned = True

    def _flush(self) -> None:
        if self._waiting:
            text = quoted("".join(self._waiting))
            self._out.append(f'{self._before}{self._kind}":{text}}},"finish_reason":null}}]}}\n\n')
            self._waiting.clear()

    def _finish(self, said: Said) -> None:
        if said.reasoning and not self._has_reasoned:
            self._add(_REASONING, said.reasoning)
        self._add(_CONTENT, self._rest_of(said))
        self._flush()
        if said.tool_calls:
            calls = [{"index": at, **call} for at, call in enumerate(said.tool_calls)]
            self._put({"index": 0, "delta": {"tool_calls": calls}, "finish_reason": None})
        self._put({"index": 0, "delta": {}, "finish_reason": said.reason})
        if self._include_usage:
            self._out.append(f'{self._head}],"usage":{_compact(said.usage)}}}\n\n')

    def _rest_of(self, said: Said) -> str:
        """Return what the text of the output adds to the texts that were streamed.

        Thoughts that are no part of it were said on the way: the whole answer follows them.
        """
        streamed = "".join(self._said)
        if not streamed:
            return said.text or ""
        if not said.is_text or said.text is None:
            return ""
        if said.text.startswith(streamed):
            return said.text[len(streamed) :]
        if said.text.strip() in ("", streamed.strip()):
            return ""
        return "\n\n" + said.text

    def _put(self, choice: dict[str, Any]) -> None:
        self._out.append(f"{self._head}{_compact(choice)}]}}\n\n")


def _is_unanswerable(signal: Signal) -> bool:
    return signal.type in QUESTIONS and signal.type is not SignalType.CLARIFICATION


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")
