"""Where a server is reached, and whether others can reach it."""

import pytest

from cosmonapse.http_server.bound_address import BoundAddress, plain_address


@pytest.mark.parametrize(
    ("addresses", "is_beyond"),
    [
        (("127.0.0.1",), False),
        (("127.0.0.7", "::1"), False),
        (("0.0.0.0",), True),
        (("::",), True),
        (("192.168.1.5",), True),
        (("127.0.0.1", "192.168.1.5"), True),
    ],
)
def test_it_is_decided_by_addresses_whether_others_can_reach_it(addresses, is_beyond):
    assert BoundAddress("name", addresses, 7071).is_beyond_loopback is is_beyond


@pytest.mark.parametrize(
    ("host", "addresses", "url"),
    [
        ("127.0.0.1", ("127.0.0.1",), "http://127.0.0.1:7071/"),
        ("::1", ("::1",), "http://[::1]:7071/"),
        ("Prism.lan", ("192.168.1.5",), "http://prism.lan:7071/"),
        ("0.0.0.0", ("0.0.0.0",), "http://127.0.0.1:7071/"),
        ("::", ("::",), "http://127.0.0.1:7071/"),
    ],
)
def test_the_url_can_be_opened_on_this_machine(host, addresses, url):
    assert BoundAddress(host, addresses, 7071).url == url


def test_a_machine_without_a_name_gives_no_empty_one():
    bound = BoundAddress("0.0.0.0", ("0.0.0.0",), 80, machine="")

    assert bound.authorities >= {"localhost", "localhost:80"}
    assert not bound.authorities & {"", ":80"}


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ("::ffff:192.168.1.5", "192.168.1.5"),
        ("fe80::1%eth0", "fe80::1"),
        ("192.168.1.5", "192.168.1.5"),
        ("prism.lan", "prism.lan"),
    ],
)
def test_an_address_has_one_spelling(given, plain):
    assert plain_address(given) == plain
