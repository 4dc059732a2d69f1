"""Server-sent events, bytes in and events out.

Spec: https://html.spec.whatwg.org/multipage/server-sent-events.html, section 9.2.6. Pure.
Name and data of an event are kept. Lines that are no fields are ignored as the spec demands, but
kept aside: a provider that fails in the middle writes its error there.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import attrs

from ..errors import NeuronError

MAX_STRAY_BYTES = 64 << 10
_LINE_END = re.compile(rb"\r\n|\r|\n")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_OTHER_FIELDS = frozenset({b"", b"id", b"retry"})


class ServerEvent(NamedTuple):
    """One event: its data, and its name, "" if it has none."""

    data: str
    name: str = ""


@attrs.define(on_setattr=attrs.setters.NO_OP)  # the check of a limit is for its birth alone
class EventParser:
    """Cuts one stream into its events.

    Args:
        max_event_bytes: The most that one event, or one line, may have.
    """

    max_event_bytes: int = attrs.field(validator=attrs.validators.gt(0))
    _line: bytearray = attrs.field(factory=bytearray, init=False)
    _name: bytes = attrs.field(default=b"", init=False)
    _data: list[bytes] = attrs.field(factory=list, init=False)
    _data_bytes: int = attrs.field(default=0, init=False)
    _stray: bytearray = attrs.field(factory=bytearray, init=False)
    _after_cr: bool = attrs.field(default=False, init=False)
    _at_start: bool = attrs.field(default=True, init=False)

    @property
    def stray(self) -> str:
        """Return the lines that are no fields, at most 64 KiB of them."""
        return bytes(self._stray).decode(errors="replace").strip()

    def feed(self, received: bytes) -> list[ServerEvent]:
        """Add bytes, cut anywhere, and return the events that they complete.

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

    def end(self) -> ServerEvent | None:
        """Return the event that the end of the stream cuts off, perhaps in the middle of a line.

        The spec drops it; a reader may keep one whose data is whole.
        """
        event = self._end_line() if self._line else None
        return event or self._end_event()

    def _extend(self, piece: bytes) -> None:
        self._line += piece
        if self._data_bytes + len(self._line) > self.max_event_bytes:
            raise NeuronError(
                "PROVIDER_ERROR",
                f"the provider streamed an event of more than {self.max_event_bytes:,} bytes; "
                "raise max_answer_bytes of the Neuron",
                recoverable=False,
            )

    def _end_line(self) -> ServerEvent | None:
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
        elif name == b"event":
            self._name = value.removeprefix(b" ")
        elif name not in _OTHER_FIELDS and len(self._stray) < MAX_STRAY_BYTES:
            self._stray += line[:MAX_STRAY_BYTES] + b"\n"
        return None

    def _end_event(self) -> ServerEvent | None:
        data, name = self._data, self._name
        self._data, self._data_bytes, self._name = [], 0, b""
        if not data:
            return None
        # halves of a character may come as bytes in two events: `CharacterJoiner` joins them
        text = b"\n".join(data).decode(errors="surrogateescape")
        return ServerEvent(text, name.decode(errors="replace"))
