"""When a process that grows is worth a look."""

from unittest import mock

import pytest

from zmq_transport.proxy.memory_monitor import MemoryMonitor


@pytest.fixture
def monitor():
    """A monitor of a process with `monitor.bytes` bytes."""
    with mock.patch.object(MemoryMonitor, "_bytes", lambda self: getattr(self, "bytes", 1000)):
        made = MemoryMonitor(100)
        yield made
        made.close()


def looks(monitor, *sizes):
    """Return the answer of each look, at a process of that size."""
    found = []
    for each in sizes:
        monitor.bytes = each
        monitor.look()
        found.append(monitor.has_grown)
    return found


def test_a_step_is_told_in_two_looks(monitor):
    assert looks(monitor, 1000, 1100, 1101, 1101, 1101) == [False, False, True, True, False]


def test_each_further_step_is_told(monitor):
    assert looks(monitor, 1200, 1301, 1301, 1301, 1402) == [True, True, True, False, True]


def test_what_was_given_back_counts_when_it_comes_again(monitor):
    assert looks(monitor, 500, 601, 601, 601) == [False, True, True, False]


def test_the_memory_of_this_process_is_known():
    monitor = MemoryMonitor(1)
    found = monitor._bytes()
    monitor.close()
    monitor.close()

    assert found == 0 or found > 1024 * 1024
