"""Runs a program under a wall clock that jumps: `python jumpy.py PROGRAM ARGUMENTS...`.

Twenty times a second `time.time` jumps an hour ahead or two hours back. The monotonic clock is left
as it is.
"""

import runpy
import sys
import time

_HOUR_S = 3600.0
_real = time.time
_steady = time.monotonic


def jumpy_time():
    """Return the wall clock, an hour off in either direction or right."""
    return _real() + _HOUR_S * (int(_steady() * 20) % 3 - 1)


if __name__ == "__main__":
    time.time = jumpy_time
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
