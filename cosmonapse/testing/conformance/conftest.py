"""Each test runs once against each harness, in a namespace of its own."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager

import pytest
import pytest_asyncio

from .harness import Harness, named_harness, offers
from .joined import Enter, Joiner, NewUser
from .port_user import PortUser
from .time_limit import limited

_numbers = itertools.count(1)
_HOW = "name a harness: --cosmo-harness module:Class, or cosmo_harness in pytest's configuration"


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker of this suite."""
    config.addinivalue_line(
        "markers", "needs(*methods): skip the test for a harness without these optional methods"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test against each harness that was named."""
    if "harness_class" not in metafunc.fixturenames:
        return
    option, configured = (
        metafunc.config.getoption("--cosmo-harness"),
        metafunc.config.getini("cosmo_harness"),
    )
    names = option or configured
    if not names:
        raise pytest.UsageError(_HOW)
    try:
        classes = [named_harness(name) for name in names]
    except (ImportError, ValueError) as error:
        raise pytest.UsageError(f"{error}; {_HOW}") from error
    ids = [each.__name__.lower() for each in classes]
    metafunc.parametrize("harness_class", classes, ids=ids, scope="session")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """End what hangs."""
    with _in_time("the set-up of ", item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """End what hangs."""
    with _in_time("", item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """End what hangs."""
    with _in_time("the tear-down of ", item):
        return (yield)


def _in_time(what: str, item: pytest.Item) -> AbstractContextManager[None]:
    return limited(f"{what}{item.name}", item.config.getoption("--cosmo-timeout"))


@pytest.fixture(autouse=True)
def _needs(request: pytest.FixtureRequest) -> None:
    """Skip a test that needs an optional method which the harness does not override."""
    for mark in request.node.iter_markers("needs"):
        harness = request.getfixturevalue("harness_class")
        lacking = [name for name in mark.args if not offers(harness, name)]
        if lacking:
            pytest.skip(f"{harness.__name__} does not offer {', '.join(lacking)}")


@pytest.fixture(autouse=True)
def _applies(request: pytest.FixtureRequest) -> None:
    """Skip a test that cannot apply to the harness, with the reason that the harness gives."""
    if "harness_class" not in request.fixturenames:
        return
    harness = request.getfixturevalue("harness_class")
    if reason := harness.not_applicable.get(request.node.originalname):
        pytest.skip(f"{harness.__name__}: {reason}")


@pytest.fixture(scope="session")
def shared(harness_class: type[Harness]) -> Iterator[Harness]:
    """A Synapse for all tests that do it no harm."""
    harness = harness_class()
    yield harness
    harness.stop()


@pytest.fixture
def mortal(harness_class: type[Harness]) -> Iterator[Harness]:
    """A Synapse for one test, which may kill it."""
    harness = harness_class(mortal=True)
    yield harness
    harness.stop()


@pytest.fixture
def exclusive(harness_class: type[Harness]) -> Iterator[Harness]:
    """A Synapse that serves the namespaces `red` and `blue` alone."""
    harness = harness_class(namespaces=["red", "blue"])
    yield harness
    harness.stop()


@pytest.fixture
def strict(harness_class: type[Harness]) -> Iterator[Harness]:
    """A Synapse that accepts Signals of at most 10,000 bytes."""
    harness = harness_class(max_signal_bytes=10_000)
    yield harness
    harness.stop()


@pytest.fixture
def harness(shared: Harness) -> Harness:
    """The Synapse where the users and Dendrites of a test meet; a module may override it."""
    return shared


@pytest.fixture
def namespace() -> str:
    """A namespace that no other test uses."""
    return f"test-{next(_numbers)}"


@pytest_asyncio.fixture
async def new_user(harness: Harness, namespace: str) -> AsyncIterator[NewUser]:
    """Make users of the port, not yet open; they are closed at the end of the test."""
    made: list[PortUser] = []

    def make(**settings: object) -> PortUser:
        settings = {"synapse": harness.synapse(), "namespace": namespace, **settings}
        settings.setdefault("fence", harness.fence)
        made.append(PortUser(**settings))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for user in made:
        await user.transport.close(0.2)


@pytest.fixture
def enter(new_user: NewUser) -> Enter:
    """Make users of the port that are open."""
    return lambda *topics, **settings: new_user(**settings).open(*topics)


@pytest_asyncio.fixture
async def join(harness: Harness, namespace: str) -> AsyncIterator[Joiner]:
    """Make Dendrites, not started yet; they are stopped at the end of the test."""
    made = Joiner(harness, namespace)
    yield made
    await made.stop()
