"""Whether a run reached its goals and kept above its floors, as `floors.toml` names them. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

import attrs

from cosmonapse.bench.figures import Table


@attrs.frozen
class Ratio:
    """The ratio of our speed to that of another system.

    Args:
        kind: Of the bench.
        place: Such as the number of outstanding calls.
        against: The other system.
        goal: The ratio that is wanted; None if it has only a floor.
        floor: The lowest ratio that is accepted; None without a floor.
    """

    kind: str
    place: str
    against: str
    goal: float | None = None
    floor: float | None = None

    @property
    def what(self) -> str:
        """Return it in words."""
        return f"{self.kind} at {self.place}, against {self.against}"

    def measured(self, kinds: Mapping[str, Any]) -> float | None:
        """Return the value of a run; None if it was not measured."""
        return _at(kinds, (self.kind, self.place, "ratio", self.against))


@attrs.frozen
class Figure:
    """A figure with an upper or a lower limit.

    Args:
        what: Its name in words.
        path: Where it stands among the facts of the kinds.
        at_most: Its upper limit, if it has one.
        at_least: Its lower limit, if it has one.
        divided_by: The divisor for its unit.
    """

    what: str
    path: tuple[str, ...] = attrs.field(converter=tuple)
    at_most: float | None = None
    at_least: float | None = None
    divided_by: float = 1.0

    def measured(self, kinds: Mapping[str, Any]) -> float | None:
        """Return the value of a run; None if it was not measured."""
        found = _at(kinds, self.path)
        return None if found is None else found / self.divided_by

    def is_met(self, measured: float) -> bool:
        """Return whether the value is within the limit."""
        enough = self.at_least is None or measured >= self.at_least
        return enough and (self.at_most is None or measured <= self.at_most)


@attrs.frozen
class Guard:
    """All ratios and figures."""

    ratios: tuple[Ratio, ...]
    figures: tuple[Figure, ...]

    def falls(self, kinds: Mapping[str, Any]) -> list[str]:
        """Return a line for each measured ratio that is below its floor."""
        found = ((ratio, ratio.measured(kinds)) for ratio in self.ratios)
        return [
            f"{ratio.what}: {measured:.3f} is below the floor of {ratio.floor:g}"
            for ratio, measured in found
            if measured is not None and ratio.floor is not None and measured < ratio.floor
        ]

    def table(self, kinds: Mapping[str, Any]) -> Table | None:
        """Return goals and measured values; None if none of them was measured."""
        rows = []
        for ratio in self.ratios:
            measured = ratio.measured(kinds)
            if measured is not None and ratio.goal is not None:
                reached = measured >= ratio.goal
                goal = f">= {ratio.goal:g}"
                rows.append((ratio.what, goal, _number(measured), _word(reached)))
        for figure in self.figures:
            if (measured := figure.measured(kinds)) is not None:
                goals = ((">=", figure.at_least), ("<=", figure.at_most))
                goal = " ".join(f"{sign} {value:,g}" for sign, value in goals if value is not None)
                reached = figure.is_met(measured)
                rows.append((figure.what, goal, _number(measured), _word(reached)))
        head = ("goal", "wanted", "measured", "reached")
        return Table("goals: of a run pinned to one core", head, rows) if rows else None


def read(text: str) -> Guard:
    """Return the ratios and figures of a file of floors.

    Raises:
        TypeError: A key is missing, or unknown.
        tomllib.TOMLDecodeError: It is not TOML.
    """
    said = tomllib.loads(text)
    return Guard(
        tuple(Ratio(**each) for each in said.get("ratio", ())),
        tuple(Figure(**each) for each in said.get("figure", ())),
    )


def _at(facts: Any, path: tuple[str, ...]) -> float | None:
    for key in path:
        if not isinstance(facts, Mapping) or key not in facts:
            return None
        facts = facts[key]
    return float(facts)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _word(reached: bool) -> str:
    return "yes" if reached else "no"
