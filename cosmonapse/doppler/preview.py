"""What a payload says, on one line. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from ..signals import Signal, SignalType
from .masking import Masking

_TEXTS = ("prompt", "response", "text", "query", "content", "message", "value")


def preview(signal: Signal) -> str:
    """Return the main text of a Signal, with secrets masked and long values cut."""
    payload = Masking(shortens=True).of(signal.payload)
    say: Callable[[dict[str, Any]], str] = _SAYS.get(signal.type, _plain)
    return say(payload)


def _plain(value: Any) -> str:
    """Return the text that a value is or mainly holds, else its JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        messages = value.get("messages")
        if isinstance(messages, list) and messages and isinstance(messages[-1], dict):
            return _plain(messages[-1].get("content"))
        for key in _TEXTS:
            if isinstance(value.get(key), str) and value[key]:
                return str(value[key])
    return json.dumps(value, ensure_ascii=False)


def _of(key: str) -> Callable[[dict[str, Any]], str]:
    return lambda payload: _plain(payload.get(key, payload))


def _error(payload: dict[str, Any]) -> str:
    again = " (may be tried again)" if payload.get("recoverable") is True else ""
    return f"{_plain(payload.get('code'))}: {_plain(payload.get('message'))}{again}"


def _tool_call(payload: dict[str, Any]) -> str:
    return f"{_plain(payload.get('tool_name'))}({_plain(payload.get('args'))})"


def _tool_result(payload: dict[str, Any]) -> str:
    said = payload.get("result") if payload.get("error") is None else payload["error"]
    sign = "->" if payload.get("error") is None else "failed:"
    return f"{_plain(payload.get('tool_name'))} {sign} {_plain(said)}"


def _heartbeat(payload: dict[str, Any]) -> str:
    running, queued, lag_ms = (payload.get(key) for key in ("running", "queued", "loop_lag_ms"))
    return f"{_plain(payload.get('status'))}, running {running}, queued {queued}, lag {lag_ms} ms"


def _register(payload: dict[str, Any]) -> str:
    offered = payload.get("capabilities")
    names = ", ".join(map(str, offered)) if isinstance(offered, list) and offered else "nothing"
    return f"{_plain(payload.get('role'))}, offers {names}"


def _permission_decision(payload: dict[str, Any]) -> str:
    said = "granted" if payload.get("granted") is True else "not granted"
    return said + _after(": ", payload.get("reason"))


def _permission(payload: dict[str, Any]) -> str:
    return f"may I {_plain(payload.get('action', payload))}" + _after(": ", payload.get("scope"))


def _escalation(payload: dict[str, Any]) -> str:
    return _plain(payload.get("reason", payload)) + _after(" -> ", payload.get("target"))


def _after(sign: str, value: Any) -> str:
    """Return what a key of less importance says, behind a sign; nothing if it is not there."""
    return f"{sign}{_plain(value)}" if value else ""


_SAYS: Mapping[SignalType, Callable[[dict[str, Any]], str]] = MappingProxyType(
    {
        SignalType.TASK: _of("input"),
        SignalType.TASK_OFFER: _of("input"),
        SignalType.AGENT_OUTPUT: _of("output"),
        SignalType.FINAL: _of("result"),
        SignalType.ERROR: _error,
        SignalType.CLARIFICATION: _of("question"),
        SignalType.CLARIFICATION_ANSWER: _of("answer"),
        SignalType.PERMISSION: _permission,
        SignalType.PERMISSION_DECISION: _permission_decision,
        SignalType.ESCALATION: _escalation,
        SignalType.THOUGHT_DELTA: _of("delta"),
        SignalType.TOOL_CALL: _tool_call,
        SignalType.TOOL_RESULT: _tool_result,
        SignalType.PLAN: _of("steps"),
        SignalType.REGISTER: _register,
        SignalType.HEARTBEAT: _heartbeat,
        SignalType.DEREGISTER: _of("reason"),
    }
)
