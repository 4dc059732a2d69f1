"""Every limit of the fabric: what is over it costs who sent it, is counted, and harms nobody else.

The table of all limits is docs/limits.md.
"""

import asyncio
import os
import signal as os_signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import zmq

from cosmonapse import Axon, Dendrite, MemorySynapse, SignalTooLarge, SynapseRefused, SynapseServer
from support.processes import TIMEOUT_S, measured, until
from support.rude import (
    ELSEWHERE,
    LimitedSynapse,
    closed_by_peer,
    now_s,
    percentile,
    plain_connections,
    rude_sockets,
    trace_topics,
)
from support.watching import kept
from zmq_transport.sockets import options
from zmq_transport.sockets.carriers import LIBZMQ, ZMTP
from zmq_transport.zmtp.frame_reader import MAX_FRAMES

BYSTANDER = Path(__file__).parents[1] / "support" / "bystander.py"
MIB = 1024 * 1024


async def echo(input, context):
    return input


async def held(input, context):
    await asyncio.Event().wait()


@pytest.fixture
def limited(children, carrier):
    """Start a Synapse with limits of its own."""
    return lambda **limits: LimitedSynapse(children, carrier=carrier, **limits)


@pytest.fixture
def at_work(join):
    """Make a Dendrite with an Axon that echoes, to see whether it is harmed."""

    @asynccontextmanager
    async def working(synapse):
        dendrite = join("bystander", synapse.url)
        dendrite.attach_axon(Axon(neuron_id="echo", neuron_fn=echo))
        async with dendrite:
            yield dendrite
            assert await dendrite.ask(neuron="echo", input={"n": 1}, timeout_s=5.0) == {"n": 1}

    return working


# -- sockets ---------------------------------------------------------------------------------------

FACTORIES = {
    "ROUTER": lambda: options.router(1000),
    "XPUB": options.xpub,
    "XSUB": lambda: options.xsub(1000),
    "DEALER": lambda: options.dealer(1000),
    "SUB": lambda: options.sub(1000),
    "publisher": options.publisher,
}
WRITE_ONLY = {zmq.ROUTER_MANDATORY, zmq.PROBE_ROUTER, zmq.XPUB_MANUAL, zmq.XPUB_VERBOSE}
IN_ALL = {
    zmq.LINGER: 0,
    zmq.SNDHWM: 10_000,
    zmq.RCVHWM: 10_000,
    zmq.HANDSHAKE_IVL: 3000,
    zmq.HEARTBEAT_IVL: 1000,
    zmq.HEARTBEAT_TIMEOUT: 3000,
    zmq.TCP_KEEPALIVE: 1,
    zmq.TCP_KEEPALIVE_IDLE: 60,
    zmq.TCP_KEEPALIVE_INTVL: 10,
    zmq.TCP_KEEPALIVE_CNT: 3,
}
IN_ONE = {
    "ROUTER": {zmq.MAXMSGSIZE: 1000 + 65_536, zmq.BACKLOG: 4096},
    "XPUB": {zmq.MAXMSGSIZE: 576, zmq.BACKLOG: 4096},
    "XSUB": {zmq.MAXMSGSIZE: 1000 + 65_536, zmq.BACKLOG: 4096},
    "DEALER": {zmq.MAXMSGSIZE: 1000 + 65_536, zmq.IMMEDIATE: 1, zmq.RECONNECT_IVL: 3_600_000},
    "SUB": {zmq.MAXMSGSIZE: 1000 + 65_536, zmq.CONNECT_TIMEOUT: 1200},
    "publisher": {zmq.MAXMSGSIZE: 576, zmq.CONNECT_TIMEOUT: 1200},
}


@pytest.mark.parametrize("name", FACTORIES)
def test_every_option_that_is_set_is_in_force_once_the_socket_is_bound(name, monkeypatch):
    was_set = {}
    put = zmq.Socket.set
    monkeypatch.setattr(
        zmq.Socket,
        "set",
        lambda self, key, value: (was_set.update({key: value}), put(self, key, value)),
    )

    with FACTORIES[name]() as socket:
        options.bind(socket, "127.0.0.1", 0)
        read = {option: socket.get(option) for option in was_set.keys() - WRITE_ONLY}

    assert read == {option: was_set[option] for option in read}
    assert {**IN_ALL, **IN_ONE[name]}.items() <= read.items()


def test_a_router_says_that_it_knows_no_such_connection():
    with options.router(1000) as router, pytest.raises(zmq.ZMQError, match="unreachable"):
        router.send_multipart([b"nobody", b""])


