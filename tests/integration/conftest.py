"""One Synapse process for the whole folder, a namespace for each test, and whoever joins it."""

import itertools

import pytest
import pytest_asyncio

from cosmonapse import Dendrite, synapse_from_url
from cosmonapse.synapse.carriers import CARRIERS
from support.nats_servers import NatsCluster, NatsServer
from support.processes import Children

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def url():
    """The URL of a Synapse that all tests share, each in its own namespace."""
    with Children() as children:
        yield children.synapse()[1]


@pytest.fixture
def direct(monkeypatch):
    """Keep a proxy of the environment out of a test."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def namespace():
    return f"test-{next(_numbers)}"


@pytest.fixture(params=CARRIERS)
def carrier(request):
    """Each carrier of a Synapse, for tests of what comes over its sockets."""
    return request.param


@pytest.fixture
def nats_server():
    made = NatsServer()
    yield made
    made.stop()


@pytest.fixture
def nats_cluster():
    made = NatsCluster()
    yield made
    made.stop()


@pytest.fixture
def children():
    with Children() as started:
        yield started


@pytest_asyncio.fixture
async def join(request, namespace):
    """Make Dendrites in this process, not started yet; they are stopped at the end of the test."""
    made = []

    def make(dendrite_id="dendrite", url=None, **settings):
        synapse = synapse_from_url(url or request.getfixturevalue("url"))
        settings = {"namespace": namespace, **settings}
        made.append(Dendrite(synapse=synapse, dendrite_id=dendrite_id, **settings))
        return made[-1]

    yield make
    for dendrite in reversed(made):
        await dendrite.stop(drain_s=0.0)
