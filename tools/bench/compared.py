"""Tables and plots of systems side by side. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from cosmonapse.bench.figures import Plot, Table, spread

from . import cpu_time
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
        cpu_us: By place and system, the CPU time of one operation in each round, in microseconds;
            where it is known, ratios are those of CPU time within a round.
        parts: By place and system, that time by process, from `cpu_time.parts`.
    """

    systems: Sequence[System]
    places: Sequence[str]
    rates: Mapping[str, Mapping[str, Sequence[float]]]
    unit: str
    cpu_us: Mapping[str, Mapping[str, Sequence[float]]] = attrs.field(factory=dict)
    parts: Mapping[str, Mapping[str, Sequence[tuple[float, float]]]] = attrs.field(factory=dict)

    def median(self, place: str, system: str) -> float | None:
        """Return the median of the rounds; None if there were none."""
        taken = self.rates[place].get(system)
        return statistics.median(taken) if taken else None

    def ratio(self, place: str, system: str) -> float | None:
        """Return how many times the CPU time of ours the other needs; else the ratio of rates."""
        within = self.ratios(place, system)
        if within:
            return statistics.median(within)
        ours, theirs = self.median(place, OURS), self.median(place, system)
        return ours / theirs if ours and theirs else None

    def ratios(self, place: str, system: str) -> list[float]:
        """Return the ratios of CPU time, each within a round; empty if it was not measured."""
        taken = self.cpu_us.get(place, {})
        return cpu_time.ratios(taken.get(OURS, ()), taken.get(system, ()))

    def facts(self) -> dict[str, Any]:
        """Return everything, for programs."""
        key = self.unit.replace("/", "_per_").replace(" ", "_")
        facts: dict[str, Any] = {}
        for place in self.places:
            facts[place] = {
                name: {key: statistics.median(taken), f"{key}_rounds": list(taken)}
                for name, taken in self.rates[place].items()
            }
            for name, cpu in self.cpu_us.get(place, {}).items():
                facts[place][name] |= {"cpu_us": statistics.median(cpu), "cpu_us_rounds": list(cpu)}
            ratios = {each.name: self.ratio(place, each.name) for each in self._others()}
            facts[place]["ratio"] = {name: ratio for name, ratio in ratios.items() if ratio}
        return facts

    def tables(self, caption: str, of_places: str, digits: int = 0) -> tuple[Table, ...]:
        """Return the rates, and how ours compare."""
        shown = [_place(place, of_places) for place in self.places]
        rates = [
            (each.label, *(self._cell(place, each.name, digits) for place in self.places))
            for each in self.systems
        ]
        ratios = [
            (each.label, *(self._ratio(place, each.name) for place in self.places))
            for each in self._others()
        ]
        tables = [Table(caption, (self.unit, *shown), rates)]
        if self.cpu_us:
            tables.append(self._costs(shown))
        if ratios:
            tables.append(Table(self._ratio_caption(), ("cosmonapse against", *shown), ratios))
        return tuple(tables)

    def _ratio_caption(self) -> str:
        if self.cpu_us:
            return "ratio: how many times the CPU time of ours the others need, within a round"
        return f"ratio: {self.unit} of ours to those of others, of the medians"

    def _costs(self, shown: Sequence[str]) -> Table:
        rows = [
            (each.label, *(self._cost(place, each.name) for place in self.places))
            for each in self.systems
        ]
        caption = "CPU time of one: all processes (each by itself; io: threads of libzmq), medians"
        return Table(caption, ("us", *shown), rows)

    def _cost(self, place: str, system: str) -> str:
        taken = self.cpu_us.get(place, {}).get(system)
        if not taken:
            return "-"
        parts = self.parts.get(place, {}).get(system, ())
        return f"{statistics.median(taken):.1f}" + (f" ({cpu_time.shown(parts)})" if parts else "")

    def plot(self, name: str, title: str, x_title: str) -> Plot:
        """Return the medians as a plot."""
        series = {
            each.label: [self.median(place, each.name) for place in self.places]
            for each in self.systems
        }
        return Plot(name, title, x_title, self.unit, self.places, series, limits(self.systems))

    def _others(self) -> list[System]:
        return [each for each in self.systems if each.name != OURS]

    def _ratio(self, place: str, system: str) -> str:
        within = self.ratios(place, system)
        middle = _shown(self.ratio(place, system))
        return f"{middle} ({min(within):.2f} to {max(within):.2f})" if within else middle

    def _cell(self, place: str, system: str, digits: int) -> str:
        taken = self.rates[place].get(system)
        return spread(taken, digits) if taken else "-"


def limits(systems: Sequence[System]) -> frozenset[str]:
    """Return the labels of those that are limits of the machine."""
    return frozenset(each.label for each in systems if each.is_limit)


def _shown(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.3f}" if ratio < 0.1 else f"{ratio:.2f}"


def _place(place: str, of_places: str) -> str:
    """Return the head of a column: `10 subscribers, one a turn`."""
    first, comma, rest = place.partition(",")
    return f"{first} {of_places}".strip() + comma + rest if of_places else place
