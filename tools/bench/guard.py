"""Whether a run reached its goals and kept above its floors, as `floors.toml` names them. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

import attrs

from cosmonapse.bench.figures import Table


@attrs.frozen
class Ratio:
    """How many times as fast as another system ours is to be.

    Args:
        kind: Of the bench.
        place: Such as the number of outstanding calls.
        against: The other system.
        goal: What is aimed at; None for a ratio that is only held.
        floor: What it must not fall below; None if that is not held.
    """

    kind: str
    place: str
    against: str
    goal: float | None = None
    floor: float | None = None

    @property
    def what(self) -> str:
        """Say it in words."""
        return f"{self.kind} at {self.place}, against {self.against}"

    def measured(self, kinds: Mapping[str, Any]) -> float | None:
        """Return what a run found; None if it did not look."""
        return _at(kinds, (self.kind, self.place, "ratio", self.against))


@attrs.frozen
class Figure:
    """A figure that is to be at most, or at least, so much.

    Args:
        what: The words for it.
        path: Where it stands among the facts of the kinds.
        at_most: What it is not to exceed, if that is meant.
        at_least: What it is to reach, if that is meant.
        divided_by: What it is divided by, for the unit.
    """

    what: str
    path: tuple[str, ...] = attrs.field(converter=tuple)
    at_most: float | None = None
    at_least: float | None = None
    divided_by: float = 1.0

    def measured(self, kinds: Mapping[str, Any]) -> float | None:
        """Return what a run found; None if it did not look."""
        found = _at(kinds, self.path)
        return None if found is None else found / self.divided_by

    def is_met(self, measured: float) -> bool:
        """Tell whether that is as wanted."""
        enough = self.at_least is None or measured >= self.at_least
        return enough and (self.at_most is None or measured <= self.at_most)


@attrs.frozen
class Guard:
    """All of them."""

    ratios: tuple[Ratio, ...]
    figures: tuple[Figure, ...]

    def falls(self, kinds: Mapping[str, Any]) -> list[str]:
        """Return a line for each ratio that is below its floor; what was not measured is not."""
        found = ((ratio, ratio.measured(kinds)) for ratio in self.ratios)
        return [
            f"{ratio.what}: {measured:.3f} is below the floor of {ratio.floor:g}"
            for ratio, measured in found
            if measured is not None and ratio.floor is not None and measured < ratio.floor
        ]

    def table(self, kinds: Mapping[str, Any]) -> Table | None:
        """Return goals and what was measured; None if nothing of it was."""
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
    """Return what a file of floors says.

    Raises:
        TypeError: A key is missing, or unknown.
        tomllib.TOMLDecodeError: It is no TOML.
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
