"""The reports of a proxy to all others, and their answers. Spec: docs/spec/12-failover.md.

`fabric_role` says what is reported, and decides what follows from an answer.
"""

from __future__ import annotations

import select
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from ..errors import WireError
from ..failover.election import Decision
from ..sockets.endpoints import TcpEndpoint
from .fabric_role import FabricRole
from .poller import Poller
from .report_link import ReportKeys, ReportLink
from .tables import Output

REPORT_S: Final = 0.2
LOOK_S: Final = 0.05


class ReportLinks:
    """One connection to each other proxy.

    Args:
        endpoints: The others, in the order in which `role` knows them.
        role: This proxy as one of several.
        poller: Says when to read.
        perform: Carries out what was decided.
        on_dropped: Counts a message that is malformed, by its reason.
        keys: The keys; None without.

    Attributes:
        next_s: When `tick` is to be called next.
    """

    def __init__(
        self,
        endpoints: Sequence[TcpEndpoint],
        role: FabricRole,
        poller: Poller,
        perform: Callable[[Iterable[Output]], None],
        on_dropped: Callable[[str], None],
        keys: ReportKeys | None,
    ) -> None:
        self._role = role
        self._perform = perform
        self._on_dropped = on_dropped
        self._reports_at_s = self.next_s = 0.0
        self._links = [
            ReportLink(place, each, poller, self, keys) for place, each in enumerate(endpoints)
        ]

    def tick(self, now_s: float) -> None:
        """Dial and report where it is time."""
        self.next_s = now_s + LOOK_S
        for each in self._links:
            each.tick(now_s)
        if now_s >= self._reports_at_s:
            self.report(now_s)

    def report(self, now_s: float) -> None:
        """Report to every other proxy now."""
        self._reports_at_s = now_s + REPORT_S
        self._role.news.pop(Decision.REPORT, None)
        head, body = self._role.next_report()
        for each in self._links:
            each.send(head, body)

    def wait(self, timeout_s: float) -> None:
        """Wait until there is something to read for one of them, or for `timeout_s` seconds."""
        # A connection that is refused is an error, which is told of without being asked for.
        watched = select.poll()
        for link in self._links:
            for each in link.descriptors():
                watched.register(each, select.POLLIN | select.POLLERR | select.POLLHUP)
        watched.poll(max(0.0, timeout_s) * 1000)

    def read(self, now_s: float) -> None:
        """Handle all that has come for any of them."""
        for each in self._links:
            each.read(now_s)

    def end_probes(self) -> None:
        """End what waits in the poller; call it before that is closed."""
        for each in self._links:
            each.end_probe()

    def close(self) -> None:
        """Close every connection; call it after the poller is closed."""
        for each in self._links:
            each.close()

    # -- what happens at a link ------------------------------------------------------------------

    def on_answer(self, place: int, head: bytes, body: bytes, now_s: float) -> None:
        """See `ReportEvents`."""
        try:
            outputs = self._role.on_answer(place, head, body, now_s)
        except WireError as error:
            self._on_dropped(error.reason)
            return
        self._perform(outputs)

    def on_closed(self, place: int, now_s: float) -> None:
        """See `ReportEvents`."""
        self._perform(self._role.on_closed(place, now_s))

    def on_not_closed(self, place: int, now_s: float) -> None:
        """See `ReportEvents`."""
        self._perform(self._role.on_not_closed(place, now_s))

    def on_open(self, place: int, now_s: float) -> None:
        """See `ReportEvents`."""
        self.report(now_s)
