"""Detect silent peers by the time of their last sign of life. Pure.

Spec: docs/spec/04-liveness.md. The caller passes `now_s` from its monotonic clock.
"""

from __future__ import annotations

from collections import OrderedDict

import attrs


@attrs.define
class Liveness:
    """The time of the last sign of life of each peer, oldest first.

    Args:
        expiry_s: Seconds of silence after which a peer counts as silent.
    """

    expiry_s: float = attrs.field(validator=attrs.validators.gt(0))
    # No plain dict: its first entry is searched for behind all that were taken out of its front.
    _alive_at_s: OrderedDict[bytes, float] = attrs.field(factory=OrderedDict, init=False)
    _silent: set[bytes] = attrs.field(factory=set, init=False)

    def __len__(self) -> int:
        """Return the number of peers that are watched."""
        return len(self._alive_at_s) + len(self._silent)

    def record(self, peer: bytes, now_s: float) -> bool:
        """Record a sign of life; True if `peer` was silent until now."""
        alive_at_s = self._alive_at_s
        if peer in alive_at_s:  # hot: so it was not silent
            alive_at_s[peer] = now_s
            alive_at_s.move_to_end(peer)
            return False
        alive_at_s[peer] = now_s
        if peer in self._silent:
            self._silent.discard(peer)
            return True
        return False

    def forget(self, peer: bytes) -> None:
        """Stop watching `peer`."""
        self._alive_at_s.pop(peer, None)
        self._silent.discard(peer)

    def newly_silent(self, now_s: float) -> list[bytes]:
        """Return the peers that became silent since the last call, each once."""
        # 04-liveness, "Silence" 2: reported once, and ended by the next sign of life only.
        horizon_s = now_s - self.expiry_s
        silent: list[bytes] = []
        for peer, alive_at_s in self._alive_at_s.items():
            if alive_at_s > horizon_s:
                break  # all behind it showed life later
            silent.append(peer)
        for peer in silent:
            del self._alive_at_s[peer]
        self._silent.update(silent)
        return silent
