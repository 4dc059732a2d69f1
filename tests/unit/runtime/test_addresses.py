"""The addresses by which others reach a socket that listens on a host."""

import socket

import pytest

from cosmonapse.runtime import addresses


@pytest.mark.parametrize(
    ("host", "every"), [("0.0.0.0", True), ("::", True), ("[::]", True), ("127.0.0.1", False)]
)
def test_a_host_for_every_interface_is_told_apart(host, every):
    assert addresses.is_every(host) is every


@pytest.mark.parametrize(("host", "with_ipv6"), [("0.0.0.0", False), ("::", True)])
def test_loopback_and_link_local_are_for_nobody_else(host, with_ipv6, monkeypatch, tmp_path):
    table = tmp_path / "if_inet6"
    table.write_text(
        "fe80000000000000fc00fffffe000001 04 40 20 80     eth0\n"
        "fd000000000000000000000000000002 04 40 00 82     eth0\n"
        "00000000000000000000000000000001 01 80 10 80       lo\n"
    )
    monkeypatch.setattr(addresses, "_IPV6_TABLE", table)
    monkeypatch.setattr(addresses, "_ipv4", lambda: ["127.0.0.1", "192.0.2.7", "169.254.1.1"])

    found = addresses.addresses(host)

    assert found == ["192.0.2.7", "fd00::2"] if with_ipv6 else ["192.0.2.7"]


def test_each_address_is_one_of_an_interface_of_this_machine():
    assert all("." in each or ":" in each for each in addresses.addresses("::"))


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.9.9.9", "127.1", "::1", "[::1]", "::ffff:127.0.0.1", "lo", "localhost"],
)
def test_loopback_is_reached_by_nobody_else_however_it_is_written(host):
    assert addresses.beyond_loopback(host) == []


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("0.0.0.0", ["0.0.0.0"]),
        ("0", ["0.0.0.0"]),
        ("*", ["*"]),
        ("", ["*"]),
        ("::", ["::"]),
        ("[::]", ["::"]),
        ("0:0:0:0:0:0:0:0", ["::"]),
        ("192.0.2.7", ["192.0.2.7"]),
        ("3221225991", ["192.0.2.7"]),
        ("::ffff:192.0.2.7", ["::ffff:192.0.2.7"]),
        ("::ffff:0.0.0.0", ["::ffff:0.0.0.0"]),
        ("2001:db8::1", ["2001:db8::1"]),
    ],
)
def test_any_other_address_is_reached_by_others_however_it_is_written(host, found):
    assert addresses.beyond_loopback(host) == found


def test_a_name_counts_with_every_address_that_it_resolves_to(monkeypatch):
    named = [(2, 1, 6, "", ("127.0.0.1", 0)), (2, 1, 6, "", ("192.0.2.7", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: named)

    assert addresses.beyond_loopback("studio") == ["192.0.2.7"]


def test_an_interface_by_its_name_is_one_of_this_machine(monkeypatch):
    monkeypatch.setattr(socket, "if_nameindex", lambda: [(1, "lo"), (2, "eth0")])

    assert addresses.beyond_loopback("eth0") == ["eth0"]
    assert addresses.beyond_loopback("lo") == []


def test_what_resolves_to_nothing_is_left_to_the_bind():
    assert addresses.beyond_loopback("no-such-host.invalid") == []
