"""Check that the API pages of a built site hold every public name and every public member."""

from __future__ import annotations

import enum
import importlib
from collections.abc import Iterator
from pathlib import Path

from .links import read_page

PACKAGES = ("cosmonapse", "zmq_transport")


def faults(site: Path) -> Iterator[str]:
    """Yield one line for each public name or member without an entry."""
    anchors: set[str] = set()
    for path in (site / "api").glob("*.html"):
        anchors |= read_page(path.read_text()).anchors
    for package in PACKAGES:
        module = importlib.import_module(package)
        for name in module.__all__:
            value = getattr(module, name)
            entries = [f"{package}.{name}"]
            if isinstance(value, type):
                entries += [f"{package}.{name}.{each}" for each in members(value)]
            yield from (f"the API lacks {entry}" for entry in entries if entry not in anchors)


def members(cls: type) -> list[str]:
    """Return the public members that a class of ours has, its own and inherited ones of ours."""
    ours = [base for base in cls.__mro__ if base.__module__.split(".")[0] in PACKAGES]
    names = {name: value for base in ours for name, value in vars(base).items()}
    return sorted(
        name
        for name, value in names.items()
        if not name.startswith("_") and not is_field(value) and getattr(value, "__doc__", None)
    )


def is_field(value: object) -> bool:
    """Return whether a value is data: its class lists it among its attributes."""
    return isinstance(value, (int, str, enum.Enum)) or type(value).__name__ == "_tuplegetter"
