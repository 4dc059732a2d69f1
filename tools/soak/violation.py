"""What must not have happened. Pure."""

from __future__ import annotations

import attrs


@attrs.frozen
class Violation:
    """One violation of a rule.

    Args:
        rule: The name of the rule.
        at_s: When, on the clock of the logs.
        text: The event, the task or process, and the expectation.
    """

    rule: str
    at_s: float
    text: str
