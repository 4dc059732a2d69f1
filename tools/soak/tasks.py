"""The input and the right output of each kind of task. Pure: both sides compute them alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

THOUGHTS = 50
PAYLOAD_BYTES = 64 * 1024
WEIGHTS: Mapping[str, int] = {"echo": 50, "sleep": 20, "payload": 12, "child": 10, "stream": 8}
"""How often each kind is chosen, out of 100."""
CHILD = "/child"
"""Behind the id of a task: the task that it dispatches itself."""


def neuron_of(kind: str) -> str:
    """Return which Neuron does a kind of task; every worker has both."""
    return "stream" if kind == "stream" else "work"


def request(kind: str, task: str, nonce: int) -> dict[str, Any]:
    """Return the input of a task."""
    asked: dict[str, Any] = {"kind": kind, "task": task, "nonce": nonce}
    if kind == "payload":
        asked["data"] = _data(nonce)
    return asked


def wanted(kind: str, task: str, nonce: int) -> dict[str, Any]:
    """Return the right output; it names the task, so that no other output can pass for it."""
    output: dict[str, Any] = {"task": task, "nonce": nonce}
    if kind == "payload":
        output["data"] = _data(nonce)[::-1]
    elif kind == "child":
        output["child"] = {"task": task + CHILD, "nonce": nonce + 1}
    return output


def thought(task: str, number: int) -> str:
    """Return the text of one streamed thought."""
    return f"{number} of {task}"


def number_of(task: str, text: str) -> int:
    """Return the number of a thought of a task from its text; -1 for any other text."""
    number, _, whose = text.partition(" of ")
    return int(number) if whose == task and number.isdecimal() else -1


def digest(output: Mapping[str, Any]) -> str:
    """Return a short text that is the same for equal outputs only."""
    shown = repr(sorted(output.items())).encode()
    return hashlib.blake2b(shown, digest_size=8).hexdigest()


def runs(numbers: Iterable[int]) -> str:
    """Write numbers down in short, in their order: `0-2,5,4` for 0, 1, 2, 5, 4."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return ",".join(f"{first}-{last}" if last > first else f"{first}" for first, last in found)


def _data(nonce: int) -> bytes:
    return nonce.to_bytes(8, "big") * (PAYLOAD_BYTES // 8)