def test_a_dealer_probes_and_a_topic_that_was_not_accepted_gets_nothing():
    with options.router(1000) as router, options.dealer(1000) as dealer:
        dealer.connect(options.bind(router, "127.0.0.1", 0))
        end_s = now_s() + 5.0
        while not router.poll(10):
            assert now_s() < end_s
            dealer.get(zmq.EVENTS)  # it takes note of a connection only when it is touched
        assert router.recv_multipart()[1:] == [b""]
    with options.xpub() as xpub, options.sub(1000) as sub:
        sub.connect(options.bind(xpub, "127.0.0.1", 0))
        for topic in (b"first", b"second"):
            sub.subscribe(topic)
            assert xpub.poll(5000)
            assert xpub.recv() == b"\x01" + topic
        xpub.set(zmq.SUBSCRIBE, b"second")
        for topic in (b"first", b"second"):
            xpub.send(topic)
        assert sub.poll(5000)
        assert sub.recv() == b"second"


def test_the_settings_of_a_proxy_reach_its_sockets():
    limits = {"high_water": 77, "handshake_s": 0.25, "max_signal_bytes": 2048}
    with SynapseServer(port=0, carrier=LIBZMQ, **limits) as server:
        proxy = server._running()._proxy
        router, xpub, xsub = proxy._directed._socket, proxy._broadcast._xpub, proxy._broadcast._xsub
        marks = {each.get(option) for each in (router, xpub, xsub) for option in _MARKS}
        intervals = {each.get(zmq.HANDSHAKE_IVL) for each in (router, xpub, xsub)}
        sizes = [each.get(zmq.MAXMSGSIZE) for each in (router, xpub, xsub)]

    assert marks == {77}
    assert intervals == {250}
    assert sizes == [2048 + 65_536, 576, 2048 + 65_536]


_MARKS = (zmq.SNDHWM, zmq.RCVHWM)


# -- connections -----------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_who_connects_and_says_nothing_is_let_go(limited, at_work):
    synapse = limited(handshake_s=0.5)
    async with at_work(synapse):
        base = synapse.descriptors
        with plain_connections(synapse.port, 400) as silent:
            await until(lambda: synapse.descriptors >= base + 400, what="400 more descriptors")
            await until(lambda: all(map(closed_by_peer, silent)), what="the end of all 400")
        await until(lambda: synapse.descriptors <= base, what="the base of descriptors")
        await until(lambda: synapse.count("drop.handshake") == 400)


@pytest.mark.asyncio
async def test_who_shakes_hands_and_never_says_hello_is_cut_in_time(limited, at_work):
    synapse = limited(hello_s=1.0)
    async with at_work(synapse) as dendrite:
        with rude_sockets(zmq.DEALER, synapse.port, 200):
            await until(lambda: synapse.count("cut.no_hello") == 200)
        assert await dendrite.ask(neuron="echo", input={}) == {}
        assert synapse.count("drop.handshake") == 0


@pytest.mark.asyncio
async def test_random_bytes_on_every_port_are_counted_and_do_no_harm(limited, at_work):
    synapse = limited(handshake_s=0.5)
    async with at_work(synapse):
        base = synapse.descriptors
        for port in synapse.ports:
            for _ in range(10):
                with plain_connections(port, 10, os.urandom(200)):
                    pass
        await until(lambda: synapse.descriptors <= base, what="the base of descriptors")
        await until(lambda: synapse.count("connection.closed") >= 295)
        assert synapse.count("drop.handshake") >= 200


@pytest.mark.asyncio
async def test_more_connections_than_descriptors_leave_those_who_are_there_alone(limited, at_work):
    synapse = limited(descriptors=120)
    synapse.child.may_complain = False
    async with at_work(synapse) as dendrite:
        with plain_connections(synapse.port, 300):
            await until(lambda: synapse.count("no_descriptors") >= 5)
            began_s = now_s()
            for n in range(50):
                assert await dendrite.ask(neuron="echo", input={"n": n}) == {"n": n}
            assert now_s() - began_s < 5.0
        await until(lambda: synapse.descriptors < 60)
        async with at_work(synapse):
            pass
    lines = [line.text for line in synapse.child.err if line.text]

    assert len(lines) == 1
    assert lines[0].startswith("all 120 file descriptors are in use")


