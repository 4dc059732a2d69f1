"""The folder of a Synapse's keys, which the first command that needs it makes."""

from __future__ import annotations

import os

from ..key_ring import KeyRing, make_folder
from ..keys import KEY_SUFFIX, SYNAPSE_NAME
from ..synapse.access import new_pair


def ring_in(folder: str) -> tuple[KeyRing, bool]:
    """Return what a folder of keys says, and whether it was made for that.

    Raises:
        InvalidKey: It is not whole, others may change it, or it cannot be made.
    """
    if os.path.lexists(os.path.join(folder, SYNAPSE_NAME + KEY_SUFFIX)):
        return KeyRing.read(folder), False
    make_folder(folder, *new_pair())
    return KeyRing.read(folder), True
