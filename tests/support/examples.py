"""How many examples the machines get: `make check` is to be over in half a minute."""

import os

_HURRY = 8


def examples(count):
    """Return `count`, or an eighth of it where somebody waits."""
    return count // _HURRY if os.environ.get("IN_A_HURRY") else count
