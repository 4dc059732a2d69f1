"""This fabric with keys, with the carrier that keys use, and as it is by default.

All three run `cosmo synapse start`, as a user does; with keys worker and caller have one each.
"""

from __future__ import annotations

import functools
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from cosmonapse.bench import ends
from cosmonapse.bench.children import Child
from cosmonapse.key_ring import KeyRing, Member, make_folder, write_member
from cosmonapse.keys import Key
from cosmonapse.rights import Rights
from cosmonapse.runtime.environment import CARRIER_VARIABLE, KEY_VARIABLE
from cosmonapse.synapse.access import new_pair
from cosmonapse.synapse.carriers import DEFAULT_CARRIER

from ..fabric import NAMESPACE
from ..started import synapse
from . import ours
from .system import Asked, System

_RIGHTS = {"worker": ["serve"], "caller": ["dispatch"]}


def within(
    connection: Connection, variables: Mapping[str, str], body: Callable[..., None], *arguments: Any
) -> None:
    """Do the work of a process with these variables of the environment.

    Its parent cannot set them for it: a server that was started before makes the processes.
    """
    os.environ.update(variables)
    body(connection, *arguments)


class Keys:
    """The folder of a Synapse with keys.

    Args:
        folder: An empty folder.
    """

    def __init__(self, folder: Path) -> None:
        self.ring = str(folder / "keys")
        self._folder = folder
        make_folder(self.ring, *new_pair())
        self._publics = KeyRing.read(self.ring).publics

    def allow(self, name: str, may: Sequence[str]) -> Path:
        """Make a key, allow it, and return the path of its file."""
        public, secret = new_pair()
        path = self._folder / f"{name}.key"
        Key(name, public, secret, self._publics).write(path)
        write_member(self.ring, Member(name, (public,), None, Rights.of(may)))
        return path

    def allow_again(self, member: Member) -> None:
        """Allow one who was revoked."""
        write_member(self.ring, member)


@contextmanager
def made_keys() -> Iterator[Keys]:
    """Make the keys of a Synapse, in a folder that lasts as long as the block."""
    with tempfile.TemporaryDirectory() as folder:
        yield Keys(Path(folder))


@contextmanager
def running(pairs: int) -> Iterator[Sequence[Asked]]:
    """Run a Synapse with keys, and pairs; give the callers."""
    with made_keys() as keys:
        of = {name: {KEY_VARIABLE: str(keys.allow(name, may))} for name, may in _RIGHTS.items()}
        with (
            synapse("--keys", keys.ring) as (_, url),
            pairs_at(pairs, url, of["worker"], of["caller"]) as callers,
        ):
            yield callers


@contextmanager
def without(
    pairs: int, carrier: str = DEFAULT_CARRIER, *, pure: bool = False
) -> Iterator[Sequence[Asked]]:
    """Run a Synapse without keys, and pairs; give the callers.

    Args:
        pairs: How many.
        carrier: Of all of them.
        pure: Whether all do without the compiled kernel.
    """
    variables = {CARRIER_VARIABLE: carrier} | ({"COSMO_PURE": "1"} if pure else {})
    with (
        synapse("--carrier", carrier, variables=variables) as (_, url),
        pairs_at(pairs, url, variables) as callers,
    ):
        yield callers


@contextmanager
def pairs_at(
    pairs: int, url: str, of_worker: Mapping[str, str], of_caller: Mapping[str, str] | None = None
) -> Iterator[Sequence[Asked]]:
    """Run pairs at a Synapse; give the callers.

    Args:
        pairs: How many.
        url: Of the Synapse.
        of_worker: More variables of the environment of the workers.
        of_caller: The same of the callers; by default those of the workers.
    """
    with ExitStack() as stack:

        def start(body: Callable[..., None], variables: Mapping[str, str], pair: int) -> Child:
            return stack.enter_context(Child(within, variables, body, url, NAMESPACE, pair))

        for pair in range(pairs):
            start(ends.worker, of_worker, pair)
        yield [start(ends.caller, of_caller or of_worker, pair) for pair in range(pairs)]


DEFAULT = System("fabric", "cosmonapse, by default", ours.missing, without)
LIBZMQ = System(
    "libzmq",
    "cosmonapse, carrier libzmq",
    ours.missing,
    functools.partial(without, carrier="libzmq"),
)
KEYED = System("keyed", "cosmonapse, keys", ours.missing, running)
