"""What Prism remembers as a recording: `GET /api/recording`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

from ..recordings.lines import Header, end_line, header_line, link_line, signal_line, table_line
from ..recordings.tables import Record
from .ring import Ring

_AT_ONCE = 250


async def remembered(
    header: Header, ring: Ring, tables: Mapping[str, Sequence[Record]], now_ts: float
) -> AsyncIterator[bytes]:
    """Yield the lines of a recording of the Signals that are kept, secrets masked.

    Args:
        header: Its first line; what it says of the beginning does not count.
        ring: The Signals that are kept.
        tables: What the Synapse told last, by names of `TABLES`.
        now_ts: The end of the recording.
    """
    last, at = ring.last, ring.first - 1
    first = ring.after(at, 1)
    began_ts = first[0].at_ts if first else now_ts
    head = Header(header.namespace, header.url, header.release, began_ts)
    lines = [header_line(head), link_line(began_ts, True, None)]
    lines += [table_line(began_ts, name, records) for name, records in tables.items()]
    yield "".join(lines).encode()
    signals = 0
    while at < last:
        kept = [each for each in ring.after(at, _AT_ONCE) if each.number <= last]
        if not kept:
            break
        at = kept[-1].number
        signals += len(kept)
        told = (signal_line(each.at_ts, each.decoded(), masks=True) for each in kept)
        yield "".join(told).encode()
        await asyncio.sleep(0)  # new Signals must not wait for old ones
    yield end_line(now_ts, signals).encode()
