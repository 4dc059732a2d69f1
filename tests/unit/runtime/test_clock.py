"""Forks, those that Python sees and those of a server in C."""

import ctypes
import os

import pytest

from cosmonapse.ids import new_trace_id
from cosmonapse.runtime import clock


def ids_of_a_child(fork):
    """Return the next trace id here and in a forked child, and the forks that each counts."""
    ours, theirs = os.pipe()
    child = fork()
    clock.notice_fork()
    told = f"{new_trace_id()[4:]} {clock.forks()}"
    if child == 0:
        os.write(theirs, told.encode())
        os._exit(0)
    os.close(theirs)
    os.waitpid(child, 0)
    with os.fdopen(ours) as pipe:
        return told.split(), pipe.read().split()


@pytest.mark.parametrize(
    "fork", [os.fork, ctypes.PyDLL(None).fork], ids=["seen by Python", "in C, as uWSGI does"]
)
def test_a_forked_child_gives_ids_of_its_own(fork):
    (our_id, our_forks), (their_id, their_forks) = ids_of_a_child(fork)

    assert our_id[4:16] != their_id[4:16]  # the random part
    assert int(their_forks) == int(our_forks) + 1


def test_without_a_fork_there_is_nothing_to_notice():
    before = clock.forks()

    clock.notice_fork()

    assert clock.forks() == before
