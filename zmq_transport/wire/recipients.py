"""For whom a PUBLISH is meant. Spec: docs/spec/05-broadcast.md, "Handed over". Pure."""

from __future__ import annotations

import enum


class Recipients(enum.IntFlag):
    """The recipients of a PUBLISH besides those who listen; the number of its item."""

    NONE = 0
    """Those who listen alone."""
    HOSTS = 1
    """Each client with a seat."""
    OFFERS = 2
    """Each client with a seat that offers all capabilities of the address."""
    PEER = 4
    """The client whose instance id is the peer of the head."""
    CALLERS = 8
    """Each client that is known as a caller."""
