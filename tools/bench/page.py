"""The page of measured figures: tables between two marks, prose around them."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

import zmq

from cosmonapse.bench import machine as machines
from cosmonapse.bench.children import LOOP
from cosmonapse.bench.figures import Report, Table
from cosmonapse.synapse.carriers import chosen_carrier

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "design" / "benchmarks.md"
PLOTS = PAGE.with_name("plots")
PACKAGES = ("zmq_transport", "cosmonapse")


class NoMarks(Exception):
    """The page lacks the two marks between which the tables belong."""


def machine() -> dict[str, str]:
    """Return the machine, the libraries and the commit that were measured."""
    return {
        **machines.machine(),
        "libzmq": zmq.zmq_version(),
        "loop": os.environ.get(LOOP, "asyncio"),
        "carrier": chosen_carrier(),
        "commit": _commit(),
    }


def _commit() -> str:
    head = _git("rev-parse", "--short", "HEAD")
    if head is None:
        return "unknown"
    changed = _git("status", "--porcelain", "--", *PACKAGES)
    return f"{head} and local changes" if changed else head


def _git(*arguments: str) -> str | None:
    try:
        ended = subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return ended.stdout.strip()


def rendered(
    facts: Mapping[str, str], reports: Iterable[Report], goals: Table | None = None
) -> str:
    """Return the Markdown of one run."""
    line = ", ".join(f"{name} {value}" for name, value in facts.items())
    tables = [table for report in reports for table in report.tables]
    return "\n\n".join([line, *map(str, [goals, *tables] if goals else tables)])


def write(sections: Mapping[str, str]) -> None:
    """Put sections into the page.

    Raises:
        NoMarks: It lacks the marks of one.
    """
    text = PAGE.read_text()
    for name, section in sections.items():
        text = with_section(text, name, section)
    PAGE.write_text(text)


def with_section(text: str, name: str, section: str) -> str:
    """Return `text` with another section between the marks of that name.

    Raises:
        NoMarks: They are not there, once each and in order.
    """
    begin, end = f"<!-- measured {name}: begin -->", f"<!-- measured {name}: end -->"
    marks = re.findall(f"{re.escape(begin)}|{re.escape(end)}", text)
    if marks != [begin, end]:
        raise NoMarks(f"{PAGE.name} needs the lines '{begin}' and '{end}', once each")
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n\n{section}\n\n{end}{after}"
