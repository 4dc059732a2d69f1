"""What a client is told of the Signals of a stream that are missing. Pure.

They were dropped because it reads too slowly, or were lost on their way to this process.

A stream that can say it goes on, with the number at the place where they are missing. A bare text
cannot, and ends with an error: it is never silently shorter.
"""

from __future__ import annotations

from ..errors import NeuronError

EVENT = "gap"
"""The name of the server-sent event that carries the number."""
KEY = "missed"
"""The key of the number, in an event and in metadata."""


def gap_text(missed: int) -> str:
    """Return one line that says how many Signals are missing, and why."""
    what = "1 Signal is" if missed == 1 else f"{missed:,} Signals are"
    return f"{what} missing here: the stream is read too slowly, or its connection broke"


def gap_error(missed: int) -> NeuronError:
    """Return why a text that is streamed would not be whole."""
    what = "1 Signal" if missed == 1 else f"{missed:,} Signals"
    return NeuronError(
        "STREAM_GAP",
        f"the stream is read too slowly, or its connection broke: {what} of it are lost; read "
        "without a pause, or ask for the answer as a whole",
    )
