"""Whether a Synapse may listen on a host: beyond loopback only with keys, or when told so."""

from __future__ import annotations

from ..errors import InsecureBind
from ..runtime.addresses import addresses, beyond_loopback, is_every

_OWN, _GROUP = 0o600, 0o660


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


def check_ipc_mode(mode: int, *, has_keys: bool) -> None:
    """Check that the files of a Unix socket admit others only where their rights are known.

    Raises:
        ValueError: The mode is another one, or it admits others and there are no keys.
    """
    if mode not in (_OWN, _GROUP):
        raise ValueError(f"ipc_mode must be 0o600 or 0o660, not {mode!r:.20}")
    if mode == _GROUP and not has_keys:
        raise ValueError("ipc_mode=0o660 needs keys: their folder says what each user may do")


def _where(host: str, reached: list[str]) -> str:
    """Return by which addresses others reach a host."""
    if not is_every(host) and host:
        others = [each for each in reached if each != host.strip("[]")]
        return f"{host} ({', '.join(others)})" if others else host
    own = ", ".join(addresses("::")) or "every address of this machine"
    return f"{host or '*'} (here: {own})"
