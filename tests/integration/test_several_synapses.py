"""A client that is given several Synapses finds the one that leads, and says so when none does."""

import asyncio
import socket

import pytest

from cosmonapse import Dendrite, SynapseUnreachable, connect_synapse, synapse_from_url
from support.processes import closed_port, until
from support.standby import Standby
from support.transport import RunningProxy
from zmq_transport.client import resolve
from zmq_transport.client.dial_plan import Attempt
from zmq_transport.client.libzmq_line import LibzmqLine
from zmq_transport.sockets.carriers import CARRIERS
from zmq_transport.sockets.endpoints import TcpEndpoint

pytestmark = pytest.mark.asyncio
HERE = "127.0.0.1"


@pytest.fixture
def standby():
    with Standby() as made:
        yield made


def listed(*ports):
    return "cosmo://" + ",".join(f"{HERE}:{port}" for port in ports)


async def opened(url, carrier, **settings):
    """Return a Dendrite that has found its Synapse."""
    dendrite = Dendrite(synapse=synapse_from_url(url, carrier=carrier), **settings)
    await dendrite.start(10.0)
    return dendrite


@pytest.mark.parametrize("carrier", CARRIERS)
async def test_a_list_whose_first_place_is_dead_and_whose_second_stands_by_leads_to_the_third(
    children, standby, carrier
):
    proxy = RunningProxy(children)
    url = listed(closed_port(), standby.port, proxy.ports[0])

    synapse = await connect_synapse(url)
    await synapse.close()
    dendrite = await opened(url, carrier)

    assert dendrite.synapse.url == url
    assert [each.alone for each in standby.hellos] == [False]
    await dendrite.stop()


@pytest.mark.parametrize("carrier", CARRIERS)
async def test_who_knows_a_standby_only_is_led_to_the_fabric(children, carrier):
    proxy = RunningProxy(children)
    with Standby("nonsense", f"cosmo://{HERE}:{proxy.ports[0]}") as standby:
        dendrite = await opened(f"cosmo://{HERE}:{standby.port}", carrier)

        assert len(standby.hellos) == 1
        await dendrite.stop()


@pytest.mark.parametrize("carrier", CARRIERS)
async def test_a_name_of_which_one_address_stands_by_is_as_good_as_a_list(
    children, standby, carrier, monkeypatch
):
    addresses = [HERE, "127.0.0.2"]
    monkeypatch.setattr(resolve, "lookup", lambda host, port: addresses)
    proxy = RunningProxy(children, standby.port, host=addresses[1])

    dendrite = await opened(f"cosmo://two-addresses:{proxy.ports[0]}", carrier)

    assert len(standby.hellos) == 1
    await dendrite.stop()


@pytest.mark.parametrize("carrier", CARRIERS)
async def test_who_meets_standbys_only_says_alone_from_the_second_round_on_and_names_both(
    standby, carrier
):
    leader = closed_port()
    with Standby(f"cosmo://{HERE}:{leader}") as second:
        dendrite = Dendrite(
            synapse=synapse_from_url(listed(standby.port, second.port), carrier=carrier)
        )
        with pytest.raises(SynapseUnreachable) as caught:
            await dendrite.start(1.0)

    first, *others = (each.alone for each in standby.hellos)
    assert not first
    assert others
    assert all(others)
    text = str(caught.value)
    both = [f"tcp://{HERE}:{each}" for each in (standby.port, second.port)]
    # The one that was asked last is named last, and the time may end in the midst of a round.
    assert any(f"{' and '.join(order)} stand" in text for order in (both, both[::-1])), text
    assert f"cosmo://{HERE}:{leader}" in text
    assert f"no process listens at tcp://{HERE}:{leader}" in text


async def test_who_is_held_by_a_standby_says_so_when_its_time_is_over():
    with Standby(holds=True) as standby:
        dendrite = Dendrite(synapse=synapse_from_url(f"cosmo://{HERE}:{standby.port}"))
        with pytest.raises(SynapseUnreachable) as caught:
            await dendrite.start(1.0)

    assert f"tcp://{HERE}:{standby.port} stands by" in str(caught.value)
    assert [each.alone for each in standby.hellos][:2] == [False, True]


async def read_to_the_end(connection):
    while await asyncio.get_running_loop().sock_recv(connection, 4096):
        pass


async def test_a_connection_that_is_broken_off_is_reset(children):
    with socket.create_server((HERE, 0)) as server:
        port = server.getsockname()[1]
        dendrite = Dendrite(synapse=synapse_from_url(f"cosmo://{HERE}:{port}"))
        starting = asyncio.ensure_future(dendrite.start(10.0))
        server.setblocking(False)
        loop = asyncio.get_running_loop()
        connection, _ = await loop.sock_accept(server)
        connection.setblocking(False)
        await loop.sock_recv(connection, 64)
        await loop.sock_sendall(connection, b"HTTP/1.1 400 Bad Request" + bytes(100))

        with pytest.raises(ConnectionResetError):
            await read_to_the_end(connection)
        connection.close()
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    await until(lambda: starting.done())


class Noted:
    """Keeps the order of the events and the messages of a line."""

    def __init__(self):
        self.order = []

    def on_message(self, head, body):
        self.order.append("message")

    def __getattr__(self, name):
        return lambda *_, **__: self.order.append(name)


async def test_a_message_over_libzmq_does_not_overtake_the_news_of_its_connection(standby):
    noted = Noted()
    line = LibzmqLine(noted, 1024)
    line.open(noted)
    line.dial(Attempt(TcpEndpoint(HERE, standby.port), 5.0, 5.0))
    # While the loop stands still both come, and at its next turn the socket is looked at first.
    assert line._socket.poll(10_000)
    await asyncio.sleep(0)

    line.hang_up()
    line.close()
    assert noted.order == ["on_connected", "on_established", "message"]
