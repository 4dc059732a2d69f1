"""Waiting for descriptors, with epoll and without."""

import select
import selectors
import socket
from types import SimpleNamespace
from unittest import mock

import pytest

from zmq_transport.proxy.poller import READ, WRITE, Poller, PortablePoll


@pytest.fixture(params=["epoll", "selectors"])
def poller(request):
    if request.param == "epoll" and not hasattr(select, "epoll"):
        pytest.skip("no epoll on this system")
    made = Poller(select.epoll() if request.param == "epoll" else PortablePoll())
    yield made
    made.close()


@pytest.fixture
def ends():
    near, far = socket.socketpair()
    with near, far:
        yield near, far


def seen(poller):
    """Wait once, and return what each handler was told."""
    told = []
    for on_ready, events in poller.wait(0.0):
        told.append(on_ready(0.0, events, True))
    return told


def events_of(now_s, events, alone):
    return events


def test_who_can_be_read_is_told_as_long_as_there_is_something(poller, ends):
    near, far = ends
    poller.watch(near.fileno(), events_of)
    before = seen(poller)
    far.send(b"x")

    assert before == []
    assert [bool(each & READ) for each in seen(poller) + seen(poller)] == [True, True]


def test_room_to_write_is_told_when_it_is_asked_for(poller, ends):
    near, _ = ends
    poller.watch(near.fileno(), events_of)
    poller.change(near.fileno(), READ | WRITE)
    asked = seen(poller)
    poller.change(near.fileno(), READ)

    assert [each & (READ | WRITE) for each in asked] == [WRITE]
    assert seen(poller) == []


def test_the_end_of_a_connection_can_be_read(poller, ends):
    near, far = ends
    poller.watch(near.fileno(), events_of)
    far.close()

    assert [bool(each & READ) for each in seen(poller)] == [True]


def test_who_is_forgotten_is_not_told_of(poller, ends):
    near, far = ends
    poller.watch(near.fileno(), events_of)
    poller.forget(near.fileno())
    far.send(b"x")

    assert seen(poller) == []


class OneByOne:
    """A selector that tells of reading and of writing one by one, as the one on kqueue does."""

    def select(self, timeout_s):
        one, other = SimpleNamespace(fd=7), SimpleNamespace(fd=8)
        told = (one, selectors.EVENT_READ), (other, selectors.EVENT_READ)
        return [*told, (one, selectors.EVENT_WRITE)]

    def close(self):
        pass


def test_a_descriptor_is_told_of_once_where_the_system_tells_of_it_twice():
    with mock.patch.object(selectors, "DefaultSelector", OneByOne):
        poll = PortablePoll()

    assert poll.poll(0.0, 256) == [(7, READ | WRITE), (8, READ)]
