"""The addresses that `cosmo synapse start --host 0.0.0.0` offers to others."""

import pytest

from cosmonapse.cli import addresses


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
