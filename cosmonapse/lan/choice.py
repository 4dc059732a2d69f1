"""Which of the Synapses that were found to use. Spec: docs/spec/13-discovery.md. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Sequence
from typing import Final

import attrs

from ..errors import SeveralSynapses, SynapseUnreachable
from .lan_record import Record

MAX_RECORDS: Final = 64
_SHOWN = 8
Place = tuple[str, int]
"""An address and a port."""


@attrs.frozen
class Found:
    """A Synapse that is announced.

    Args:
        record: What it announces.
        places: Where it may be, in the order in which they are to be tried.
        answering: The places at which something answers as a Synapse does.
    """

    record: Record
    places: tuple[Place, ...]
    answering: tuple[Place, ...] = ()

    @property
    def url(self) -> str:
        """Where it answers; where it may be if it does not."""
        return url_of((*self.answering, *self.places)[0])

    @property
    def answers(self) -> bool:
        """Whether it answers."""
        return bool(self.answering)


def url_of(*places: Place) -> str:
    """Return the URL of one place, or of several as a list."""
    return "cosmo://" + ",".join(
        f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in places
    )


def distinct(records: Iterable[Record], own: Collection[str]) -> list[Found]:
    """Return the Synapses behind records: one that is announced more than once is one.

    Args:
        records: What was received.
        own: The addresses of this machine. One of them in the record of another machine, as that
            of a bridge for containers, which many machines have, would lead back to here.
    """
    by_start: dict[tuple[str, int] | str, Record] = {}
    for each in sorted(records, key=lambda record: record.instance):
        name = (each.start_id, each.port) if each.start_id else each.instance
        known = by_start.get(name)
        addresses = each.addresses if known is None else known.addresses + each.addresses
        by_start[name] = attrs.evolve(each, addresses=tuple(dict.fromkeys(addresses)))
    return [Found(each, _places_of(each, own)) for each in list(by_start.values())[:MAX_RECORDS]]


def _places_of(record: Record, own: Collection[str]) -> tuple[Place, ...]:
    others = [each for each in record.addresses if each not in own]
    ordered = sorted(others or record.addresses, key=_is_version_6)
    return tuple((each, record.port) for each in ordered)


def _is_version_6(address: str) -> bool:
    return ipaddress.ip_address(address).version != 4


def chosen(
    url: str, namespace: str | None, found: Sequence[Found], prints: Collection[str] = ()
) -> tuple[Place, ...]:
    """Return the places of the one Synapse to use, or of the one fabric.

    Args:
        url: What the user wrote, for the texts.
        namespace: The namespace that it must serve; None for any.
        found: What was found and asked.
        prints: The fingerprints in the user's key, if there is one. Of several Synapses one that
            announces such a fingerprint is taken. It has to prove itself at the handshake.

    Raises:
        SynapseUnreachable: Nothing that fits answers; the text says what was found.
        SeveralSynapses: Several do, and they do not say that they are one fabric.
    """
    living = [each for each in found if each.answers]
    fitting = [each for each in living if each.record.may_serve(namespace)]
    if not fitting:
        raise SynapseUnreachable(url, *_what_is_missing(namespace, found, living))
    trusted = [each for each in fitting if each.record.fingerprint in prints]
    used = trusted or fitting
    if not _is_one_fabric(used):
        several = [f"{each.url} ({each.record.instance})" for each in used]
        raise SeveralSynapses(url, several[:_SHOWN], len(several), _list_of(used[:2]))
    return tuple(each.answering[0] for each in used)


def _list_of(found: Sequence[Found]) -> str:
    return url_of(*(each.answering[0] for each in found))


def _is_one_fabric(found: Sequence[Found]) -> bool:
    """Return whether they stand by for each other: two that name each other do."""
    joined, rest = [found[0].record], [each.record for each in found[1:]]
    for one in joined:  # it grows meanwhile
        joined += [each for each in rest if each.names(one) and one.names(each)]
        rest = [each for each in rest if each not in joined]
    return not rest


def _what_is_missing(
    namespace: str | None, found: Sequence[Found], living: Sequence[Found]
) -> tuple[str, str]:
    """Return what was seen, and what to do."""
    if living:
        seen = "; ".join(f"{each.url} serves {each.record.served}" for each in living[:_SHOWN])
        return (
            f"none that was found serves the namespace {namespace}: {seen}",
            "name a namespace that is served (cosmo://auto/NAMESPACE), or start a Synapse for it",
        )
    if found:
        seen = ", ".join(f"{each.record.instance} at {each.url}" for each in found[:_SHOWN])
        return f"what is announced does not answer: {seen}", "check that it still runs"
    return "no Synapse is announced on this network", NOTHING_FOUND


NOTHING_FOUND: Final = (
    "run 'cosmo synapse start --lan' on one machine; if one runs in another subnet, behind a "
    "firewall that stops UDP port 5353, or where containers have no multicast, use its URL, "
    "cosmo://HOST:7070"
)
"""What to do when nothing is found."""
