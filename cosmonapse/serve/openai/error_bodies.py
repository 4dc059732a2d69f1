"""Errors in OpenAI's form, and whether its clients shall send a request again. Pure.

Source: https://platform.openai.com/docs/guides/error-codes. The clients of OpenAI repeat 408, 409,
429 and 5xx by themselves, unless the header `x-should-retry` says `false`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import attrs

from ...edge.outcomes import HttpAnswer
from ...errors import CosmonapseError

MODEL_NOT_FOUND = "model_not_found"
_KINDS = {403: "permission_error", 429: "rate_limit_error"}
_CODES = {"BAD_REQUEST": "invalid_request"}
_PARAM = re.compile(r"([A-Za-z_][\w.\[\]-]{0,127}): ").match
_QUESTION_FACTS = ("action", "scope", "reason", "target", "context")
_ONLY_ASKS = (
    "; a chat cannot answer that: use plain HTTP (POST /neurons/...), where the answer goes into "
    "the next request"
)


class ChatRefusal(CosmonapseError, ValueError):
    """A request of OpenAI's API that cannot become a task; the text is for its sender.

    Attributes:
        answer: The answer to it.
    """

    def __init__(
        self,
        text: str,
        param: str | None = None,
        code: str | None = "invalid_value",
        status: int = 400,
    ) -> None:
        super().__init__(text)
        self.answer = error_answer(status, text, code, param=param)


def error_answer(
    status: int,
    text: str,
    code: str | None,
    *,
    param: str | None = None,
    retry: bool = False,
    headers: Mapping[str, str] | None = None,
    facts: Mapping[str, Any] | None = None,
) -> HttpAnswer:
    """Return an error.

    Args:
        status: The HTTP status.
        text: What happened, and what to do.
        code: A word for programs.
        param: The part of the request that is wrong.
        retry: Whether the same request may succeed later.
        headers: Beside the one for `retry`.
        facts: Further values of the error.
    """
    kind = _KINDS.get(status) or ("invalid_request_error" if status < 500 else "server_error")
    error = {"message": text, "type": kind, "param": param, "code": code, **(facts or {})}
    told = {"x-should-retry": "true" if retry else "false", **(headers or {})}
    return HttpAnswer(status, {"error": error}, told)


class NoSuchModel(ChatRefusal):
    """No Neuron can be called so."""

    def __init__(self, model: str) -> None:
        super().__init__(model)
        self.answer = not_found(model)


def not_found(model: str) -> HttpAnswer:
    """Return the answer where no Neuron and no capability is called `model`."""
    text = (
        f"the model {model[:256]!r} does not exist: no Neuron of that id is there, and no Neuron "
        "with those capabilities; GET /v1/models lists what is there"
    )
    return error_answer(404, text, MODEL_NOT_FOUND, param="model")


def in_openai_form(answer: HttpAnswer) -> HttpAnswer:
    """Return an answer of `edge.outcomes.answer_of` in OpenAI's form."""
    body = answer.body
    code = str(body["code"])
    text = str(body["error"])
    if answer.status == 409:
        facts = {key: body[key] for key in _QUESTION_FACTS if key in body}
        wanted = body.get("action") or body.get("reason") or body.get("question")
        return error_answer(409, f"{text}: {wanted}{_ONLY_ASKS}", code, facts=facts)
    found = _PARAM(text) if code == "BAD_INPUT" else None
    told = error_answer(
        answer.status,
        text,
        _CODES.get(code, code),
        param=found.group(1) if found else None,
        retry=bool(body["retry"]),
        headers=answer.headers,
    )
    return attrs.evolve(told, log=answer.log)