@pytest.mark.asyncio
async def test_a_dendrite_too_many_is_told_so(limited, join):
    synapse = limited(max_connections=2)
    async with join("one", synapse.url), join("two", synapse.url):
        with pytest.raises(SynapseRefused, match="2 clients are here"):
            await join("three", synapse.url).start()
        assert synapse.count("refused") == 1
    async with join("four", synapse.url):
        pass


@pytest.mark.asyncio
async def test_an_axon_too_many_is_told_by_its_name(limited, join):
    synapse = limited(max_axons=2)
    dendrite = join("many", synapse.url)
    for name in ("first", "second", "third"):
        dendrite.attach_axon(Axon(neuron_id=name, neuron_fn=echo))

    with pytest.raises(SynapseRefused, match="Axon third: one client has at most 2 seats"):
        await dendrite.start()
    assert synapse.count("refused.seat") >= 1


@pytest.mark.asyncio
async def test_an_axon_that_tells_too_much_is_refused_by_its_name(limited, join):
    synapse = limited(max_facts_bytes=1_000)
    dendrite = join("talker", synapse.url)
    capabilities = [f"capability-{number}" for number in range(100)]
    dendrite.attach_axon(Axon(neuron_id="talks", neuron_fn=echo, capabilities=capabilities))

    with pytest.raises(SynapseRefused, match=r"Axon talks: .* at most 1,000 bytes"):
        await dendrite.start()


@pytest.mark.asyncio
async def test_a_caller_with_too_many_open_tasks_is_overloaded_and_no_other_is(
    limited, at_work, join
):
    synapse, may_end = limited(max_open_tasks_per_caller=20), asyncio.Event()

    async def slow(input, context):
        await may_end.wait()
        return {}

    async with at_work(synapse) as neighbour, join("greedy", synapse.url) as greedy:
        await neighbour.add_axon(Axon(neuron_id="slow", neuron_fn=slow))
        errors = kept(greedy.on_error_signal)
        for _ in range(25):
            await greedy.dispatch_task(neuron="slow", input={})
        await until(lambda: len(errors) == 5)

        assert await neighbour.ask(neuron="echo", input={"n": 1}) == {"n": 1}
        may_end.set()

    assert {error.payload["code"] for error in errors[:5]} == {"OVERLOADED"}
    assert synapse.count("full.tasks_of_caller") == 5


@pytest.mark.asyncio
async def test_a_synapse_in_memory_has_the_same_limits():
    synapse = MemorySynapse(max_connections=1, max_axons=1, max_signal_bytes=4096)
    async with Dendrite(synapse=synapse, dendrite_id="one") as dendrite:
        with pytest.raises(SynapseRefused, match="1 clients are here"):
            await Dendrite(synapse=synapse, dendrite_id="two").start()
        with pytest.raises(SignalTooLarge, match="4,096"):
            await dendrite.ask(neuron="echo", input={"x": bytes(4096)})
        await dendrite.add_axon(Axon(neuron_id="first", neuron_fn=echo))
        with pytest.raises(SynapseRefused, match="Axon second: one client has at most 1 seats"):
            await dendrite.add_axon(Axon(neuron_id="second", neuron_fn=echo))


@pytest.mark.asyncio
async def test_the_command_line_sets_the_limits_that_are_set_most(children, join):
    _, url = children.synapse("--max-connections", 1, "--max-signal-bytes", 2048)
    async with join("one", url) as dendrite:
        with pytest.raises(SynapseRefused, match="1 clients are here"):
            await join("two", url).start()
        with pytest.raises(SignalTooLarge, match="2,048"):
            await dendrite.ask(neuron="echo", input={"x": bytes(2048)})


@pytest.mark.parametrize("option", ["--max-connections", "--max-signal-bytes"])
def test_a_limit_that_makes_no_sense_is_a_usage_error(children, option):
    child = children.cosmo("synapse", "start", option, "0")

    assert child.wait() == 2
    assert option in child.said


# -- messages --------------------------------------------------------------------------------------


@pytest.mark.asyncio
@pytest.mark.parametrize("carrier", [ZMTP], indirect=True)
async def test_a_message_of_very_many_frames_cuts_only_who_sent_it(limited, at_work):
    synapse = limited()
    async with at_work(synapse):
        with rude_sockets(zmq.DEALER, synapse.port) as (rude,):
            rude.send_multipart([b"x"] * (MAX_FRAMES + 1))
            await until(lambda: synapse.count("cut.fault") == 1)


