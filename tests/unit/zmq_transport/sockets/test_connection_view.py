"""A look at connections of somebody else, by descriptor and inode."""

import contextlib
import os
import resource
import socket
import sys

import pytest

from zmq_transport.sockets.connection_view import ConnectionView, line_of, queued_bytes

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of the traffic")


@pytest.fixture
def view():
    made = ConnectionView()
    yield made
    made.close()
    made.close()


@pytest.fixture
def connected():
    """Make pairs of connected sockets; they are closed at the end."""
    made = []

    def connect():
        with socket.create_server(("127.0.0.1", 0)) as server:
            near = socket.create_connection(server.getsockname(), 5.0)
            made.append(near)
            made.append(server.accept()[0])
        return made[-2:]

    yield connect
    for each in made:
        each.close()


def test_a_connection_that_is_cut_ends_for_the_far_end_and_its_descriptor_stays(view, connected):
    near, far = connected()

    assert view.cut(line_of(near.fileno()))
    assert far.recv(10) == b""
    assert line_of(near.fileno()) is not None


def test_a_line_is_not_cut_once_its_descriptor_has_another_owner(view, connected):
    (near, _), (other, its_far) = connected(), connected()
    old = line_of(near.fileno())
    os.dup2(other.fileno(), near.fileno())
    its_far.settimeout(0.05)

    assert not view.cut(old)
    with pytest.raises(TimeoutError):
        its_far.recv(10)
    assert view.cut(line_of(near.fileno()))
    assert its_far.recv(10) == b""


def test_who_has_ended_is_neither_seen_nor_cut(view, connected):
    near, _ = connected()
    line = line_of(near.fileno())
    near.close()

    assert line_of(line[0]) is None
    assert not view.look_at(line)
    assert not view.cut(line)
    assert queued_bytes(line[0]) == 0


@on_linux
def test_the_traffic_of_a_connection_is_what_came_and_what_the_far_end_has(view, connected):
    near, far = connected()
    near.sendall(bytes(300))
    far.sendall(bytes(50))
    near.recv(10)

    assert view.look_at(line_of(near.fileno()))
    assert view.traffic().received_bytes == 50
    assert view.traffic().acknowledged_bytes in (300, 301)  # a SYN may count as one
    assert queued_bytes(near.fileno()) == 0


@on_linux
def test_a_unix_socket_has_no_such_figures_but_what_waits(view):
    near, far = socket.socketpair()
    with near, far:
        near.sendall(bytes(300))

        assert view.look_at(line_of(near.fileno()))
        assert view.traffic() is None
        assert queued_bytes(near.fileno()) > 0


def test_when_no_descriptor_is_left_one_can_still_be_cut(view, connected):
    near, far = connected()
    line = line_of(near.fileno())
    with none_left():
        assert view.cut(line)
    assert far.recv(10) == b""


@contextlib.contextmanager
def none_left():
    """Take every descriptor that this process may have, inside a `with` block."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = [os.open(os.devnull, os.O_RDONLY)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (taken[0] + 10, limits[1]))
    try:
        with contextlib.suppress(OSError):
            while len(taken) < 20:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        with pytest.raises(OSError, match="Too many open files"):
            os.dup(taken[0])
        yield
    finally:
        for each in taken:
            os.close(each)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
