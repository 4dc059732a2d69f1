"""Where a proxy can be reached."""

import pytest

from zmq_transport.sockets.endpoints import (
    MAX_PATH_BYTES,
    SOCKET_PATH_BYTES,
    IpcEndpoint,
    TcpEndpoint,
    TcpEndpoints,
    endpoint_in,
    places_of,
)


def test_tcp_subscribes_and_publishes_at_the_ports_of_the_welcome():
    endpoint = TcpEndpoint("127.0.0.1", 7070)

    assert str(endpoint) == "tcp://127.0.0.1:7070"
    assert endpoint.broadcast(7072, 7073) == (
        TcpEndpoint("127.0.0.1", 7072),
        TcpEndpoint("127.0.0.1", 7073),
    )


def test_an_address_of_ipv6_is_written_in_brackets():
    assert str(TcpEndpoint("::1", 7070)) == "tcp://[::1]:7070"


def test_several_places_are_written_behind_each_other():
    places = TcpEndpoint("a", 7070), TcpEndpoint("::1", 7071)

    assert str(TcpEndpoints(places)) == "tcp://a:7070,[::1]:7071"
    assert places_of(TcpEndpoints(places)) == places
    assert places_of(places[0]) == places[:1]


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("cosmo://10.0.0.2:7070", TcpEndpoint("10.0.0.2", 7070)),
        ("cosmo://b.example-1.org:1/", TcpEndpoint("b.example-1.org", 1)),
        ("cosmo://[fe80::1%eth0]:65535", TcpEndpoint("fe80::1%eth0", 65535)),
    ],
)
def test_a_url_that_a_proxy_names_is_a_place(url, place):
    assert endpoint_in(url) == place


@pytest.mark.parametrize(
    "url",
    [
        "",
        "10.0.0.2:7070",
        "cosmo://10.0.0.2",
        "cosmo://10.0.0.2:0",
        "cosmo://10.0.0.2:65536",
        "cosmo://10.0.0.2:\u0661",
        "cosmo://a,b:7070",
        "cosmo://user@b:7070",
        "cosmo://b:7070/x",
        "cosmo://b:7070\n",
        "cosmo:// :7070",
        "cosmo://[b]:7070",
        "cosmo+ipc:///run/cosmo.sock",
        "cosmo://" + "b" * 254 + ":7070",
        "cosmo://b:" + "7" * 4000,
    ],
)
def test_what_a_proxy_names_and_is_no_place_is_passed_over(url):
    assert endpoint_in(url) is None


def test_ipc_subscribes_and_publishes_beside_its_path_whatever_the_ports():
    endpoint = IpcEndpoint("/run/cosmo.sock")

    assert str(endpoint) == "ipc:///run/cosmo.sock"
    assert [str(each) for each in endpoint.broadcast(7072, 7073)] == [
        "ipc:///run/cosmo.sock.listen",
        "ipc:///run/cosmo.sock.publish",
    ]


def test_the_longest_path_leaves_room_for_every_file_beside_it():
    endpoint = IpcEndpoint("/".ljust(MAX_PATH_BYTES, "x"))

    assert max(map(len, endpoint.files)) == SOCKET_PATH_BYTES
