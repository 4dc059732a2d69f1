"""What a real nats-server lets one do, and how it says no."""

import asyncio
import contextlib

import nkeys
import pytest
from nats.aio.client import Client
from nats.errors import Error as NatsError

from cosmonapse.synapse.nats.errors_of import fault_of
from cosmonapse.synapse.nats.place import NatsPlace
from support.nats_servers import certificate, nats_server_with, need_nats_server
from support.processes import TIMEOUT_S

need_nats_server()
CONNECT_S = 3
BEN = """authorization { users = [ { user: ben, password: secret,
  permissions: { publish: ["fine.>"], subscribe: ["fine.>"] } } ] }"""


async def connected(place, faults):
    """Return a client of nats-py; what it is told as an error goes to `faults`."""

    async def note(error):
        faults.append(fault_of(error))

    client = Client()
    try:
        await client.connect(
            list(place.servers),
            error_cb=note,
            allow_reconnect=False,
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            connect_timeout=CONNECT_S,
            **place.options,
        )
    except BaseException:
        # nats-py leaves the socket open; after a handshake of TLS that failed, it never ends.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(client.close(), 0.5)
        raise
    return client


def meets(url, act=None):
    """Return the first fault that a client meets there; None if it gets in and may do all."""

    async def main():
        faults = []
        try:
            client = await connected(NatsPlace.of(url), faults)
        except (NatsError, OSError) as error:
            return fault_of(error)
        try:
            if act is not None:
                await act(client)
            for _ in range(2):  # the first may overtake a subscription in nats-py
                await client.flush()
        finally:
            await client.close()
        return faults[0] if faults else None

    return asyncio.run(main())


def kind_of(fault):
    return None if fault is None else fault.kind


@pytest.mark.parametrize(
    ("who", "kind"),
    [
        ("ben:secret@", None),
        ("ben:wrong@", "authorization"),
        ("anna:secret@", "authorization"),
        ("token@", "authorization"),
        ("", "authorization"),
    ],
)
def test_who_is_not_known_is_refused(who, kind):
    with nats_server_with(BEN) as server:
        assert kind_of(meets(f"nats://{who}{server}")) == kind


def test_what_a_user_may_not_do_is_named():
    async def publish(client):
        await client.publish("else.Where", b"")

    async def subscribe(client):
        await client.subscribe("else.>")

    async def stay(client):
        await client.subscribe("fine.x")
        await client.publish("fine.x", b"")

    with nats_server_with(BEN) as server:
        url = f"nats://ben:secret@{server}"
        assert meets(url, publish).text == "it may not send to else.where"
        assert meets(url, subscribe).subject == "else.>"
        assert meets(url, stay) is None


def test_an_nkey_opens_the_door_and_another_does_not(tmp_path):
    for name, first in (("ben", 1), ("anna", 2)):
        seed = nkeys.encode_seed(bytes([first] * 32), nkeys.PREFIX_BYTE_USER)
        (tmp_path / f"{name}.nk").write_bytes(seed)
    public = nkeys.from_seed(bytearray((tmp_path / "ben.nk").read_bytes())).public_key.decode()

    with nats_server_with(f"authorization {{ users: [ {{ nkey: {public} }} ] }}") as it:
        assert meets(f"nats://{it}?nkey={tmp_path}/ben.nk") is None
        assert kind_of(meets(f"nats://{it}?nkey={tmp_path}/anna.nk")) == "authorization"


def test_with_tls_the_far_end_must_be_trusted(tmp_path):
    cert, key = certificate(tmp_path)

    with nats_server_with(f'tls {{ cert_file: "{cert}", key_file: "{key}" }}') as server:
        assert meets(f"tls://{server}?ca={cert}") is None
        assert meets(f"nats://{server}?ca={cert}") is None
        for scheme in ("tls", "nats"):
            assert "not trusted" in meets(f"{scheme}://{server}").text
        other = server.replace("127.0.0.1", "localhost")
        assert "localhost" in meets(f"tls://{other}?ca={cert}").text


def test_with_tls_a_certificate_of_the_client_may_be_asked_for(tmp_path):
    cert, key = certificate(tmp_path)
    files = f'cert_file: "{cert}", key_file: "{key}", ca_file: "{cert}", verify: true'
    log = tmp_path / "nats-server.log"

    with nats_server_with(f'tls {{ {files} }}\nlog_file: "{log}"') as server:
        assert meets(f"tls://{server}?ca={cert}&cert={cert}&key={key}") is None
        fault = meets(f"tls://{server}?ca={cert}")
        # With TLS 1.3 it may be told when the client thinks that it is connected.
        assert fault is None or "certificate" in fault.text
    assert "client didn't provide a certificate" in log.read_text()


@pytest.mark.parametrize("who", ["", "ben:secret@", "token@"])
def test_with_tls_in_the_url_nothing_is_said_in_plain_text(who):
    heard = []

    async def listen(reader, writer):
        writer.write(b'INFO {"auth_required":true,"headers":true,"max_payload":1048576} \r\n')
        heard.append(await reader.read())
        writer.close()
        await writer.wait_closed()

    async def main():
        async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(Exception, match="secure connection") as caught:
                await connected(NatsPlace.of(f"tls://{who}127.0.0.1:{port}"), [])
            return fault_of(caught.value)

    assert asyncio.run(main()).kind == "tls"
    assert b"".join(heard) == b""


async def alone(url):
    """Connect once the server has let go of the one that asked whether it listens."""
    async with asyncio.timeout(TIMEOUT_S):
        while True:
            try:
                return await connected(NatsPlace.of(url), [])
            except (NatsError, OSError):
                await asyncio.sleep(0.05)


def test_one_connection_too_many_is_a_fault_or_a_lost_connection():
    async def main(url):
        first = await alone(url)
        try:
            await connected(NatsPlace.of(url), [])
        except (NatsError, OSError) as error:  # the end may overtake the words about it
            return error
        finally:
            await first.close()

    with nats_server_with("max_connections: 1") as server:
        error = asyncio.run(main(f"nats://{server}"))

    fault = fault_of(error)
    assert "maximum connections" in fault.text if fault else isinstance(error, ConnectionError)


def test_another_server_is_told_from_a_nats_server():
    async def answer(reader, writer):
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    async def main():
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(Exception, match="INFO") as caught:
                await connected(NatsPlace.of(f"nats://127.0.0.1:{port}"), [])
            return fault_of(caught.value)

    assert "no nats-server" in asyncio.run(main()).text
