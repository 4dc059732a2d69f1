"""What Prism remembers as a recording: `GET /api/recording`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

from ..recordings.lines import Header, end_line, header_line, link_line, signal_line, table_line
from ..recordings.tables import Record
from ..registry import NeuronRecord
from .ring import Ring

MOST_ROSTERS = 30
"""So often the roster is written for those that left; of more, several leave at a time."""
_AT_ONCE = 250
_BEFORE_S = 2.0
"""So long before the first one left the recording begins: a replay looks each second."""


async def remembered(
    header: Header,
    ring: Ring,
    tables: Mapping[str, Sequence[Record]],
    now_ts: float,
    left: Sequence[tuple[float, NeuronRecord]] = (),
) -> AsyncIterator[bytes]:
    """Yield the lines of a recording of the Signals that are kept, secrets masked.

    Args:
        header: Its first line; what it says of the beginning does not count.
        ring: The Signals that are kept.
        tables: What the Synapse told last, by names of `TABLES`.
        now_ts: The end of the recording.
        left: The Neurons that are not in its roster any more, with the time of each.
    """
    last, at = ring.last, ring.first - 1
    first = ring.after(at, 1)
    left = sorted(left, key=lambda each: each[0])
    began_ts = first[0].at_ts if first else now_ts
    told, rosters = dict(tables), _rosters(tables.get("roster", ()), left)
    if left:
        began_ts = min(began_ts, left[0][0] - _BEFORE_S)
        told["roster"] = rosters.pop(0)[1]
    head = Header(header.namespace, header.url, header.release, began_ts)
    lines = [header_line(head), link_line(began_ts, True, None)]
    lines += [table_line(began_ts, name, records) for name, records in told.items()]
    yield "".join(lines).encode()
    signals = 0
    while at < last:
        kept = [each for each in ring.after(at, _AT_ONCE) if each.number <= last]
        if not kept:
            break
        at = kept[-1].number
        signals += len(kept)
        lines = []
        for each in kept:
            lines += _due(rosters, each.at_ts)
            lines.append(signal_line(each.at_ts, each.decoded(), masks=True))
        yield "".join(lines).encode()
        await asyncio.sleep(0)  # new Signals must not wait for old ones
    lines = _due(rosters, now_ts)
    yield "".join((*lines, end_line(now_ts, signals))).encode()


def _rosters(
    here: Sequence[Record], left: Sequence[tuple[float, NeuronRecord]]
) -> list[tuple[float, list[Record]]]:
    """Return rosters with their times: one with all, and one after each; [] if nobody left."""
    if not left:
        return []
    step = -(-len(left) // MOST_ROSTERS)
    ends = range(step, len(left) + step, step)
    later = [(left[:end][-1][0], [*here, *(each for _, each in left[end:])]) for end in ends]
    return [(0.0, [*here, *(each for _, each in left)]), *later]


def _due(rosters: list[tuple[float, list[Record]]], until_ts: float) -> list[str]:
    """Take the rosters up to a time, as lines."""
    lines = []
    while rosters and rosters[0][0] <= until_ts:
        lines.append(table_line(rosters[0][0], "roster", rosters.pop(0)[1]))
    return lines
