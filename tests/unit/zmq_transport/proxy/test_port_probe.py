"""Why a connection does not stand: what a plain attempt finds out."""

import os
import resource
import socket
import time

import pytest

from support.dead_host import dead
from support.processes import TIMEOUT_S, closed_port
from zmq_transport.proxy.poller import READ, Poller
from zmq_transport.proxy.port_probe import PROBE_S, PortProbe
from zmq_transport.sockets.endpoints import TcpEndpoint


class Prober:
    """A probe, its poller, and its outcomes."""

    def __init__(self):
        self.poller = Poller()
        self.outcomes = []
        self.probe = PortProbe(self.poller, lambda refused, now_s: self.outcomes.append(refused))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.probe.close()
        self.poller.close()

    def outcome_at(self, host, port):
        """Return whether an address refuses a connection."""
        self.probe.begin(TcpEndpoint(host, port), 0.0)
        until_s = time.monotonic() + TIMEOUT_S
        while not self.outcomes and time.monotonic() < until_s:
            for on_ready, events in self.poller.wait(0.1):
                on_ready(0.0, events, True)
        return self.outcomes.pop()


@pytest.fixture
def prober():
    with Prober() as made:
        yield made


def test_a_port_without_a_listener_refuses(prober):
    assert prober.outcome_at("127.0.0.1", closed_port()) is True
    assert not prober.probe.is_on


@pytest.mark.parametrize(
    ("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
)
def test_a_port_with_a_listener_does_not(prober, family, host):
    with socket.create_server((host, 0), family=family) as listener:
        assert prober.outcome_at(host, listener.getsockname()[1]) is False


def test_an_address_that_this_host_cannot_reach_does_not_refuse(prober):
    assert prober.outcome_at("255.255.255.255", 9) is False


@pytest.fixture
def deaf():
    """Return the address of a host that answers nothing."""
    port = closed_port()
    with dead("127.0.0.1", port):
        yield TcpEndpoint("127.0.0.1", port)


def test_one_that_takes_too_long_does_not_refuse(prober, deaf):
    prober.probe.begin(deaf, 0.0)
    prober.probe.tick(PROBE_S - 0.01)
    assert prober.outcomes == []
    prober.probe.tick(PROBE_S)

    assert prober.outcomes == [False]


def test_an_event_of_the_probe_before_ends_no_other(prober, deaf):
    prober.probe.begin(deaf, 0.0)
    prober.probe._on_ready(0.0, READ, True)

    assert prober.probe.is_on
    assert prober.outcomes == []


@pytest.fixture
def used_descriptors():
    """Use every descriptor below 1024."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= before[1] < 2048:  # RLIM_INFINITY is -1
        pytest.skip("this process may have few descriptors only")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(2048, before[0]), before[1]))
    used = [os.open(os.devnull, os.O_RDONLY)]
    while used[-1] < 1023:
        used.append(os.dup(used[0]))
    yield
    for each in used:
        os.close(each)
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.usefixtures("used_descriptors")
def test_one_with_a_high_descriptor_is_looked_at_as_any_other(prober):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        prober.probe.begin(TcpEndpoint("127.0.0.1", listener.getsockname()[1]), 0.0)
        assert prober.probe.descriptor >= 1024
        until_s = time.monotonic() + TIMEOUT_S
        while not prober.outcomes and time.monotonic() < until_s:
            prober.probe.look(0.0)

    assert prober.outcomes == [False]
