"""Where a proxy can be reached."""

from zmq_transport.sockets.endpoints import (
    MAX_PATH_BYTES,
    SOCKET_PATH_BYTES,
    IpcEndpoint,
    TcpEndpoint,
    TcpEndpoints,
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
