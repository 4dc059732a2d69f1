"""Which service manager is told, and what."""

import os

import pytest

from cosmonapse.runtime.sd_notify import ServiceManager, status_line


def test_the_variables_are_taken_so_that_no_child_has_them():
    environment = {"NOTIFY_SOCKET": "/run/n", "WATCHDOG_USEC": "3000000", "PATH": "/bin"}

    manager = ServiceManager.taken_from(environment)

    assert manager.watchdog_s == 3.0
    assert environment == {"PATH": "/bin"}


@pytest.mark.parametrize("address", ["", "relative", "@", "/", "vsock:2:1"])
def test_what_is_no_address_of_a_unix_socket_is_nobody(address):
    assert ServiceManager.taken_from({"NOTIFY_SOCKET": address}) is None


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "x"},
        {"WATCHDOG_USEC": "9", "WATCHDOG_PID": "1"},
    ],
)
def test_a_watchdog_that_is_none_or_of_another_process_is_not_fed(given):
    assert ServiceManager.taken_from({"NOTIFY_SOCKET": "/run/n", **given}).watchdog_s is None


def test_the_watchdog_of_this_process_is():
    given = {"NOTIFY_SOCKET": "/run/n", "WATCHDOG_USEC": "9", "WATCHDOG_PID": str(os.getpid())}

    assert ServiceManager.taken_from(given).watchdog_s == 9e-6


def test_a_socket_that_is_gone_is_no_error(tmp_path):
    ServiceManager(str(tmp_path / "gone")).tell("READY=1")


def test_a_status_is_one_line():
    assert status_line("a\nREADY=1") == "STATUS=a READY=1"
    assert len(status_line("x" * 1000)) < 250
