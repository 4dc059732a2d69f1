"""The right to listen at a path: what is alive keeps it, what is dead gives way."""

import fcntl
import os
import socket
import tempfile

import pytest

from zmq_transport.errors import EndpointInUse
from zmq_transport.proxy.ipc_lock import IpcLock
from zmq_transport.sockets.endpoints import IpcEndpoint


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="cosmo-") as made:
        yield made


@pytest.fixture
def endpoint(folder):
    return IpcEndpoint(f"{folder}/sock")


def listening(file):
    """Return a socket that listens at a path; closed, it leaves its file behind."""
    made = socket.socket(socket.AF_UNIX)
    made.bind(file)
    made.listen()
    return made


def reason_of(endpoint):
    with pytest.raises(EndpointInUse) as caught:
        IpcLock(endpoint)
    assert str(endpoint) in str(caught.value)
    return caught.value.reason


def test_a_claim_is_one_at_a_time_and_leaves_nothing(endpoint, folder):
    claim = IpcLock(endpoint)

    assert reason_of(endpoint) == "another process listens there"
    claim.release()
    IpcLock(endpoint).release()

    assert os.listdir(folder) == []


def test_a_lock_that_its_owner_removed_meanwhile_is_taken_anew(endpoint, folder, monkeypatch):
    lock, seen = fcntl.flock, []

    def locked_too_late(descriptor, operation):
        if not seen:
            os.unlink(f"{endpoint.path}.lock")
        seen.append(descriptor)
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", locked_too_late)
    claim = IpcLock(endpoint)

    assert len(seen) == 2
    assert os.listdir(folder) == ["sock.lock"]
    claim.release()


@pytest.mark.parametrize("suffix", ["", ".listen", ".publish"])
def test_what_the_dead_left_is_cleared(suffix, endpoint, folder):
    listening(endpoint.path + suffix).close()

    claim = IpcLock(endpoint)

    assert os.listdir(folder) == ["sock.lock"]
    claim.release()


@pytest.mark.parametrize("suffix", ["", ".listen", ".publish"])
def test_whoever_listens_there_is_left_alone(suffix, endpoint, folder):
    with listening(endpoint.path + suffix):
        reason = reason_of(endpoint)

    assert reason == "another process listens there"
    assert os.listdir(folder) == [f"sock{suffix}"]


def test_who_listens_and_accepts_nobody_is_left_alone(endpoint):
    with listening(endpoint.path) as busy, socket.socket(socket.AF_UNIX) as waiting:
        busy.listen(0)
        waiting.connect(endpoint.path)

        assert reason_of(endpoint) == "another process listens there"


def test_a_file_that_is_no_socket_is_left_alone(endpoint):
    with open(endpoint.path, "w") as file:
        file.write("mine")

    assert "is not a socket" in reason_of(endpoint)
    with open(endpoint.path) as file:
        assert file.read() == "mine"


def test_a_socket_of_another_kind_is_left_alone(endpoint):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(endpoint.path)

        assert "protocol" in reason_of(endpoint)

    assert os.path.exists(endpoint.path)


def test_a_link_in_the_place_of_the_lock_is_not_followed(endpoint, folder):
    os.symlink(f"{folder}/elsewhere", f"{endpoint.path}.lock")

    assert "symbolic links" in reason_of(endpoint)
    assert not os.path.exists(f"{folder}/elsewhere")


def test_a_directory_that_does_not_exist_is_named(folder):
    assert (
        reason_of(IpcEndpoint(f"{folder}/no/sock")) == f"the directory {folder}/no does not exist"
    )
