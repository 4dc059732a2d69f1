"""A recording as a process: it writes what passes in a namespace to a file until it is ended."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, BinaryIO

import attrs

from ..doppler.observed import ObservedSignal
from ..doppler.observer import Listener, Observer
from ..doppler.signal_filter import SignalFilter
from ..errors import SynapseUnreachable
from ..runtime.os_signals import stop_signal
from ..runtime.reachable import when_reachable
from ..synapse.connect import KeyLike
from .line_file import LineFile
from .lines import Header, end_line, header_line, link_line, missed_line, signal_line, table_line
from .tables import Record

_OPEN_S = 3.0
_ASK_S = 2.0
_EVERY_S = 1.0
_ROW_BYTES = 400
_CHANGING = ("age_s", "remaining_s", "uptime_s", "ts", "recent", "recent_s", "loop_lag_ms")
_QUIET_S = 10.0
"""How long a table whose figures alone change is not written again."""


@attrs.frozen
class RecordingSettings:
    """What is written.

    Args:
        path: The file, as it is named to the user.
        out: The file, open.
        release: The release of this package, for the file.
        compresses: Whether it is compressed by gzip.
        masks: Whether secrets are masked.
        seconds: How long; None: until an OS signal.
        most_bytes: The size at which it has enough; None: no limit.
        chosen: The options that chose Signals, as a text.
    """

    path: str
    out: BinaryIO
    release: str
    compresses: bool = False
    masks: bool = True
    seconds: float | None = None
    most_bytes: int | None = None
    chosen: str = ""


class Recording:
    """Writes the Signals of one namespace, and what its Synapse tells.

    Args:
        url: URL of the Synapse; it may start later.
        namespace: The namespace to observe.
        wanted: The Signals to write.
        settings: Where and how.
        say: Reports to the user, one line at a time.
        key: Its key, see `synapse_from_url`.
    """

    def __init__(
        self,
        url: str,
        namespace: str,
        wanted: SignalFilter,
        settings: RecordingSettings,
        say: Callable[[str], None],
        key: KeyLike | None = None,
    ) -> None:
        self._listener = Listener(self._on_signal, self._on_missed, self._on_link)
        self._observer = Observer(
            url,
            namespace,
            self._listener,
            types=wanted.types,
            trace_id=wanted.whole_trace,
            name="record",
            key=key,
        )
        self._wanted = wanted
        self._settings = settings
        self._say = say
        self._began_ts, self._began_s = time.time(), time.monotonic()
        self._missed = 0
        self._connected: bool | None = None
        self._told: dict[str, tuple[Any, Any, float]] = {}
        self._file: LineFile

    async def run(self) -> int | None:
        """Record until an OS signal, and return its number; None where a limit or a reader ends it.

        Raises:
            SynapseRefused: The Synapse refuses this namespace, or is full.
            OSError: The file cannot be written, as on a full disk.
        """
        settings, loop = self._settings, asyncio.get_running_loop()
        full: asyncio.Future[None] = loop.create_future()

        def on_end(error: OSError | None) -> None:
            if full.done():
                return
            is_fault = error is not None and not isinstance(error, BrokenPipeError)
            full.set_exception(error) if is_fault and error else full.set_result(None)

        def from_thread(error: OSError | None) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(on_end, error)

        self._file = LineFile(settings.out, settings.compresses, settings.most_bytes, from_thread)
        self._file.put(0, partial(header_line, self._header()))
        ending = asyncio.create_task(stop_signal(), name="stop signal")
        work = asyncio.create_task(self._work(), name="recording")
        try:
            ends: set[asyncio.Future[Any]] = {full, ending, work}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (ending, work):
                if not task.done():
                    task.cancel()
            await asyncio.wait({ending, work})
            await self._observer.close()
            await asyncio.to_thread(
                self._file.close, lambda: end_line(self._now_ts(), self._file.signals)
            )
            await asyncio.sleep(0)
            self._say(self._summary())
        if full.done():
            return full.result()
        if not work.cancelled():
            work.result()
        return None if ending.cancelled() else ending.result()

    def _header(self) -> Header:
        settings = self._settings
        return Header(
            self._observer.namespace,
            self._observer.synapse.url,
            settings.release,
            self._began_ts,
            settings.masks,
            settings.chosen,
        )

    def _summary(self) -> str:
        lost = self._missed + self._file.lost
        bad = self._listener.counts["bad_signal"]
        return (
            f"recorded {self._file.signals:,} Signals in {self._settings.path} "
            f"({self._file.written_bytes:,} bytes), {lost:,} missed"
            + (f", {bad:,} messages were invalid" if bad else "")
        )

    async def _work(self) -> None:
        """Join, and ask for the tables again and again until the time is over."""
        await when_reachable(lambda: self._observer.open(_OPEN_S), self._say)
        self._say(
            f"recording {self._observer.namespace} at {self._observer.synapse.url} "
            f"in {self._settings.path}; Ctrl-C ends it"
        )
        end_s = time.monotonic() + (self._settings.seconds or 0)
        while True:
            await self._ask()
            left_s = _EVERY_S
            if self._settings.seconds is not None:
                left_s = min(left_s, end_s - time.monotonic())
                if left_s <= 0:
                    return
            await asyncio.sleep(left_s)

    async def _ask(self) -> None:
        if not self._connected:
            return
        observer = self._observer
        with contextlib.suppress(SynapseUnreachable):
            self._tell("roster", await observer.roster(_ASK_S))
            self._tell("dendrites", await observer.dendrites(_ASK_S))
            self._tell("tasks", await observer.open_tasks(_ASK_S) or [])
            self._tell("synapse", [await observer.state(_ASK_S)])

    def _tell(self, name: str, records: Sequence[Record]) -> None:
        """Write a table that is not as it was; one whose figures alone change, each 10 s."""
        at_s = time.monotonic()
        rows = [attrs.asdict(each) for each in records]
        facts = [{k: v for k, v in each.items() if k not in _CHANGING} for each in rows]
        if name == "synapse":
            facts = [{k: v for k, v in each.items() if k != "counts"} for each in facts]
        old_rows, old_facts, old_s = self._told.get(name, (None, None, 0.0))
        if facts == old_facts and (rows == old_rows or at_s - old_s < _QUIET_S):
            return
        size = _ROW_BYTES * (1 + len(rows))
        if self._file.put(size, partial(table_line, self._now_ts(), name, records)):
            self._told[name] = rows, facts, at_s

    def _now_ts(self) -> float:
        """Return the wall clock of the beginning, and what has passed since: it never goes back."""
        return self._began_ts + time.monotonic() - self._began_s

    def _on_signal(self, observed: ObservedSignal) -> None:
        if self._wanted(observed):
            at_ts, masks = self._now_ts(), self._settings.masks
            made = partial(signal_line, at_ts, observed, masks=masks)
            self._file.put_signal(at_ts, len(observed.body), made)

    def _on_missed(self, count: int) -> None:
        self._missed += count
        self._file.put(0, partial(missed_line, self._now_ts(), count, "way"))

    def _on_link(self, connected: bool, reason: str | None) -> None:
        if connected == self._connected:
            return
        if not connected and self._connected:
            self._say(f"the Synapse is not reachable ({reason}): waiting for it")
        elif connected and self._connected is False:
            self._say("the Synapse is back; Signals sent in between are not in the recording")
        self._connected = connected
        self._file.put(0, partial(link_line, self._now_ts(), connected, reason))
