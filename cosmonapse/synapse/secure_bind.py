"""Whether a Synapse may listen on a host: beyond loopback only with keys, or when told so."""

from __future__ import annotations

from ..errors import InsecureBind
from ..runtime.addresses import addresses, beyond_loopback, is_every


def check_bind(host: str, *, has_keys: bool, insecure: bool) -> None:
    """Check that whoever can reach a Synapse is known to it, or meant to be a stranger.

    Raises:
        InsecureBind: Other machines could reach it, it has no keys, and nobody said that this is
            meant.
        ValueError: It has keys and is said to be insecure.
    """
    if has_keys and insecure:
        raise ValueError("give keys or insecure=True, not both: with keys nobody else can join")
    if has_keys or insecure:
        return
    reached = beyond_loopback(host)
    if reached:
        raise InsecureBind(_where(host, reached))


def _where(host: str, reached: list[str]) -> str:
    """Return by which addresses others reach a host."""
    if not is_every(host) and host:
        others = [each for each in reached if each != host.strip("[]")]
        return f"{host} ({', '.join(others)})" if others else host
    own = ", ".join(addresses("::")) or "every address of this machine"
    return f"{host or '*'} (here: {own})"