@pytest.mark.asyncio
@pytest.mark.parametrize("number", [1, 3, MAX_FRAMES])
async def test_a_message_of_too_many_frames_is_dropped_and_counted(limited, at_work, number):
    synapse = limited()
    async with at_work(synapse):
        with rude_sockets(zmq.DEALER, synapse.port) as (rude,):
            rude.send_multipart([b"x"] * number)
            await until(lambda: synapse.count("drop.frame_count") == 1)
            rude.send_multipart([b"x" * 10_000, b""])
            await until(lambda: synapse.count("drop.long_head") == 1)
            assert synapse.count("connection.closed") == 0


@pytest.mark.asyncio
async def test_an_empty_message_is_a_probe_and_gets_an_answer(limited, at_work):
    synapse = limited()
    async with at_work(synapse):
        with rude_sockets(zmq.DEALER, synapse.port) as (rude,):
            rude.send(b"")
            assert await asyncio.to_thread(rude.poll, 5000)


@pytest.mark.asyncio
async def test_a_frame_over_the_limit_cuts_only_who_sent_it(limited, at_work):
    synapse = limited(max_signal_bytes=MIB)
    async with at_work(synapse) as dendrite:
        with rude_sockets(zmq.DEALER, synapse.port, 2) as (rude, polite):
            polite.send(b"")
            assert await asyncio.to_thread(polite.poll, 5000)
            rude.send_multipart([b"\x01" * 62, bytes(2 * MIB)])
            await until(lambda: synapse.count("connection.closed") == 1)
            polite.send_multipart([b"x"])
            await until(lambda: synapse.count("drop.frame_count") == 1)
        assert await dendrite.ask(neuron="echo", input={}) == {}


@pytest.mark.asyncio
async def test_a_dendrite_learns_the_size_limit_and_refuses_by_itself(limited, at_work):
    synapse = limited(max_signal_bytes=MIB)
    async with at_work(synapse) as dendrite:
        with pytest.raises(SignalTooLarge, match="1,048,576"):
            await dendrite.ask(neuron="echo", input={"x": bytes(MIB)})
        big = {"x": bytes(MIB - 4096)}
        assert await dendrite.ask(neuron="echo", input=big) == big
        assert synapse.count("connection.closed") == 0


@pytest.mark.asyncio
async def test_a_full_axon_says_overloaded_and_goes_on(url, join):
    dendrite = join(url=url)
    dendrite.attach_axon(Axon(neuron_id="full", neuron_fn=held, concurrency=1, max_queued=1))
    await dendrite.start()
    for _ in range(2):
        await dendrite.dispatch_task(neuron="full", input={})
    refused = await dendrite.dispatch_and_wait(neuron="full", input={})

    assert refused.payload["code"] == "OVERLOADED"
    assert refused.payload["message"].endswith("is full: 1 tasks run and 1 wait")
    assert refused.payload["recoverable"] is True


# -- subscriptions ---------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_a_topic_of_two_kib_cuts_only_who_asks_for_it(limited, at_work, namespace):
    synapse = limited()
    async with at_work(synapse) as dendrite:
        with rude_sockets(zmq.SUB, synapse.listen_port, 2) as (rude, polite):
            polite.subscribe(trace_topics(namespace, 1)[0])
            await until(lambda: synapse.count("connection.greeted") == 3)
            rude.subscribe(b"x" * 2048)
            await until(lambda: synapse.count("connection.closed") == 1)
            polite.subscribe(b"no topic of ours")
            await until(lambda: synapse.count("ignored.bad_topic") == 1)
        outputs = kept(dendrite.on_agent_output)
        await dendrite.ask(neuron="echo", input={})
        await until(lambda: outputs)


@pytest.mark.asyncio
async def test_subscriptions_over_the_cap_of_a_host_are_not_accepted(limited, at_work, namespace):
    synapse = limited(max_subscriptions_per_host=50)
    topics = trace_topics(namespace, 200)
    async with at_work(synapse):
        for turn in (1, 2):  # who leaves makes room for the next
            with rude_sockets(zmq.SUB, synapse.listen_port, source=ELSEWHERE) as (rude,):
                for topic in topics:
                    rude.subscribe(topic)
                over = turn * 150
                await until(lambda: synapse.count("ignored.max_topics_per_host") == over)  # noqa: B023
                async with at_work(synapse):
                    pass
            await until(lambda: synapse.count("connection.closed") >= turn)  # noqa: B023


