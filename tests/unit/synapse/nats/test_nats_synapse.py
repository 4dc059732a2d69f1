"""A Synapse on NATS, found or not, at a real nats-server."""

import asyncio
import time

import pytest

pytest.importorskip("nats", reason="nats-py is not installed")

from cosmonapse import AccessRefused, SynapseRefused, SynapseUnreachable
from cosmonapse.synapse.nats import subjects
from cosmonapse.synapse.nats.line import NatsLine
from cosmonapse.synapse.nats.place import NatsPlace
from cosmonapse.synapse.nats.shares import Beat, pack_beat
from cosmonapse.synapse.nats.synapse import NatsSynapse
from support.nats_servers import nats_server_with, need_nats_server
from support.processes import free_ports

need_nats_server()
pytestmark = pytest.mark.asyncio


class Answering:
    """Says what a router would say to who asks for one."""

    def __init__(self, url, answer):
        self._answer = answer
        self.line = NatsLine(NatsPlace.of(url), "test", self)
        self.up = asyncio.Event()

    def on_up(self):
        self.line.subscribe(subjects.WHO, self._on_who)
        self.up.set()

    def say_nothing(self):
        self._answer = None

    def _on_who(self, asked):
        if self._answer is not None:
            self.line.publish(asked.reply, self._answer)

    def on_down(self, why):
        pass

    def on_fault(self, fault):
        pass


async def reason_of(synapse, timeout_s=0.6):
    with pytest.raises(SynapseUnreachable) as caught:
        await synapse.connect(timeout_s)
    return str(caught.value)


async def test_without_a_nats_server_it_says_so_and_what_to_run():
    url = f"nats://127.0.0.1:{free_ports()}"

    text = await reason_of(NatsSynapse(NatsPlace.of(url)))

    assert "no nats-server answers there" in text
    assert "start a nats-server" in text
    assert f"cosmo synapse start {url}" in text


async def test_what_to_run_has_no_masked_password_and_names_other_credentials():
    where = f"127.0.0.1:{free_ports()}"

    text = await reason_of(NatsSynapse(NatsPlace.of(f"nats://ada:secret@{where}")))

    run = f"run 'cosmo synapse start nats://{where}', with the credentials of the Synapses"
    assert text.endswith(run)
    assert "secret" not in text


async def test_without_a_router_it_says_so_and_what_to_run():
    with nats_server_with() as where:
        text = await reason_of(NatsSynapse(NatsPlace.of(f"nats://{where}")))

    assert "nats-server answers, but no Synapse is there" in text
    assert f"run 'cosmo synapse start nats://{where}'" in text


async def test_it_is_found_when_a_router_answers_and_also_one_that_comes_later():
    with nats_server_with() as where:
        router = Answering(f"nats://{where}", pack_beat(Beat(bytes(16), 0, leaves=False)))
        synapse = NatsSynapse(NatsPlace.of(f"nats://{where}"))
        connecting = asyncio.create_task(synapse.connect(20.0))
        await asyncio.wait([connecting], timeout=0.3)
        assert not connecting.done()

        router.line.start()
        await connecting

        router.line.close()
        await router.line.closed()
    assert synapse.url == f"nats://{where}"
    await synapse.close()


async def test_a_router_that_does_not_answer_is_slow_and_one_of_another_version_refused():
    with nats_server_with() as where:
        router = Answering(f"nats://{where}", b"\x02 a beat of another version")
        router.line.start()
        await router.up.wait()
        with pytest.raises(SynapseRefused, match="another version"):
            await NatsSynapse(NatsPlace.of(f"nats://{where}")).connect(20.0)

        router.say_nothing()
        text = await reason_of(NatsSynapse(NatsPlace.of(f"nats://{where}")))
        router.line.close()
        await router.line.closed()

    assert "no Synapse did in time" in text
    assert "timeout_s" in text


async def test_a_wrong_password_is_refused_at_once_and_no_text_shows_it():
    users = "authorization { users = [ { user: ada, password: right } ] }"
    with nats_server_with(users) as where:
        synapse = NatsSynapse(NatsPlace.of(f"nats://ada:wrongpassword@{where}"))
        since_s = time.monotonic()
        with pytest.raises(AccessRefused) as caught:
            await synapse.connect(20.0)

    assert time.monotonic() - since_s < 10.0
    assert "wrongpassword" not in f"{caught.value} {synapse} {synapse.url}"
