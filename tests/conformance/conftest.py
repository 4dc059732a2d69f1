"""Each test runs once against each transport, in a namespace of its own."""

import itertools

import pytest
import pytest_asyncio

from conformance.transports import TRANSPORTS
from cosmonapse import Dendrite
from support.port import User

_numbers = itertools.count(1)


@pytest.fixture(params=TRANSPORTS, scope="session")
def shared(request):
    """A Synapse of one transport, for all tests that do it no harm."""
    fabric = TRANSPORTS[request.param]()
    yield fabric
    fabric.stop()


@pytest.fixture(params=TRANSPORTS)
def mortal(request):
    """A Synapse of one transport for one test, which may kill it."""
    fabric = TRANSPORTS[request.param](mortal=True)
    yield fabric
    fabric.stop()


@pytest.fixture(params=TRANSPORTS)
def exclusive(request):
    """A Synapse of one transport that serves the namespaces `red` and `blue` alone."""
    fabric = TRANSPORTS[request.param](namespaces=["red", "blue"])
    yield fabric
    fabric.stop()


@pytest.fixture(params=TRANSPORTS)
def strict(request):
    """A Synapse of one transport that takes Signals of at most 10,000 bytes."""
    fabric = TRANSPORTS[request.param](max_signal_bytes=10_000)
    yield fabric
    fabric.stop()


@pytest.fixture
def fabric(shared):
    """Where the users and Dendrites of a test meet; modules and tests may put in another."""
    return shared


@pytest.fixture
def namespace():
    return f"test-{next(_numbers)}"


@pytest_asyncio.fixture
async def new_user(fabric, namespace):
    """Make users of the port, not yet open; they are closed at the end of the test."""
    made = []

    def make(**settings):
        settings = {"synapse": fabric.synapse(), "namespace": namespace, **settings}
        made.append(User(**settings))
        return made[-1]

    yield make
    for user in made:
        await user.transport.close(0.2)


@pytest.fixture
def enter(new_user):
    """Make users of the port that are open: `await enter(*topics, **settings)`."""

    def make(*topics, **settings):
        return new_user(**settings).open(*topics)

    return make


@pytest_asyncio.fixture
async def join(fabric, namespace):
    """Make Dendrites, not started yet; they are stopped at the end of the test."""
    made = []

    def make(*axons, **settings):
        settings = {"synapse": fabric.synapse(), "namespace": namespace, **settings}
        made.append(Dendrite(**settings))
        for axon in axons:
            made[-1].attach_axon(axon)
        return made[-1]

    yield make
    for dendrite in reversed(made):
        await dendrite.stop(drain_s=0.0)
