"""The port of a type: its JSON Schema, and the check of a value. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import attrs

MAX_FINDINGS = 5
_MAX_PART_CHARS = 64
_MAX_PARTS = 16


@attrs.frozen
class Finding:
    """One thing in a value that does not fit its type; it repeats nothing of the value.

    Args:
        where: The path to it, its parts joined by dots; "" for the value itself.
        what: What is expected there.
    """

    where: str
    what: str


class Misfit(ValueError):
    """A value does not fit its type.

    Attributes:
        findings: What does not fit, at least one.
    """

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__(self.text("value"))

    def text(self, root: str) -> str:
        """Return at most five findings as one line.

        Args:
            root: What the value itself is called.
        """
        shown = [f"{each.where or root}: {each.what}" for each in self.findings[:MAX_FINDINGS]]
        left = len(self.findings) - len(shown)
        return "; ".join([*shown, f"and {left} more"] if left else shown)


class TypeCheck(Protocol):
    """A type as an Axon uses it."""

    @property
    def schema(self) -> dict[str, Any]:
        """Its JSON Schema (2020-12), as its library writes it."""

    def load(self, value: Any) -> Any:
        """Return what the type makes of a plain value.

        Raises:
            Misfit: It does not fit.
        """

    def plain(self, value: Any) -> Any:
        """Return the plain value that a value of the type, or a plain one, stands for.

        Raises:
            Misfit: It does not fit.
        """


@attrs.frozen
class ReadyMade:
    """A check in the place of a type.

    Args:
        check: The check.
    """

    check: TypeCheck


def joined(parts: Iterable[Any]) -> str:
    """Return a path as text; keys of the value are cut, and the midst of a long path."""
    shown = [str(part)[:_MAX_PART_CHARS] for part in parts]
    if len(shown) > _MAX_PARTS:
        shown[_MAX_PARTS // 2 : -_MAX_PARTS // 2] = ["…"]
    return ".".join(shown)
