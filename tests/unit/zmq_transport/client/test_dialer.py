"""The attempts of a client at several proxies: which it leaves, and what it tells of them."""

import asyncio
import contextlib

import pytest

from zmq_transport.access.curve_keys import ClientKeys, KeyPair
from zmq_transport.client import stranger_report
from zmq_transport.client.curve import Curve
from zmq_transport.client.dialer import Dialer
from zmq_transport.client.refusals import Answer
from zmq_transport.errors import AccessFault, Cause
from zmq_transport.sockets import options
from zmq_transport.sockets.endpoints import TcpEndpoint, TcpEndpoints

pytestmark = pytest.mark.asyncio
A, B, C = (TcpEndpoint(f"10.0.0.{number}", 7070) for number in (1, 2, 3))
WAIT_S = 10.0


class FakeLine:
    """A line whose attempts are `dialled`; the test says what becomes of each."""

    def __init__(self):
        self.dialled = asyncio.Queue()
        self.hung_up = []
        self.events = None
        self._address = None

    def open(self, events):
        self.events = events

    def dial(self, attempt):
        self._address = attempt.address
        self.dialled.put_nowait(attempt.address)

    def hang_up(self):
        self.hung_up.append(self._address)

    def close(self):
        pass

    async def next(self):
        async with asyncio.timeout(WAIT_S):
            return await self.dialled.get()

    async def dials(self, *addresses):
        for address in addresses:
            assert await self.next() == address
            self.events.on_down()

    async def connects(self, address):
        assert await self.next() == address
        self.events.on_connected()
        self.events.on_established()


@contextlib.asynccontextmanager
async def dialling(*places, proxies=(b"1" * 32,), faults=None):
    line = FakeLine()
    curve = None
    if faults is not None:
        curve = Curve(ClientKeys("ada", KeyPair(b"p" * 32, b"s" * 32), proxies))
    faults = [] if faults is None else faults
    on_refused = lambda *fault: faults.append(fault)  # noqa: E731
    dialer = Dialer(line, TcpEndpoints(places), lambda: None, on_refused, curve)
    dialer.start()
    yield dialer, line
    dialer.close()


@pytest.fixture(autouse=True)
def short_pauses_and_no_network(monkeypatch):
    monkeypatch.setattr(options.dice, "random", lambda: 0.0)
    monkeypatch.setattr(stranger_report, "what_answers", lambda *_, **__: Answer())


async def test_each_place_of_a_list_is_tried_and_again():
    async with dialling(A, B, C) as (_, line):
        await line.dials(A, B, C, A, B, C)


async def test_a_standby_is_hung_up_and_the_next_place_is_tried():
    async with dialling(A, B) as (dialer, line):
        await line.connects(A)
        dialer.pass_over([], [])

        assert line.hung_up == [A]
        await line.connects(B)
        dialer.on_welcomed()
        assert dialer.address == B


async def test_what_a_standby_names_is_tried_behind_the_others_and_forgotten_at_a_welcome():
    async with dialling(A, B) as (dialer, line):
        await line.connects(A)
        dialer.pass_over([], [C, B])
        await line.dials(B)
        await line.dials(C)
        await line.connects(A)
        dialer.on_welcomed()
        line.events.on_down()

        await line.dials(A, B, A, B)


async def test_a_place_that_was_named_and_let_this_in_stays_the_first():
    async with dialling(A) as (dialer, line):
        await line.connects(A)
        dialer.pass_over([], [C])
        await line.connects(C)
        dialer.on_welcomed()
        line.events.on_down()

        await line.dials(C, A, C, A)


async def test_who_names_the_same_again_and_again_is_asked_with_pauses():
    async with dialling(A) as (dialer, line):
        await line.connects(A)
        dialer.pass_over([], [B])
        await line.dials(B)
        await line.connects(A)
        since_s = asyncio.get_running_loop().time()
        dialer.pass_over([], [B, A])
        await line.dials(B, A)

        assert asyncio.get_running_loop().time() - since_s >= 0.009


async def test_no_more_than_sixteen_places_are_taken_from_a_standby():
    named = [TcpEndpoint(f"10.0.1.{number}", 7070) for number in range(40)]
    async with dialling(A) as (dialer, line):
        await line.connects(A)
        dialer.pass_over([], named)

        await line.dials(*named[:16], A)


async def test_a_client_is_alone_in_the_second_round_until_a_welcome():
    async with dialling(A, B) as (dialer, line):
        await line.dials(A)
        await line.connects(B)
        was_alone = dialer.is_alone
        dialer.pass_over([], [])
        await line.dials(A)
        await line.connects(B)

        assert (was_alone, dialer.is_alone) == (False, True)
        dialer.on_welcomed()
        assert not dialer.is_alone


async def test_a_late_word_of_a_standby_is_not_taken_for_one_of_the_next_proxy():
    async with dialling(A, B) as (dialer, line):
        await line.connects(A)
        dialer.pass_over([], [])
        assert await line.next() == B
        dialer.pass_over([], [C])
        dialer.on_welcomed()

        assert line.hung_up == [A]
        assert not dialer.is_alone


async def test_the_diagnosis_names_who_stands_by_and_who_does_not_answer():
    async with dialling(A, B) as (dialer, line):
        await line.dials(A)
        await line.connects(B)
        dialer.pass_over(["cosmo://10.0.0.1:7070"], [])

        found = dialer.diagnosis()

    assert found.cause is Cause.STANDBY
    assert found.text == (
        f"{B} stands by and lets nobody in, the others of its fabric are cosmo://10.0.0.1:7070; "
        f"no process listens at {A} (2 tries)"
    )


async def test_each_key_of_a_proxy_is_tried_at_each_place_in_one_round():
    keys = b"1" * 32, b"2" * 32
    async with dialling(A, B, proxies=keys, faults=[]) as (dialer, line):
        curve, expected = dialer._curve, []
        for address in (A, A, B, B):
            assert await line.next() == address
            expected.append(curve.proxy)
            line.events.on_connected()
            line.events.on_down()

    assert expected == [*keys, *keys]


async def test_the_refusal_of_one_place_is_told_though_another_one_stands_by():
    faults = []
    async with dialling(A, B, faults=faults) as (dialer, line):
        assert await line.next() == A
        line.events.on_connected()
        line.events.on_down(is_unlisted=True)
        await line.connects(B)
        dialer.pass_over([], [])

    assert faults == [(A, AccessFault.UNLISTED)]


async def test_the_refusal_of_one_place_is_not_told_where_another_one_lets_this_in():
    faults = []
    async with dialling(A, B, faults=faults) as (dialer, line):
        assert await line.next() == A
        line.events.on_connected()
        line.events.on_down(is_unlisted=True)
        await line.connects(B)
        dialer.on_welcomed()

    assert faults == []
