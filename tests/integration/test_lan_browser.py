"""A look on a real socket, over loopback: what it leaves behind, and a port that is taken."""

import os
import socket
import threading

import pytest

from cosmonapse.lan import browser as module
from cosmonapse.lan.browser import Browser, NoMulticast

MDNS_PORT = 5353


@pytest.fixture
def on_loopback(monkeypatch):
    monkeypatch.setattr(module, "lan_addresses", lambda: ["127.0.0.1"])


def test_a_look_leaves_no_thread_and_no_socket(on_loopback):
    with Browser() as browser:
        browser.wait(0.1)
    before = set(threading.enumerate()), len(os.listdir("/proc/self/fd"))

    for _ in range(3):
        with Browser() as browser:
            browser.wait(0.1)

    assert (set(threading.enumerate()), len(os.listdir("/proc/self/fd"))) == before


# The package leaves the socket to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_port_that_another_program_keeps_for_itself_is_told(on_loopback):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        try:
            taken.bind(("", MDNS_PORT))
        except OSError:
            pytest.skip("another program on this machine has UDP port 5353")

        with pytest.raises(NoMulticast, match="on UDP port 5353: Address already in use"):
            Browser().__enter__()
