"""What the processes of a soak answer when they are asked how they are, as values. Pure."""

from __future__ import annotations

import attrs


@attrs.frozen
class Probe:
    """One answer of a probe.

    Args:
        at_s: When it was there.
        name: The process.
        path: `/healthz` or `/readyz`.
        status: Of HTTP; 0 if there was no answer.
        took_s: How long it took.
        asked: What was known of the process: `ready`, `ending`, or nothing.
        text: The answer, or why there was none.
    """

    at_s: float
    name: str
    path: str
    status: int
    took_s: float
    asked: str
    text: str


@attrs.frozen
class Scrape:
    """One answer of `/metrics`.

    Args:
        at_s: When it was there.
        name: The process.
        status: Of HTTP; 0 if there was no answer.
        took_s: How long it took.
        growing: How many values it had that must not go back.
        back: Those that did since the answer before, of the same process.
        text: What was wrong with it, or empty.
        pid: Id of the process.
        tasks: How many tasks have ended there, as it says.
        asked_at_s: When it was asked.
    """

    at_s: float
    name: str
    status: int
    took_s: float
    growing: int
    back: tuple[str, ...]
    text: str
    pid: int
    tasks: float
    asked_at_s: float


@attrs.frozen
class Span:
    """One span.

    Args:
        at_s: When it started.
        who: The process.
        name: Its name.
        parent: Id of the span above it, or None.
    """

    at_s: float
    who: str
    name: str
    parent: str | None
