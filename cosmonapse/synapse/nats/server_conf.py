"""The configuration of a nats-server that holds the rights of a fabric. Pure.

Page: docs/nats.md, "Rights". One user is for all Synapses, which may do everything below `cosmo`.
Each other user may do in its own namespaces what a Dendrite needs, under its own name: another's
messages it neither sees nor sends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import attrs

from zmq_transport.sockets.endpoints import host_in_url

from ...names import checked_name
from . import subjects

ANY: Final = "*"
"""In place of a namespace: every one."""
INBOX: Final = "_INBOX"
DEFAULT_PORT: Final = 4222
ROUTE_PORT: Final = 6222
WRITE_DEADLINE_S: Final = 2
"""After so long nats-server cuts one that reads nothing of what it is sent; 10 s by default."""
MAX_PENDING_BYTES: Final = 256 * 1024 * 1024
"""Most bytes that wait at nats-server for one; 64 MiB by default."""
_VARIABLE = re.compile(r"\$[A-Za-z_][A-Za-z0-9_]*")
_ROUTES: Final = "routes"


@attrs.frozen
class SubjectRights:
    """What a user of nats-server may do; all else is refused.

    Args:
        publish: Patterns of the subjects that it may publish to.
        subscribe: Patterns of those that it may subscribe to.
    """

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


def client_rights(user: str, namespaces: Iterable[str]) -> SubjectRights:
    """Return what a Dendrite needs.

    Args:
        user: The name of its user.
        namespaces: Its namespaces; `*` for every one.
    """
    who = subjects.token(user)
    publish, subscribe = [subjects.WHO], [subjects.BEATS, f"{inbox_of(user)}.>"]
    for namespace in namespaces:
        below = f"{subjects.PREFIX}.{subjects.token(namespace)}"
        publish.append(f"{below}.up.*.{who}.*")
        subscribe += [f"{below}.down.{who}.*", f"{below}.heard.{who}.*"]
        subscribe += [f"{below}.t.*", f"{below}.r.*", f"{below}.subscribed"]
    return SubjectRights(tuple(publish), tuple(subscribe))


def router_rights(user: str) -> SubjectRights:
    """Return what a Synapse needs: everything of the fabric, and to answer those who ask for it."""
    everything = f"{subjects.PREFIX}.>"
    return SubjectRights((everything, f"{INBOX}.>"), (everything, f"{inbox_of(user)}.>"))


def inbox_of(user: str) -> str:
    """Return how the inboxes of a user begin, so that no other one reads there."""
    return f"{INBOX}.{subjects.token(user)}"


@attrs.frozen
class ServerUser:
    """A user of nats-server.

    Args:
        name: Its name: 1 to 128 characters of `A-Z a-z 0-9 . _ -`, other than `-`.
        password: Its password: printable ASCII without quotes and backslashes, or `$VARIABLE`, for
            one that nats-server takes from its environment.
        namespaces: Where it may join; `*` for every one. None for a Synapse.

    Raises:
        InvalidName: A name is invalid.
        ValueError: The name or the password cannot be used.
    """

    name: str = attrs.field()
    password: str = attrs.field(repr=False)
    namespaces: tuple[str, ...] | None = None

    def __attrs_post_init__(self) -> None:
        checked_name("user", self.name)
        if self.name == subjects.NO_USER:
            raise ValueError(
                f"the name {self.name!r} stands for one without a name: choose another"
            )
        for each in self.namespaces or ():
            if each != ANY:
                checked_name("namespace", each)
        if self.namespaces is not None and not self.namespaces:
            raise ValueError(f"the user {self.name} has no namespace: write NAME=NS, or NAME={ANY}")
        is_plain = self.password.isascii() and self.password.isprintable()
        if not self.password or not is_plain or set("\"'\\") & set(self.password):
            raise ValueError(
                f"the password of {self.name} is empty, or has characters out of order"
            )

    @property
    def rights(self) -> SubjectRights:
        """What it may do."""
        if self.namespaces is None:
            return router_rights(self.name)
        return client_rights(self.name, self.namespaces)


@attrs.frozen
class ServerPlace:
    """Where nats-servers listen.

    Args:
        host: The address that each listens on.
        port: Its port for clients.
        cluster: The hosts of all servers of a cluster; empty for a single server.
        cluster_port: The port of each for the others.
        cert: Path of the certificate that they show to clients; empty for no encryption.
        key: Path of the key of `cert`.
    """

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    cluster: tuple[str, ...] = ()
    cluster_port: int = ROUTE_PORT
    cert: str = ""
    key: str = ""

    def url_for(self, user: ServerUser) -> str:
        """Return the URL for a user, with its password, or with the name of its variable."""
        hosts = self.cluster or (self.host,)
        places = ",".join(f"{host_in_url(each)}:{self.port}" for each in hosts)
        return f"{'tls' if self.cert else 'nats'}://{user.name}:{user.password}@{places}"


def server_conf(place: ServerPlace, users: Iterable[ServerUser], route_password: str) -> str:
    """Return a configuration of nats-server; the same for each server of a cluster.

    Args:
        place: Where it listens.
        users: Who may connect, the Synapses among them.
        route_password: What the servers of a cluster show each other.
    """
    lines = [
        "# Written by 'cosmo synapse nats-conf'. It has passwords: keep its mode 0600.",
        f'listen: "{host_in_url(place.host)}:{place.port}"',
        "# One that reads too slowly makes those wait who send to it, from half of max_pending on,",
        "# until it is cut: write_deadline after it has read last.",
        f'write_deadline: "{WRITE_DEADLINE_S}s"',
        f"max_pending: {MAX_PENDING_BYTES}",
    ]
    if place.cert:
        lines.append(f"tls {{ cert_file: {_text(place.cert)}, key_file: {_text(place.key)} }}")
    lines += ["authorization {", "  users = ["]
    for each in users:
        lines += _user_lines(each)
    lines += ["  ]", "}"]
    if place.cluster:
        lines += _cluster_lines(place, route_password)
    return "\n".join(lines) + "\n"


def _user_lines(user: ServerUser) -> list[str]:
    rights = user.rights
    where = "Synapses" if user.namespaces is None else f"namespaces {', '.join(user.namespaces)}"
    return [
        f"    # {where}",
        f'    {{ user: "{user.name}", password: {_text(user.password)}, permissions: {{',
        f"      publish: [{_texts(rights.publish)}]",
        f"      subscribe: [{_texts(rights.subscribe)}]",
        "    } }",
    ]


def _cluster_lines(place: ServerPlace, password: str) -> list[str]:
    routes = [
        f"nats-route://{_ROUTES}:{password}@{host_in_url(host)}:{place.cluster_port}"
        for host in place.cluster
    ]
    return [
        "cluster {",
        "  name: cosmo",
        f'  listen: "{host_in_url(place.host)}:{place.cluster_port}"',
        f'  authorization {{ user: {_ROUTES}, password: "{password}", timeout: 2 }}',
        "  # All of them, itself too, which it notices: so one file is for each.",
        f"  routes: [{_texts(routes)}]",
        "}",
    ]


def _texts(values: Iterable[str]) -> str:
    return ", ".join(f'"{each}"' for each in values)


def _text(value: str) -> str:
    return value if is_variable(value) else f'"{value}"'


def is_variable(password: str) -> bool:
    """Return whether a password stands in a variable of the environment of nats-server."""
    return _VARIABLE.fullmatch(password) is not None
