"""The pytest plugin: fixtures that need no other plugin. Imports nothing before one is used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ..synapse import SynapseServer
    from .chat_server import ChatServer
    from .fabric import Fabric


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of `cosmonapse.testing.conformance`: its harnesses and its time limit."""
    suite = "cosmonapse.testing.conformance"
    text = f"harness of a transport for {suite}, as module:Class"
    limit = f"seconds that a test of {suite}, its set-up and its tear-down may each take; 0: no end"
    group = parser.getgroup("cosmonapse")
    group.addoption("--cosmo-harness", action="append", default=[], metavar="NAME", help=text)
    group.addoption("--cosmo-timeout", type=float, default=60.0, metavar="SECONDS", help=limit)
    parser.addini("cosmo_harness", f"{text}; one a line", type="linelist")


@pytest.fixture
def cosmo_fabric() -> Iterator[Fabric]:
    """A fabric in this process: workers, callers, and faults on demand.

    Use it on one event loop, of any runner. Its Dendrites are stopped after the test, or with
    the loop if that ends first.
    """
    from .fabric import Fabric

    fabric = Fabric()
    yield fabric
    fabric.close_from_outside()


@pytest.fixture
def cosmo_synapse(monkeypatch: pytest.MonkeyPatch) -> Iterator[SynapseServer]:
    """A Synapse on loopback with real sockets, on free ports; `.url` says where.

    It has no keys: neither the key nor the context of the person who runs the test counts.
    """
    from ..contexts import NO_CONTEXT
    from ..runtime.environment import CONTEXT_VARIABLE, KEY_VARIABLE
    from ..synapse import SynapseServer

    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    monkeypatch.setenv(CONTEXT_VARIABLE, NO_CONTEXT)
    with SynapseServer(port=0) as server:
        yield server


@pytest.fixture
def cosmo_chat_server() -> Iterator[ChatServer]:
    """A stand-in for a provider of chat completions on loopback; `.url` says where."""
    from .chat_server import ChatServer

    with ChatServer() as server:
        yield server