@pytest.mark.asyncio
async def test_one_connection_cannot_use_up_the_subscriptions_of_its_host(
    limited, at_work, namespace
):
    synapse = limited(max_subscriptions_per_host=3_000)
    with rude_sockets(zmq.SUB, synapse.listen_port) as (rude,):
        for topic in trace_topics(namespace, 5_000):
            rude.subscribe(topic)
        await until(lambda: synapse.count("ignored.max_topics_per_connection") == 3_000)

        async with at_work(synapse) as neighbour:
            outputs = kept(neighbour.on_agent_output)
            await neighbour.ask(neuron="echo", input={})
            await until(lambda: outputs)


@pytest.mark.asyncio
async def test_subscriptions_without_end_cost_bounded_memory(limited, at_work, namespace):
    synapse = limited(max_subscriptions_per_connection=5_000)
    number = 20_000
    async with at_work(synapse):
        before_mib = synapse.rss_mib
        with rude_sockets(zmq.SUB, synapse.listen_port, source=ELSEWHERE) as (rude,):
            for topic in trace_topics(namespace, number):
                rude.subscribe(topic)
            over = number - 5_000
            await until(lambda: synapse.count("ignored.max_topics_per_connection") == over)
            more_mib = synapse.rss_mib - before_mib
            async with at_work(synapse):
                pass
    sys.stdout.write(f"{number:,} subscriptions, 5,000 accepted: {more_mib:.1f} MiB\n")

    assert more_mib < 60


# -- slow peers ------------------------------------------------------------------------------------


def asked(watcher):
    """Return how many outputs a bystander saw, and how many it knows to have missed."""
    number = len(watcher.lines("seen", 0)) + 1
    watcher.tell("and now?")
    seen, missed = watcher.lines("seen", number)[-1].split()
    return int(seen), int(missed)


async def calls(dendrite, number, size=100):
    """Return how long each of so many calls took, eight at a time."""
    took_s = []

    async def one():
        began_s = now_s()
        await dendrite.ask(neuron="echo", input={"x": bytes(size)})
        took_s.append(now_s() - began_s)

    for _ in range(number // 8):
        await asyncio.gather(*(one() for _ in range(8)))
    return took_s


@pytest.mark.asyncio
async def test_a_frozen_subscriber_slows_nobody_and_costs_bounded_memory(
    limited, children, at_work, namespace
):
    synapse = limited(high_water=50)
    async with at_work(synapse) as dendrite:
        watcher = children.start(BYSTANDER, synapse.url, namespace)
        watcher.line("ready")
        awake_s = await calls(dendrite, 200, size=100_000)
        before_mib = synapse.rss_mib
        watcher.send(os_signal.SIGSTOP)
        frozen_s = await calls(dendrite, 392, size=100_000)
        more_mib = synapse.rss_mib - before_mib
        watcher.send(os_signal.SIGCONT)
        async with asyncio.timeout(2 * TIMEOUT_S):
            # A later Signal shows the loss of earlier ones; while it catches up that is lost, too.
            while sum(asked(watcher)) < 600:
                await calls(dendrite, 8)
        seen, missed = asked(watcher)
    measured("p99 beside a subscriber that is awake", percentile(awake_s, 0.99))
    measured("p99 beside a frozen one", percentile(frozen_s, 0.99))
    sys.stdout.write(f"40 MB for it cost {more_mib:.1f} MiB; it saw {seen}, missed {missed}\n")

    assert percentile(frozen_s, 0.99) < 3 * percentile(awake_s, 0.99) + 0.005
    assert more_mib < 25
    # On a slow machine a heartbeat ends its connection before its queue is full.
    assert missed > 0 or watcher.says("lost its Synapse")


@pytest.mark.asyncio
async def test_a_subscriber_that_does_not_read_large_signals_costs_bounded_memory(
    limited, children, at_work, namespace
):
    synapse = limited(copy_bytes_per_s=8 * MIB)
    async with at_work(synapse) as dendrite:
        watcher = children.start(BYSTANDER, synapse.url, namespace)
        watcher.line("ready")
        await calls(dendrite, 80, size=500_000)
        before_mib = synapse.rss_mib
        watcher.send(os_signal.SIGSTOP)
        most_mib = before_mib
        for _ in range(20):
            await calls(dendrite, 40, size=500_000)
            most_mib = max(most_mib, synapse.rss_mib)
        watcher.send(os_signal.SIGCONT)
        dropped = synapse.count("drop.copy_budget")
    sys.stdout.write(f"400 MB for it cost {most_mib - before_mib:.1f} MiB, {dropped} dropped\n")

    assert most_mib - before_mib < 100
    assert dropped > 0
