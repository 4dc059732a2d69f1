"""The results of a run, for programs: JSON, and CSV with a line for each figure. Pure."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from typing import Any

from .figures import Report


class _Text(list[str]):
    """As much of a file as `csv` needs."""

    write = list.append


def found(
    machine: Mapping[str, str], options: Mapping[str, Any], reports: Mapping[str, Report]
) -> dict[str, Any]:
    """Return machine, options and the facts of each kind."""
    return {
        "machine": dict(machine),
        "options": dict(options),
        "kinds": {kind: report.facts for kind, report in reports.items()},
    }


def as_json(found: Mapping[str, Any]) -> str:
    """Return it as JSON, indented."""
    return json.dumps(found, indent=2) + "\n"


def as_csv(found: Mapping[str, Any]) -> str:
    """Return a line for each figure: kind, what, value; machine and options come first."""
    text = _Text()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("kind", "what", "value"))
    for part in ("machine", "options"):
        writer.writerows((part, *line) for line in _flat(found[part]))
    for kind, facts in found["kinds"].items():
        writer.writerows((kind, *line) for line in _flat(facts))
    return "".join(text)


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, (list, tuple)):
        for number, inner in enumerate(value, start=1):
            yield from _flat(inner, f"{path}.{number}")
    else:
        yield path, value
