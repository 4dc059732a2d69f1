"""The other Synapses of a fabric: their URLs, and what is told when the leader changes.

Spec: docs/spec/12-failover.md. Page: docs/reference.md.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from types import MappingProxyType
from typing import Final

import attrs

import zmq_transport as wire_side

from ..defaults import MAX_PEERS
from ..errors import InvalidKey, InvalidUrl
from ..key_ring import KeyRing
from ..runtime.addresses import addresses, is_every
from .url import AUTO, Endpoint, Endpoints, parse_url

_LOG = logging.getLogger(__name__)
_KIND = wire_side.NewsKind
_TEXTS: Final = MappingProxyType(
    {
        _KIND.LEADS: "this Synapse leads from now on (term {term}): Dendrites join here",
        _KIND.STEPS_DOWN: "this Synapse steps down (term {term}): {urls} leads, the Dendrites move "
        "there",
        _KIND.STANDS_BY: "this Synapse stands by (term {term}): {urls} leads",
        _KIND.HEARS_NO_LEADER: "this Synapse stands by, and nobody leads: it takes over when a "
        "Dendrite finds no leader",
        _KIND.HALF: "this Synapse does not hear {urls}, so there may be a second leader (term "
        "{term}): look at that host, at the network between, and whether it was started with "
        "--peer and the URL of this one",
        _KIND.WHOLE: "this Synapse hears every other one again (term {term})",
        _KIND.NO_STANDBY: "this Synapse has no standby: {urls} is not running, and nobody takes "
        "over if this one ends",
        _KIND.HAS_STANDBY: "this Synapse has a standby again (term {term})",
        _KIND.OTHER_USERS: "the allowed keys differ from those at {urls}: copy the folder "
        "'allowed', or a Dendrite may be refused after a failover",
        _KIND.SAME_USERS: "the allowed keys are those at {urls} again",
        _KIND.OWN_URL: "{urls} is this Synapse itself: --peer is for the URLs of the others",
    }
)
_WARNINGS: Final = frozenset({_KIND.HALF, _KIND.NO_STANDBY, _KIND.OTHER_USERS, _KIND.OWN_URL})


@attrs.frozen
class RoleNotice:
    """That something has changed among the Synapses of a fabric.

    Args:
        text: A sentence for people.
        is_warning: True if somebody should do something about it.
    """

    text: str
    is_warning: bool = False


OnNotice = Callable[[RoleNotice], None]


def notice_of(news: wire_side.RoleNews) -> RoleNotice:
    """Return what is told to whoever runs a Synapse."""
    urls = " and ".join(each if each != "?" else "another one" for each in news.urls)
    text = _TEXTS[news.kind].format(term=news.term, urls=urls or "another one")
    return RoleNotice(text, news.kind in _WARNINGS)


def log_notice(notice: RoleNotice) -> None:
    """Log a notice, as is done unless somebody else takes it."""
    level = logging.WARNING if notice.is_warning else logging.INFO
    _LOG.log(level, "%s", notice.text)


def peer_endpoints(urls: Iterable[str], host: str, port: int) -> list[wire_side.TcpEndpoint]:
    """Return where the other Synapses of a fabric are; what is named twice counts once.

    Args:
        urls: Their URLs; each may be a list.
        host: Where this one listens.
        port: Its port; 0 for one that is not known yet.

    Raises:
        InvalidUrl: A URL is invalid, is none of the network, or is that of this Synapse; or there
            are over 15.
    """
    found: dict[wire_side.TcpEndpoint, None] = {}
    for url in urls:
        for place in _places_of(url):
            if _is_own(place, host, port):
                raise InvalidUrl(url, "it is this Synapse itself; name the others")
            found[wire_side.TcpEndpoint(place.host, place.port)] = None
            if len(found) > MAX_PEERS:
                raise InvalidUrl(url, f"a Synapse knows at most {MAX_PEERS} others")
    return [*found]


def check_peer_keys(ring: KeyRing) -> None:
    """Check that a Synapse with keys and peers lists the key of one at least.

    Raises:
        InvalidKey: It does not: no other Synapse could report to it.
    """
    if not ring.peers:
        raise InvalidKey(
            ring.folder,
            "it has no key of another Synapse: run 'cosmo keys peer NAME cpk_...' here and there",
        )


def _places_of(url: str) -> tuple[Endpoint, ...]:
    parsed = parse_url(url)
    places = parsed.places if isinstance(parsed, Endpoints) else (parsed,)
    for each in places:
        if not isinstance(each, Endpoint):
            raise InvalidUrl(url, "a peer is on the network: write cosmo://host:port")
        if each.host.lower() == AUTO:
            raise InvalidUrl(
                url, "a peer has a URL of its own: 'cosmo find' shows those on the LAN"
            )
    return tuple(each for each in places if isinstance(each, Endpoint))


def _is_own(place: Endpoint, host: str, port: int) -> bool:
    if place.port != port:
        return False
    if not is_every(host):
        return place.host == host
    return place.host in (host, "localhost", "127.0.0.1", "::1", *addresses("::"))
