"""Who is alive, judged by when we last heard from them. Spec: docs/spec/04-liveness.md.

Pure: the caller passes `now_s` from its monotonic clock.
"""

from __future__ import annotations

import attrs


@attrs.define
class Liveness:
    """Last-heard times of peers.

    Args:
        expiry_s: Seconds of silence after which a peer counts as silent.
    """

    expiry_s: float = attrs.field(validator=attrs.validators.gt(0))
    _heard_at_s: dict[bytes, float] = attrs.field(factory=dict, init=False)
    _silent: set[bytes] = attrs.field(factory=set, init=False)

    def __len__(self) -> int:
        """Return how many peers are watched over."""
        return len(self._heard_at_s)

    def heard(self, peer: bytes, now_s: float) -> bool:
        """Note a sign of life; True if `peer` had counted as silent until now."""
        self._heard_at_s[peer] = now_s
        if peer in self._silent:
            self._silent.discard(peer)
            return True
        return False

    def forget(self, peer: bytes) -> None:
        """Stop watching over `peer`."""
        self._heard_at_s.pop(peer, None)
        self._silent.discard(peer)

    def fallen_silent(self, now_s: float) -> list[bytes]:
        """Return the peers that fell silent since the last call, each once."""
        horizon_s = now_s - self.expiry_s
        fallen = [
            peer
            for peer, heard_at_s in self._heard_at_s.items()
            if heard_at_s <= horizon_s and peer not in self._silent
        ]
        self._silent.update(fallen)
        return fallen
