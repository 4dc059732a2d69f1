"""Which router serves which namespaces. Spec: docs/spec/14-nats.md, "Routers". Pure.

A namespace belongs to one of 256 slots. Every router says twice a second that it is there and which
slots it serves; slots are dealt by rendezvous hashing among those that are heard, so few move when
one comes or goes. Nobody is elected, and nothing is stored: a move is a restart for those who move,
which docs/spec/09-resync.md makes harmless.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from hashlib import blake2b
from struct import Struct, error
from typing import Final, NamedTuple

from zmq_transport.errors import WireError

SLOTS: Final = 256
CLAIM_AFTER_S: Final = 0.05
"""How long a router that begins listens for others."""
BEAT_S: Final = 0.5
SILENT_AFTER_S: Final = 2.0
"""A router that was not heard for so long is gone."""
MAX_ROUTERS: Final = 64
_VERSION: Final = 1
_LEAVES: Final = 1
_BEAT = Struct(f">BB16s{SLOTS // 8}s")


class Beat(NamedTuple):
    """What a router says of itself.

    Args:
        router: Its id, 16 bytes, new at every start.
        slots: The slots that it serves, as bits.
        leaves: True in its last one.
    """

    router: bytes
    slots: int
    leaves: bool

    def serves(self, namespace: str) -> bool:
        """Return whether it serves a namespace."""
        return not self.leaves and bool(self.slots >> slot_of(namespace) & 1)


def slot_of(namespace: str) -> int:
    """Return the slot of a namespace, 0 to 255."""
    return zlib.crc32(namespace.encode()) % SLOTS


def dealt(router: bytes, routers: Iterable[bytes]) -> int:
    """Return the slots of one of several routers, as bits."""
    everyone = sorted({router, *routers})
    slots = 0
    for slot in range(SLOTS):
        if max(everyone, key=lambda each: (_weight(each, slot), each)) == router:
            slots |= 1 << slot
    return slots


def _weight(router: bytes, slot: int) -> bytes:
    return blake2b(router + bytes((slot,)), digest_size=8).digest()


def pack_beat(beat: Beat) -> bytes:
    """Return a beat as a message."""
    slots = beat.slots.to_bytes(SLOTS // 8, "big")
    return _BEAT.pack(_VERSION, _LEAVES if beat.leaves else 0, beat.router, slots)


def unpack_beat(data: bytes) -> Beat:
    """Return a beat.

    Raises:
        WireError: It is none, or of another version.
    """
    try:
        version, flags, router, slots = _BEAT.unpack(data)
    except error:
        raise WireError("bad_frame", f"{len(data)} bytes are not a beat") from None
    if version != _VERSION:
        raise WireError("bad_frame", f"a beat of version {version}, not {_VERSION}")
    return Beat(router, int.from_bytes(slots, "big"), bool(flags & _LEAVES))


class Shares:
    """The part of one router.

    Args:
        router: Its id.
        now_s: Monotonic clock.

    Attributes:
        slots: What it serves, as bits; nothing until it has listened for others.
        others: The routers that are heard beside it.
    """

    def __init__(self, router: bytes, now_s: float) -> None:
        self.router = router
        self.slots = 0
        self._heard_at_s: dict[bytes, float] = {}
        self._claims_at_s = now_s + CLAIM_AFTER_S
        self._has_claimed = False
        self._leaves = False

    @property
    def others(self) -> tuple[bytes, ...]:
        """The ids of the others, in order."""
        return tuple(sorted(self._heard_at_s))

    @property
    def beat(self) -> Beat:
        """What this router says of itself."""
        return Beat(self.router, self.slots, self._leaves)

    @property
    def has_claimed(self) -> bool:
        """Return whether it serves, or would if there were fewer others."""
        return self._has_claimed

    def serves(self, namespace: str) -> bool:
        """Return whether this router serves a namespace."""
        return bool(self.slots >> slot_of(namespace) & 1)

    def on_beat(self, beat: Beat, now_s: float) -> bool:
        """Take the beat of a router; True if this one must say its own anew."""
        if beat.router == self.router:
            return False
        if beat.leaves:
            return self.on_gone(beat.router, now_s)
        is_new = beat.router not in self._heard_at_s
        if is_new and len(self._heard_at_s) >= MAX_ROUTERS - 1:
            return False
        self._heard_at_s[beat.router] = now_s
        return is_new and self._deal(now_s)

    def on_gone(self, router: bytes, now_s: float) -> bool:
        """Forget a router that left, or that nobody reads for; True as for `on_beat`."""
        return self._heard_at_s.pop(router, None) is not None and self._deal(now_s)

    def tick(self, now_s: float) -> bool:
        """Forget who fell silent, and begin to serve; True as for `on_beat`."""
        silent = [
            router
            for router, heard_at_s in self._heard_at_s.items()
            if now_s - heard_at_s > SILENT_AFTER_S
        ]
        for router in silent:
            del self._heard_at_s[router]
        begins = not self._has_claimed and now_s >= self._claims_at_s
        return bool(silent or begins) and self._deal(now_s)

    def stood_still(self, now_s: float) -> None:
        """Judge nobody by a time in which this router did not run."""
        for router in self._heard_at_s:
            self._heard_at_s[router] = now_s

    def leave(self) -> None:
        """Serve nothing any more; the next beat is the last one."""
        self._leaves = True
        self.slots = 0

    def _deal(self, now_s: float) -> bool:
        if self._leaves or now_s < self._claims_at_s:
            return False
        self._has_claimed = True
        self.slots = dealt(self.router, self._heard_at_s)
        return True
