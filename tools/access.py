"""What keys cost beside calls, and how soon they act: `python -m tools.access [part ...]`.

A Synapse with keys of its own for each part. `starts`: the CPU time of a Dendrite that starts and
stops, and of 1,000 that start together. `refusals`: how soon a wrong key is told. `revocation`: how
soon a revoked key is out, what others feel, and how soon it is back once it is allowed again.
`strangers`: callers beside 100 connections a second that have no listed key. Linux only.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from types import MappingProxyType

import attrs
import zmq
from zmq.utils import z85

from cosmonapse import AccessRefused, Dendrite, connect_synapse
from cosmonapse.bench import ends
from cosmonapse.bench.children import BenchError, Child, next_question
from cosmonapse.bench.figures import Table, spread
from cosmonapse.errors import CosmonapseError
from cosmonapse.key_ring import KeyRing, remove_member
from cosmonapse.keys import Key
from cosmonapse.runtime.environment import CARRIER_VARIABLE, KEY_VARIABLE
from cosmonapse.synapse.access import new_pair

from .bench import crowd, fabric
from .bench.cpu_time import used
from .bench.started import synapse
from .bench.systems.keyed import Keys, made_keys, within

_MEMBER = ("dispatch", "serve", "watch", "broadcast", "inspect")
_RIGHTS = {
    "member": _MEMBER,
    "worker": ("serve",),
    "caller": ("dispatch",),
    "revoked": ("dispatch",),
}
_TRIES_A_SECOND = 100
_CALL_S = 0.2
_LONGEST_S = 60.0


Variables = Mapping[str, str]


@attrs.frozen
class Sizes:
    """How much is measured.

    Args:
        starts: Starts of one Dendrite after another.
        crowd: Dendrites that start together.
        tries: Refusals of each kind.
        rounds: Of the other parts.
        load_s: Seconds of calls that one measurement of their time takes.
        revoked_s: Seconds for which a key stays revoked.
    """

    starts: int = 100
    crowd: int = 1_000
    tries: int = 20
    rounds: int = 5
    load_s: float = 2.0
    revoked_s: float = 5.0


_QUICK = Sizes(3, 20, 2, 1, 0.3, 0.5)


@attrs.frozen
class Place:
    """A Synapse that runs.

    Args:
        pid: Its process.
        url: Its URL.
        variables: What a process needs to join it, in its environment.
    """

    pid: int
    url: str
    variables: Variables


@attrs.frozen
class KeyedPlace(Place):
    """A Synapse with keys.

    Args:
        keys: Its keys.
        files: Those of clients, by name.
    """

    keys: Keys
    files: Mapping[str, Path]


@contextmanager
def with_keys() -> Iterator[KeyedPlace]:
    """Run a Synapse with keys, which knows some clients."""
    with made_keys() as keys:
        files = {name: keys.allow(name, may) for name, may in _RIGHTS.items()}
        with synapse("--keys", keys.ring) as (pid, url):
            yield KeyedPlace(pid, url, {KEY_VARIABLE: str(files["member"])}, keys, files)


@contextmanager
def without(carrier: str) -> Iterator[Place]:
    """Run a Synapse without keys."""
    with synapse("--carrier", carrier) as (pid, url):
        yield Place(pid, url, {CARRIER_VARIABLE: carrier})


def _end(stack: ExitStack, body: Callable[..., None], place: KeyedPlace, name: str) -> Child:
    """Start the worker or the caller of a measurement with the key of that name."""
    variables = {KEY_VARIABLE: str(place.files[name])}
    return stack.enter_context(Child(within, variables, body, place.url, fabric.NAMESPACE))


# -- starts ----------------------------------------------------------------------------------------


def starts(sizes: Sizes) -> list[Table]:
    """Measure starts, one after the other and a thousand together."""
    rows, crowds = [], []
    for label, place in (
        ("default, without keys", without("zmtp")),
        ("carrier libzmq, without keys", without("libzmq")),
        ("keys", with_keys()),
    ):
        with place as at:
            rows.append((label, *_one_by_one(at, sizes.starts)))
            crowds.append((label, *_together(at, sizes.crowd)))
    head = ("a Dendrite starts and stops", "ms: p50", "CPU ms: Synapse", "CPU ms: its process")
    many = (f"{sizes.crowd:,} Dendrites start together", "s", "CPU s: Synapse")
    return [
        Table(f"starts: medians of {sizes.starts}", head, rows),
        Table("starts of a crowd, in four processes", many, crowds),
    ]


def _one_by_one(place: Place, count: int) -> tuple[str, str, str]:
    with Child(within, place.variables, fabric.starter, place.url) as starter:
        starter.ask("starts", 10, 1, 2)
        before = used(place.pid).all, used(starter.pid).all
        took_s = starter.ask("starts", count, 1, 2)
        after = used(place.pid).all, used(starter.pid).all
    cpu_ms = [1000 * (now - was) / count for now, was in zip(after, before, strict=True)]
    return f"{1000 * statistics.median(took_s):.1f}", f"{cpu_ms[0]:.2f}", f"{cpu_ms[1]:.2f}"


def _together(place: Place, count: int) -> tuple[str, str]:
    with ExitStack() as stack:
        began_s, before_s = time.monotonic(), used(place.pid).all
        crowds = crowd.gathered(
            stack, place.url, fabric.NAMESPACE, count, variables=place.variables
        )
        took_s, cpu_s = time.monotonic() - began_s, used(place.pid).all - before_s
        crowd.dispersed(crowds)
    return f"{took_s:.1f}", f"{cpu_s:.2f}"


# -- refusals --------------------------------------------------------------------------------------


def refusals(sizes: Sizes) -> list[Table]:
    """Measure how long a refusal takes."""
    rows = []
    with with_keys() as keyed, without("zmtp") as open_place:
        known = Key.read(keyed.files["member"])
        publics = KeyRing.read(keyed.keys.ring).publics
        other = new_pair()[0]
        for label, place, key in (
            ("no key", keyed, None),
            ("a key that is not listed", keyed, Key("member", *new_pair(), publics)),
            ("another key of the Synapse", keyed, attrs.evolve(known, synapse=(other,))),
            ("a key, and a Synapse without", open_place, known),
        ):
            took_s = [asyncio.run(_refused(place.url, key)) for _ in range(sizes.tries)]
            rows.append((label, spread([1000 * each for each in took_s], 1)))
        took_s = [asyncio.run(_welcome(keyed.url, known)) for _ in range(sizes.tries)]
        rows.append(("the right key, until it is welcome", spread([1000 * t for t in took_s], 1)))
    return [Table(f"refusals: median (least to most) of {sizes.tries}", ("tried with", "ms"), rows)]


async def _refused(url: str, key: Key | None) -> float:
    begin_s = time.perf_counter()
    try:
        await connect_synapse(url, key=key)
    except AccessRefused:
        return time.perf_counter() - begin_s
    raise BenchError("it was let in")


async def _welcome(url: str, key: Key) -> float:
    begin_s = time.perf_counter()
    async with Dendrite(synapse=await connect_synapse(url, key=key), namespace=fabric.NAMESPACE):
        return time.perf_counter() - begin_s


# -- revocation ------------------------------------------------------------------------------------


def revocation(sizes: Sizes) -> list[Table]:
    """Measure how soon a revoked key is out, and back."""
    rows = []
    for _ in range(sizes.rounds):
        with with_keys() as place, ExitStack() as stack:
            _end(stack, ends.worker, place, "worker")
            caller = _end(stack, ends.caller, place, "caller")
            caller.ask("load", 1, 0.5)
            caller.begin("load", 1, 0.8 * sizes.revoked_s)
            key = Key.read(place.files["revoked"])
            rows.append(asyncio.run(_revoke(place, key, sizes.revoked_s)))
            rows[-1] += (1000 * caller.end().max_s,)
    shown = zip(*rows, strict=True)
    labels = (
        "until the last answer to the revoked key, ms",
        f"allowed again after {sizes.revoked_s:g} s: until it is answered, s",
        "the slowest call of another key meanwhile, ms",
    )
    cells = [(label, spread(list(values), 1)) for label, values in zip(labels, shown, strict=True)]
    return [Table(f"revocation: median (least to most) of {sizes.rounds}", ("", "took"), cells)]


async def _revoke(place: KeyedPlace, key: Key, stay_s: float) -> tuple[float, ...]:
    synapse_ = await connect_synapse(place.url, key=key)
    async with Dendrite(synapse=synapse_, namespace=fabric.NAMESPACE) as dendrite:
        await _answered(dendrite)
        member = KeyRing.read(place.keys.ring).member(key.name)
        remove_member(place.keys.ring, key.name)
        revoked_s = last_s = time.monotonic()
        while time.monotonic() < revoked_s + stay_s:
            if await _answered(dendrite):
                last_s = time.monotonic()
        place.keys.allow_again(member)
        allowed_s = time.monotonic()
        while not await _answered(dendrite):
            if time.monotonic() > allowed_s + _LONGEST_S:
                raise BenchError("it did not come back")
        return 1000 * (last_s - revoked_s), time.monotonic() - allowed_s


async def _answered(dendrite: Dendrite) -> bool:
    with suppress(CosmonapseError, TimeoutError):
        await dendrite.ask(neuron=ends.echo_id(), input={}, timeout_s=_CALL_S)
        return True
    await asyncio.sleep(0.005)
    return False


# -- strangers -------------------------------------------------------------------------------------


def tries(connection: Connection, ports: Sequence[int], public: bytes, rate: float) -> None:
    """Connect with an unlisted key, and without one, in turns; tell how many, when asked."""
    context, made, own = zmq.Context(), 0, zmq.curve_keypair()
    connection.send(None)
    while (question := next_question(connection)) is not None:
        opened: list[zmq.Socket[bytes]] = []
        end_s = time.monotonic() + question[1][0]
        for number, port in zip(itertools.count(), itertools.cycle(ports)):
            if time.monotonic() >= end_s:
                break
            each = context.socket(zmq.DEALER)
            each.set(zmq.LINGER, 0)
            each.set(zmq.RECONNECT_IVL, -1)
            if number % 2:
                each.set(zmq.CURVE_PUBLICKEY, own[0])
                each.set(zmq.CURVE_SECRETKEY, own[1])
                each.set(zmq.CURVE_SERVERKEY, z85.encode(public))
            each.connect(f"tcp://127.0.0.1:{port}")
            opened.append(each)
            made += 1
            if len(opened) > rate:
                opened.pop(0).close()
            time.sleep(1 / rate)
        for each in opened:
            each.close()
        connection.send(made)


def strangers(sizes: Sizes) -> list[Table]:
    """Measure callers with and without strangers, in turns."""
    with with_keys() as place, ExitStack() as stack:
        _end(stack, ends.worker, place, "worker")
        caller = _end(stack, ends.caller, place, "caller")
        port = int(place.url.rpartition(":")[2])
        public = KeyRing.read(place.keys.ring).public
        trying = stack.enter_context(Child(tries, [port], public, _TRIES_A_SECOND))
        caller.ask("load", 16, 1.0)
        rows = []
        for outstanding in (1, 16):
            alone, beside = [], []
            for _ in range(sizes.rounds):
                alone.append(_p99_ms(caller, outstanding, sizes.load_s))
                trying.begin("try", sizes.load_s)
                beside.append(_p99_ms(caller, outstanding, sizes.load_s))
                made = trying.end()
            ratios = [with_ / without_ for with_, without_ in zip(beside, alone, strict=True)]
            rows.append((str(outstanding), spread(alone, 1), spread(beside, 1), spread(ratios, 2)))
    head = ("outstanding", "p99 ms alone", "p99 ms beside them", "ratio, within a round")
    caption = f"strangers: {_TRIES_A_SECOND} a second, {made:,} in all"
    return [Table(caption, head, rows)]


def _p99_ms(caller: Child, outstanding: int, load_s: float) -> float:
    return 1000 * float(caller.ask("load", outstanding, load_s).p99_s)


PARTS: MappingProxyType[str, Callable[[Sizes], list[Table]]] = MappingProxyType(
    {each.__name__: each for each in (starts, refusals, revocation, strangers)}
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tools.access", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="does it run? the figures say nothing")
    given = parser.parse_args(arguments)
    sizes = _QUICK if given.quick else Sizes()
    if unknown := sorted(set(given.parts) - set(PARTS)):
        parser.error(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    for name in given.parts or PARTS:
        for table in PARTS[name](sizes):
            print(f"{table}\n", flush=True)


if __name__ == "__main__":
    main()
