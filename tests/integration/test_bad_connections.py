"""Whoever speaks no protocol of ours, or only half of it. Page: docs/bad-input.md."""

import asyncio
import http.client
import os
import sys

import pytest
import zmq

from cosmonapse import Axon
from support.processes import until
from support.rude import (
    ELSEWHERE,
    LimitedSynapse,
    closed_by_peer,
    plain_connections,
    rude_sockets,
    trace_topics,
)
from zmq_transport.sockets.carriers import LIBZMQ, ZMTP


async def echo(input, context):
    return input


@pytest.fixture
def synapse(children, carrier):
    limits = {"handshake_s": 0.5, "max_subscriptions_per_connection": 5_000}
    return LimitedSynapse(children, carrier=carrier, **limits)


@pytest.fixture
def bystander(join, synapse):
    made = join("bystander", synapse.url)
    made.attach_axon(Axon(neuron_id="echo", neuron_fn=echo))
    return made


async def works(dendrite):
    """Ask a Dendrite that was there before; it must be answered."""
    assert await dendrite.ask(neuron="echo", input={"n": 1}, timeout_s=5.0) == {"n": 1}


def http_status(port, method):
    """Ask for a page, and hang up when none comes soon; return its status, or None."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=0.2)
    try:
        connection.request(method, "/", body="x" * 1000 if method == "POST" else None)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


@pytest.mark.asyncio
async def test_a_browser_on_any_port_gets_no_answer_and_is_counted(synapse, bystander):
    asked = [(port, method) for port in synapse.ports for method in ("GET", "POST")]
    async with bystander:
        base = synapse.descriptors
        came = await asyncio.gather(*(asyncio.to_thread(http_status, *each) for each in asked))
        await until(lambda: synapse.count("connection.closed") == len(asked))
        await works(bystander)

        assert came == [None] * len(asked)
        await until(lambda: synapse.descriptors <= base, what="the base of descriptors")


@pytest.mark.asyncio
@pytest.mark.parametrize("carrier", [ZMTP], indirect=True)
async def test_an_http_request_is_hung_up_on_at_once(synapse, bystander):
    async with bystander:
        base = synapse.descriptors
        with plain_connections(synapse.port, 100, b"GET / HTTP/1.1\r\n") as asking:
            await until(lambda: all(map(closed_by_peer, asking)), what="the end of all of them")
            await until(lambda: synapse.count("drop.handshake") == 100)

            assert synapse.descriptors <= base
        await works(bystander)


@pytest.mark.asyncio
@pytest.mark.parametrize("carrier", [LIBZMQ], indirect=True)
async def test_an_http_request_is_hung_up_on_in_time(synapse, bystander):
    request = b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: test\r\nAccept: */*\r\n\r\n"
    async with bystander:
        await works(bystander)
        base = synapse.descriptors
        with plain_connections(synapse.port, 100, request) as asking:
            await until(lambda: all(map(closed_by_peer, asking)), what="the end of all of them")
            await until(lambda: synapse.count("cut.not_greeted") == 100)
            await until(lambda: synapse.descriptors <= base, what="the base of descriptors")
        await works(bystander)


@pytest.mark.asyncio
async def test_1000_connections_that_send_random_bytes_are_counted_and_do_no_harm(
    synapse, bystander
):
    async with bystander:
        await works(bystander)
        base, before_mib = synapse.descriptors, synapse.rss_mib
        with plain_connections(synapse.port, 1000, os.urandom(200)):
            await works(bystander)
        await until(lambda: synapse.descriptors <= base, what="the base of descriptors")
        await until(lambda: synapse.count("connection.accepted") >= 1000)
        await until(
            lambda: synapse.count("drop.handshake") + synapse.count("connection.closed") >= 990,
            what="a count for each of them",  # libzmq waits for more bytes after some first ones
        )
        await works(bystander)
        more_mib = synapse.rss_mib - before_mib
    sys.stdout.write(f"1,000 connections of random bytes: {more_mib:.1f} MiB\n")

    assert more_mib < 30


@pytest.mark.asyncio
async def test_100000_subscriptions_of_one_peer_cost_less_than_1_kib_each(
    synapse, bystander, namespace
):
    number = 100_000
    async with bystander:
        before_mib = synapse.rss_mib
        with rude_sockets(zmq.SUB, synapse.listen_port, source=ELSEWHERE) as (rude,):
            for topic in trace_topics(namespace, number):
                rude.subscribe(topic)
            over = number - 5_000
            ignored = "ignored.max_topics_per_connection"
            await until(lambda: synapse.count(ignored) == over, timeout_s=15.0)
            more_mib = synapse.rss_mib - before_mib
            rude.unsubscribe(trace_topics(namespace, number)[-1])  # one that was never accepted
            await works(bystander)
    sys.stdout.write(f"{number:,} subscriptions, 5,000 of them accepted: {more_mib:.1f} MiB\n")

    assert more_mib * 1024 * 1024 < number * 1024
