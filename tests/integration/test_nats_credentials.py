"""Users by JWT at a real nats-server: files of credentials, by argument, variable and option."""

import asyncio

import pytest

from cosmonapse import AccessRefused, Axon, Dendrite, connect_synapse
from cosmonapse.synapse.nats.server_conf import client_rights, router_rights
from support.nats_jwt import Operator
from support.nats_servers import nats_server_with, need_nats_server

need_nats_server()


@pytest.fixture
def url(tmp_path, children):
    """Yield the URL of a nats-server with a Synapse; the credentials are beside the test."""
    operator = Operator()
    operator.write_creds(tmp_path / "synapse.creds", "synapse", router_rights("synapse"))
    operator.write_creds(tmp_path / "ben.creds", "ben", client_rights("ben", ["red"]))
    Operator().write_creds(tmp_path / "else.creds", "ben", client_rights("ben", ["red"]))
    with nats_server_with(operator.conf) as server:
        creds = ("--creds", tmp_path / "synapse.creds")
        started = children.cosmo("synapse", "start", f"nats://{server}", *creds, "--quiet")
        assert started.says("slots"), started.said
        yield f"nats://{server}"


async def echo(input, context):
    return {"echo": input}


async def ask(url, namespace, **options):
    synapse = await connect_synapse(url, **options)
    async with Dendrite(synapse=synapse, namespace=namespace) as dendrite:
        await dendrite.add_axon(Axon(neuron_id="echo", neuron_fn=echo))
        return await dendrite.ask(neuron="echo", input=1, timeout_s=5)


def test_credentials_let_in(url, tmp_path, monkeypatch):
    ben = tmp_path / "ben.creds"

    assert asyncio.run(ask(url, "red", creds=ben)) == {"echo": 1}
    assert asyncio.run(ask(f"{url}?creds={ben}", "red")) == {"echo": 1}
    monkeypatch.setenv("COSMO_CREDS", str(ben))
    assert asyncio.run(ask(url, "red")) == {"echo": 1}


def test_credentials_have_their_rights_alone(url, tmp_path):
    with pytest.raises(AccessRefused, match="namespace blue"):
        asyncio.run(ask(url, "blue", creds=tmp_path / "ben.creds"))
    with pytest.raises(AccessRefused, match=r"else\.creds"):
        asyncio.run(ask(url, "red", creds=tmp_path / "else.creds"))
    with pytest.raises(AccessRefused, match="COSMO_CREDS"):
        asyncio.run(ask(url, "red"))


def test_a_verb_takes_credentials(url, tmp_path, children):
    check = ("check", "--url", url, "--namespace", "red")

    let_in = children.cosmo(*check, "--creds", tmp_path / "ben.creds")
    refused = children.cosmo(*check, "--creds", tmp_path / "else.creds")

    assert let_in.wait() == 0, let_in.said
    assert refused.wait() == 5, refused.said
