"""What `cosmo doctor` finds: one row for each thing that it looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import attrs

from ..errors import CosmonapseError, without_secrets
from ..runtime.printable import printable
from .drawing import aligned

OK: Final = "ok"
WARNING: Final = "warning"
BAD: Final = "bad"


def _plain(text: str) -> str:
    return printable(without_secrets(text))


@attrs.frozen
class Finding:
    """One row; whatever is in it, no secret key is.

    Args:
        topic: What was looked at, such as `kernel`.
        level: `ok`, `warning` or `bad`.
        says: What was found.
        fix: What to do about it; empty for nothing.
    """

    topic: str
    level: str
    says: str = attrs.field(converter=_plain)
    fix: str = attrs.field(default="", converter=_plain)


Check = Callable[[], Iterable[Finding]]


def found_by(topic: str, check: Check) -> Iterator[Finding]:
    """Yield what a check finds; one that fails is a finding too, and hurts no other."""
    try:
        yield from check()
    except CosmonapseError as error:
        yield Finding(topic, BAD, str(error))
    except Exception as error:  # noqa: BLE001  # a doctor examines what is broken
        said = f"it could not be examined: {type(error).__name__}: {error}"
        yield Finding(topic, WARNING, said)


def text_of(findings: Sequence[Finding]) -> str:
    """Return findings as aligned lines, each with what to do below it."""
    rows = aligned([(each.level, each.topic, each.says) for each in findings]).split("\n")
    behind = aligned([(each.level, each.topic, "|") for each in findings]).split("\n")[0].index("|")
    lines = []
    for row, finding in zip(rows, findings, strict=True):
        lines.append(row)
        if finding.fix:
            lines.append(f"{' ' * behind}-> {finding.fix}")
    return "\n".join([*lines, "", _summary(findings)])


def _summary(findings: Sequence[Finding]) -> str:
    bad, warnings = (sum(each.level == level for each in findings) for level in (BAD, WARNING))
    if not bad and not warnings:
        return f"all {len(findings)} things are as they should be"
    parts = [f"{bad} bad"] * bool(bad)
    parts += [f"{warnings} {'warning' if warnings == 1 else 'warnings'}"] * bool(warnings)
    return f"{', '.join(parts)} of {len(findings)} things"
