"""Plots as SVG: lines over named places, limits dashed, readable on light and on dark. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape

import attrs

from .figures import Plot

_WIDTH, _HEIGHT = 720, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 76, 150, 56, 52
_LABEL_HEIGHT = 16
_LIMIT_ROOM = 4.0  # a limit so many times above all others no longer sets the scale
_LOG_FROM = 30.0  # times between least and most from which a linear scale hides too much
_STROKES = ("c0", "c1", "c2", "c3", "c4")
_DASHES = ("2 3", "6 4", "10 4 2 4", "1 5")
_STYLE = """
text{font:12px system-ui,sans-serif;fill:#24292f}
.title{font-size:15px;font-weight:600}.dim{fill:#6e7781}
.grid{stroke:#d0d7de;stroke-width:1}.line{fill:none;stroke-width:2;stroke-linejoin:round}
.first{stroke-width:3.5}.limit{stroke:#8c959f;stroke-width:1.5}.paper{fill:#ffffff}
.c0{stroke:#0969da}.c1{stroke:#bc4c00}.c2{stroke:#1a7f37}.c3{stroke:#8250df}.c4{stroke:#bf3989}
.d0{fill:#0969da}.d1{fill:#bc4c00}.d2{fill:#1a7f37}.d3{fill:#8250df}.d4{fill:#bf3989}
.dl{fill:#8c959f}
@media (prefers-color-scheme:dark){
text{fill:#e6edf3}.dim{fill:#9198a1}.grid{stroke:#30363d}.paper{fill:#0d1117}
.limit{stroke:#8b949e}.dl{fill:#8b949e}
.c0{stroke:#58a6ff}.c1{stroke:#f0883e}.c2{stroke:#3fb950}.c3{stroke:#bc8cff}.c4{stroke:#f778ba}
.d0{fill:#58a6ff}.d1{fill:#f0883e}.d2{fill:#3fb950}.d3{fill:#bc8cff}.d4{fill:#f778ba}
}
"""


@attrs.frozen
class Scale:
    """Where a value is on the y axis.

    Args:
        low: The value at the bottom.
        high: The value at the top.
        is_log: Whether equal ratios are equally far apart.
    """

    low: float
    high: float
    is_log: bool

    def y(self, value: float) -> float:
        """Return how far down that is, in units of the picture."""
        if self.is_log:
            part = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            part = (value - self.low) / (self.high - self.low)
        return _HEIGHT - _BOTTOM - part * (_HEIGHT - _TOP - _BOTTOM)

    def ticks(self) -> list[float]:
        """Return the values that get a line of the grid."""
        if self.is_log:
            first, last = round(math.log10(self.low)), round(math.log10(self.high))
            return [10.0**power for power in range(first, last + 1)]
        step = _step(self.high)
        return [step * number for number in range(round(self.high / step) + 1)]


def scale_of(values: Iterable[float]) -> Scale:
    """Return a scale for these values; one of ratios where they lie far apart."""
    above_zero = [value for value in values if value > 0]
    if not above_zero:
        return Scale(0.0, 1.0, False)
    low, high = min(above_zero), max(above_zero)
    if high / low < _LOG_FROM:
        step = _step(high)
        return Scale(0.0, math.ceil(high / step) * step, False)
    return Scale(10.0 ** math.floor(math.log10(low)), 10.0 ** math.ceil(math.log10(high)), True)


def _step(high: float) -> float:
    """Return a round step of which about five reach `high`."""
    power = 10.0 ** math.floor(math.log10(high / 5))
    return next(power * factor for factor in (1, 2, 5, 10) if high / (power * factor) <= 6)


def svg(plot: Plot, note: str = "") -> str:
    """Return the picture; `note` stands below the title."""
    scale = scale_of(_scaling(plot))
    classes = _classes(plot)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
        f"<title>{escape(plot.title)}</title><style>{_STYLE}</style>",
        f'<rect class="paper" width="{_WIDTH}" height="{_HEIGHT}" rx="6"/>',
        f'<clipPath id="in"><rect y="{_TOP}" width="{_WIDTH}" height="{_HEIGHT}"/></clipPath>',
        _text(_LEFT, 24, plot.title, "title", "start"),
        _text(_LEFT, 42, _subtitle(plot, scale, note), "dim", "start"),
        *_grid(scale),
        *_x_axis(plot),
        *(_line(plot, name, scale, classes[name]) for name in plot.series),
        *_labels(plot, scale, classes),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _scaling(plot: Plot) -> list[float]:
    """Return the values that set the scale: limits far above all others leave it to those."""
    others = [v for n, values in plot.series.items() if n not in plot.limits for v in values if v]
    room = max(others, default=math.inf) * _LIMIT_ROOM
    near = (v for n in plot.limits for v in plot.series.get(n, ()) if v and v <= room)
    return [*others, *near]


def _subtitle(plot: Plot, scale: Scale, note: str) -> str:
    kind = f"{plot.y_title}, logarithmic" if scale.is_log else plot.y_title
    return f"{kind}; {note}" if note else kind


def _classes(plot: Plot) -> Mapping[str, tuple[str, str, str]]:
    """Return the class of the line, of its dots, and its dashes."""
    found: dict[str, tuple[str, str, str]] = {}
    colours = dashes = 0
    for name in plot.series:
        if name in plot.limits:
            found[name] = ("limit", "dl", _DASHES[dashes % len(_DASHES)])
            dashes += 1
        else:
            number = colours % len(_STROKES)
            found[name] = (f"c{number}{' first' if not colours else ''}", f"d{number}", "")
            colours += 1
    return found


def _x(plot: Plot, number: int) -> float:
    room = _WIDTH - _LEFT - _RIGHT
    inset = 24
    return _LEFT + inset + number * (room - 2 * inset) / max(1, len(plot.places) - 1)


def _grid(scale: Scale) -> Iterable[str]:
    for value in scale.ticks():
        y = scale.y(value)
        yield (
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        )
        yield _text(_LEFT - 8, y + 4, short(value), "dim", "end")


def _x_axis(plot: Plot) -> Iterable[str]:
    for number, place in enumerate(plot.places):
        yield _text(_x(plot, number), _HEIGHT - _BOTTOM + 18, place, "", "middle")
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    yield _text(middle, _HEIGHT - 12, plot.x_title, "dim", "middle")


def _line(plot: Plot, name: str, scale: Scale, classes: tuple[str, str, str]) -> str:
    stroke, dot, dashes = classes
    points = [
        (_x(plot, number), scale.y(value))
        for number, value in enumerate(plot.series[name])
        if value
    ]
    shown = [(x, y) for x, y in points if y >= _TOP]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    dots = "".join(f'<circle class="{dot}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in shown)
    line = f'<polyline class="line {stroke}" clip-path="url(#in)" points="{path}"{dashed}/>'
    return line + dots


def _labels(plot: Plot, scale: Scale, classes: Mapping[str, tuple[str, str, str]]) -> Iterable[str]:
    """Yield the name of each line at its end; one that ends above the picture with its value."""
    last = {name: values[-1] for name, values in plot.series.items() if values and values[-1]}
    ends = {name: max(float(_TOP), scale.y(value or 0.0)) for name, value in last.items()}
    above = {name: value for name, value in last.items() if value and value > scale.high}
    names = sorted(ends, key=ends.__getitem__)
    for name, y in zip(names, apart([ends[name] for name in names], _LABEL_HEIGHT), strict=True):
        shown = f"{name} \u2191 {short(float(f'{above[name]:.2g}'))}" if name in above else name
        yield _text(_WIDTH - _RIGHT + 8, y + 4, shown, classes[name][1], "start")


def apart(ys: Sequence[float], least: float) -> list[float]:
    """Return rising places as they are, or pushed down so that they are `least` apart."""
    placed: list[float] = []
    for y in ys:
        placed.append(max(y, placed[-1] + least) if placed else y)
    over = max(0.0, placed[-1] - (_HEIGHT - _BOTTOM)) if placed else 0.0
    return [y - over for y in placed]


def _text(x: float, y: float, text: str, kind: str, anchor: str) -> str:
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
    )


def short(value: float) -> str:
    """Return a number in few characters: 1.5k, 20M, 0.01."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"
