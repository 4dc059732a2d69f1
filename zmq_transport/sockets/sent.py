"""The outcome of one non-blocking send. Spec: docs/spec/08-port.md. Pure."""

from __future__ import annotations

import enum


class Sent(enum.Enum):
    """The outcome of a send."""

    OK = enum.auto()
    BUSY = enum.auto()
    UNREACHABLE = enum.auto()
