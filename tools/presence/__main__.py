"""What presence costs a Synapse: `python -m tools.presence [--engine N...] [--connected N...]`.

Clients with one Axon each, which only send HEARTBEATs. First in the engine alone, in this process
and without a socket, on a clock of its own: the CPU time of the ticks and of the HEARTBEATs apart.
Then over real connections to a Synapse of its own: the CPU time of its process, as Linux counts it.

`ulimit -Hn` says how many may be connected here. A minute.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from urllib.parse import urlsplit

import attrs

from cosmonapse.bench.children import Child
from zmq_transport.proxy.engine import Engine
from zmq_transport.proxy.settings import Settings

from ..bench.cpu_time import Meter
from ..bench.started import synapse
from .crowd import beat
from .messages import Client

_ENGINE = (1_000, 10_000, 60_000)
_CONNECTED = (1_000, 10_000)
_PROCESSES = 2
_TICK_S = 0.1
_SETTLES_S = 3.0  # what a start leaves to do
_STARTS_S = 120.0
_LAGS_MS = 5


@attrs.frozen
class Share:
    """What presence takes of a core in the engine alone.

    Args:
        ticks: Share of the ticks, 0 to 1.
        heartbeats: Share of the HEARTBEATs.
        sent: Messages that the ticks send in a second.
    """

    ticks: float
    heartbeats: float
    sent: float


def in_engine(count: int, *, reports_ends: bool, seconds: int) -> Share:
    """Measure an engine with `count` clients for some seconds of a clock of its own."""
    settings = Settings(max_peers=count)
    engine = Engine(epoch=bytes(16), now_s=0.0, settings=settings, reports_ends=reports_ends)
    clients = [Client(number) for number in range(1, count + 1)]
    for client in clients:
        for message in (client.hello(), client.register()):
            engine.on_message(client.connection, *message, 0.0)
    beats = [(each.connection, *each.heartbeat(each.number % _LAGS_MS)) for each in clients]
    turns_each = round(settings.heartbeat_s / _TICK_S)
    gc.collect()
    ticks_s = beats_s = 0.0
    sent = 0
    for turn in range(1, round(seconds / _TICK_S) + 1):
        now_s = turn * _TICK_S
        some = beats[turn % turns_each :: turns_each]
        began_s = time.process_time()
        for each in some:
            engine.on_message(*each, now_s)
        between_s = time.process_time()
        sent += len(engine.tick(now_s))
        beats_s += between_s - began_s
        ticks_s += time.process_time() - between_s
    return Share(ticks_s / seconds, beats_s / seconds, sent / seconds)


@attrs.frozen
class Load:
    """What presence takes of a core at a Synapse with sockets.

    Args:
        own: Share of a core in its own thread, 0 to 1.
        libzmq: Share in the threads of libzmq.
        heartbeats: HEARTBEATs in a second.
        late_s: How late the latest of them was sent, in seconds.
    """

    own: float
    libzmq: float
    heartbeats: float
    late_s: float


def over_connections(count: int, carrier: str, seconds: int) -> Load:
    """Measure a Synapse of its own with `count` clients."""
    every_s = Settings().heartbeat_s
    with synapse("--carrier", carrier) as (pid, url), ExitStack() as stack:
        at = urlsplit(url)
        each = max(1, count // _PROCESSES)
        crowds = [
            stack.enter_context(Child(beat, at.hostname, at.port, 1 + first, each, every_s))
            for first in range(0, each * _PROCESSES, each)
        ]
        for crowd in crowds:
            crowd.ask("sent", timeout_s=_STARTS_S)
        time.sleep(_SETTLES_S)
        for crowd in crowds:
            crowd.ask("sent")
        taken = Meter([pid]).take(lambda: time.sleep(seconds))
        told = [crowd.ask("sent") for crowd in crowds]
    (used,) = taken.processes
    beats = sum(sent for sent, _ in told) / seconds
    late_s = max(late_s for _, late_s in told)
    return Load(used.own / seconds, used.libzmq / seconds, beats, late_s)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print a line for each number of clients."""
    parser = argparse.ArgumentParser(prog="python -m tools.presence", description=__doc__)
    add: Callable[..., object] = parser.add_argument
    add("--engine", type=int, nargs="*", default=_ENGINE, metavar="N", help="in the engine alone")
    add("--connected", type=int, nargs="*", default=_CONNECTED, metavar="N", help="with sockets")
    add("--carrier", choices=("zmtp", "libzmq"), default="zmtp")
    add("--seconds", type=int, default=10, metavar="S", help="of each measurement")
    given = parser.parse_args(arguments)
    print(f"carrier {given.carrier}, shares of one core")
    for count in given.engine:
        share = in_engine(count, reports_ends=given.carrier == "zmtp", seconds=given.seconds)
        each_us = share.heartbeats / count * Settings().heartbeat_s * 1e6
        print(
            f"{count:>7,} in the engine: ticks {share.ticks:6.2%}, HEARTBEATs "
            f"{share.heartbeats:6.2%} ({each_us:.1f} us each), {share.sent:,.0f} sent a second",
            flush=True,
        )
    for count in given.connected:
        load = over_connections(count, given.carrier, given.seconds)
        each_us = (load.own + load.libzmq) / load.heartbeats * 1e6
        print(
            f"{count:>7,} connected: {load.own:6.1%}, {load.libzmq:.1%} in libzmq "
            f"({each_us:.1f} us for each of {load.heartbeats:,.0f} HEARTBEATs a second, "
            f"sent up to {load.late_s:.2f} s late)",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
