"""Server-sent events, bytes in and event data out.

Spec: https://html.spec.whatwg.org/multipage/server-sent-events.html, section 9.2.6. Pure.
Only the data of an event is kept: providers repeat the important other fields in it.
"""

from __future__ import annotations

import re

import attrs

from ..errors import NeuronError

MAX_EVENT_BYTES = 1 << 20
_LINE_END = re.compile(rb"\r\n|\r|\n")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@attrs.define
class EventParser:
    """Cuts one stream into the data of its events.

    An event that the end of the stream cuts off is dropped, as the spec demands.

    Args:
        max_event_bytes: The most that one event, or one line, may have.
    """

    max_event_bytes: int = attrs.field(default=MAX_EVENT_BYTES, validator=attrs.validators.gt(0))
    _line: bytearray = attrs.field(factory=bytearray, init=False)
    _data: list[bytes] = attrs.field(factory=list, init=False)
    _data_bytes: int = attrs.field(default=0, init=False)
    _after_cr: bool = attrs.field(default=False, init=False)
    _at_start: bool = attrs.field(default=True, init=False)

    def feed(self, received: bytes) -> list[str]:
        """Add bytes, cut anywhere, and return the data of the events they complete.

        Raises:
            NeuronError: An event is larger than `max_event_bytes`; the parser is of no more use.
        """
        if not received:
            return []
        if self._after_cr and received.startswith(b"\n"):
            received = received[1:]  # the second half of a line end that was cut in two
        self._after_cr = received.endswith(b"\r")
        first, *others = _LINE_END.split(received)
        self._extend(first)
        events = []
        for piece in others:
            event = self._end_line()
            if event is not None:
                events.append(event)
            self._extend(piece)
        return events

    def _extend(self, piece: bytes) -> None:
        self._line += piece
        if self._data_bytes + len(self._line) > self.max_event_bytes:
            raise NeuronError(
                "PROVIDER_ERROR",
                f"the provider streamed an event of more than {self.max_event_bytes:,} bytes",
                recoverable=False,
            )

    def _end_line(self) -> str | None:
        line = bytes(self._line)
        self._line.clear()
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(_BYTE_ORDER_MARK)
        if not line:
            return self._end_event()
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
            self._data_bytes += len(line)
        return None

    def _end_event(self) -> str | None:
        event = b"\n".join(self._data).decode(errors="replace") if self._data else None
        self._data.clear()
        self._data_bytes = 0
        return event
