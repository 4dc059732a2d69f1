"""Tables and plots of systems side by side. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from cosmonapse.bench.figures import Plot, Table, spread

from .systems.system import System

OURS = "fabric"


@attrs.frozen
class Compared:
    """The rates of systems at several places, round by round.

    Args:
        systems: The ones measured, ours first.
        places: The names of the places, such as numbers of outstanding calls.
        rates: By place and system, those of all rounds; a system may lack a place.
        unit: Of the rates.
    """

    systems: Sequence[System]
    places: Sequence[str]
    rates: Mapping[str, Mapping[str, Sequence[float]]]
    unit: str

    def median(self, place: str, system: str) -> float | None:
        """Return the median of the rounds; None if there were none."""
        taken = self.rates[place].get(system)
        return statistics.median(taken) if taken else None

    def ratio(self, place: str, system: str) -> float | None:
        """Return how many times as fast ours was."""
        ours, theirs = self.median(place, OURS), self.median(place, system)
        return ours / theirs if ours and theirs else None

    def facts(self) -> dict[str, Any]:
        """Return everything, for programs."""
        key = self.unit.replace("/", "_per_").replace(" ", "_")
        facts: dict[str, Any] = {}
        for place in self.places:
            facts[place] = {
                name: {key: statistics.median(taken), f"{key}_rounds": list(taken)}
                for name, taken in self.rates[place].items()
            }
            ratios = {each.name: self.ratio(place, each.name) for each in self._others()}
            facts[place]["ratio"] = {name: ratio for name, ratio in ratios.items() if ratio}
        return facts

    def tables(self, caption: str, of_places: str, digits: int = 0) -> tuple[Table, ...]:
        """Return the rates, and how ours compare."""
        shown = [f"{place} {of_places}".strip() for place in self.places]
        rates = [
            (each.label, *(self._cell(place, each.name, digits) for place in self.places))
            for each in self.systems
        ]
        ratios = [
            (each.label, *(_shown(self.ratio(place, each.name)) for place in self.places))
            for each in self._others()
        ]
        tables = (Table(caption, (self.unit, *shown), rates),)
        if not ratios:
            return tables
        caption = f"ratio: {self.unit} of ours to those of others, of the medians"
        return (*tables, Table(caption, ("cosmonapse against", *shown), ratios))

    def plot(self, name: str, title: str, x_title: str) -> Plot:
        """Return the medians as a plot."""
        series = {
            each.label: [self.median(place, each.name) for place in self.places]
            for each in self.systems
        }
        return Plot(name, title, x_title, self.unit, self.places, series, limits(self.systems))

    def _others(self) -> list[System]:
        return [each for each in self.systems if each.name != OURS]

    def _cell(self, place: str, system: str, digits: int) -> str:
        taken = self.rates[place].get(system)
        return spread(taken, digits) if taken else "-"


def limits(systems: Sequence[System]) -> frozenset[str]:
    """Return the labels of those that are limits of the machine."""
    return frozenset(each.label for each in systems if each.is_limit)


def _shown(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.3f}" if ratio < 0.1 else f"{ratio:.2f}"
