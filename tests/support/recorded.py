"""Recordings for tests: a file of some lines."""

from cosmonapse.recordings.lines import Header, header_line, signal_line

BEGAN_TS = 1_700_000_000.0


def header(**fields):
    values = {"namespace": "shown", "url": "cosmo://host:7070", "release": "0.1.0"}
    return Header(**{**values, "began_ts": BEGAN_TS, **fields})


def heard(after_s, observed, *, masks=True):
    """Return the line of a Signal that came so many seconds after the beginning."""
    return signal_line(BEGAN_TS + after_s, observed, masks=masks)


def recording(path, *lines, **fields):
    """Write a recording of these lines, and return its path as text."""
    path.write_text("".join((header_line(header(**fields)), *lines)), encoding="ascii")
    return str(path)
