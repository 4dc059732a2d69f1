"""What a router on NATS tells whoever runs it: sentences for people."""

from __future__ import annotations

from ..peers import RoleNotice
from .shares import SLOTS


def share_text(slots: int, others: int) -> str:
    """Return what a router serves.

    Args:
        slots: As bits.
        others: The number of the other routers.
    """
    beside = "alone" if not others else f"with {others} {'other' if others == 1 else 'others'}"
    return f"serves {slots.bit_count()} of {SLOTS} slots, {beside}"


def name_of(router: bytes) -> str:
    """Return how a router is called in a sentence."""
    return router.hex()[:8]


def began(router: bytes, share: str) -> RoleNotice:
    """Return that a router began to serve."""
    return RoleNotice(f"this Synapse ({name_of(router)}) {share}")


def came(router: bytes, share: str) -> RoleNotice:
    """Return that another router came."""
    return RoleNotice(f"another Synapse came ({name_of(router)}): this one {share}")


def left(router: bytes, share: str) -> RoleNotice:
    """Return that another router said that it leaves."""
    return RoleNotice(f"another Synapse left ({name_of(router)}): this one {share}")


def silent(router: bytes, share: str) -> RoleNotice:
    """Return that another router is not heard any more, though it did not say that it leaves."""
    return RoleNotice(
        f"another Synapse fell silent ({name_of(router)}): it has ended or is cut off, and may "
        f"serve its side; this one {share}",
        is_warning=True,
    )


def disconnected(place: str, why: str) -> RoleNotice:
    """Return that the line to nats-server broke."""
    return RoleNotice(
        f"the connection to {place} broke ({why}): this Synapse begins anew when nats-server "
        "answers, and the Dendrites come back to it or move to another one",
        is_warning=True,
    )


def topics_broken(place: str, why: str) -> RoleNotice:
    """Return that the line for publications broke."""
    return RoleNotice(
        f"the connection to {place} for publications broke ({why}): those who listen miss some, "
        "and calls go on",
        is_warning=True,
    )


def no_topics(place: str) -> RoleNotice:
    """Return that there is no line for publications yet."""
    return RoleNotice(
        f"nats-server at {place} takes no second connection of this Synapse yet: those who listen "
        "hear nothing until it does, and calls go on",
        is_warning=True,
    )


def unreachable(place: str, why: str) -> RoleNotice:
    """Return that nats-server was not reached yet."""
    return RoleNotice(
        f"no nats-server answers at {place} ({why}): this Synapse goes on trying; start it with "
        "'nats-server', or look at the URL",
        is_warning=True,
    )


def stood_still(stood_s: float) -> RoleNotice:
    """Return that a router did not run for a while, and others may have taken its place."""
    return RoleNotice(
        f"this Synapse did not run for {stood_s:.1f} s and begins anew: its host is overloaded, or "
        "its process was stopped",
        is_warning=True,
    )


def refused(place: str, text: str) -> RoleNotice:
    """Return that nats-server refuses something."""
    return RoleNotice(
        f"nats-server at {place} refuses this Synapse: {text}; it needs a user that may do "
        "everything below cosmo.>, see 'cosmo synapse nats-conf'",
        is_warning=True,
    )
