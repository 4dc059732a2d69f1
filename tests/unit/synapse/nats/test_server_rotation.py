"""Which nats-server is tried next."""

from cosmonapse.synapse.nats.server_rotation import (
    FIRST_PAUSE_S,
    LASTED_S,
    MAX_TOLD,
    MOST_PAUSE_S,
    NatsAddress,
    ServerRotation,
)


def taken(rotation, count):
    return [rotation.next().url for _ in range(count)]


def test_every_server_of_the_url_has_its_turn_and_dice_say_which_is_the_first():
    assert taken(ServerRotation("abc", lambda: 0.0), 4) == ["a", "b", "c", "a"]
    assert taken(ServerRotation("abc", lambda: 0.99), 4) == ["c", "a", "b", "c"]


def test_servers_that_one_named_come_after_those_of_the_url_and_only_the_last_ones():
    rotation = ServerRotation("ab", lambda: 0.0)
    rotation.on_connected([NatsAddress("x"), NatsAddress("a", "host"), NatsAddress("x", "host")])
    rotation.on_connected([NatsAddress("y", "host")])

    assert rotation.servers == (NatsAddress("a"), NatsAddress("b"), NatsAddress("y", "host"))
    assert taken(rotation, 4) == ["a", "b", "y", "a"]


def test_no_more_servers_are_kept_than_the_limit():
    rotation = ServerRotation("a", lambda: 0.0)

    rotation.on_connected(NatsAddress(str(number)) for number in range(1_000))

    assert len(rotation.servers) == MAX_TOLD + 1


def test_fewer_servers_than_before_are_no_fault():
    rotation = ServerRotation("a", lambda: 0.0)
    rotation.on_connected([NatsAddress("x"), NatsAddress("y")])
    taken(rotation, 2)
    rotation.on_connected([])

    assert taken(rotation, 2) == ["a", "a"]


def test_the_pause_doubles_up_to_its_limit_until_a_connection_lasted():
    rotation = ServerRotation("a", lambda: 1.0)

    pauses = [rotation.pause_after_s(0.0) for _ in range(40)]

    assert pauses[:3] == [FIRST_PAUSE_S, 2 * FIRST_PAUSE_S, 4 * FIRST_PAUSE_S]
    assert pauses[-1] == MOST_PAUSE_S
    assert rotation.pause_after_s(LASTED_S / 2) == MOST_PAUSE_S
    assert rotation.pause_after_s(LASTED_S) == FIRST_PAUSE_S


def test_dice_spread_those_who_come_back():
    lucky, unlucky = (ServerRotation("a", lambda each=each: each) for each in (0.0, 1.0))

    assert lucky.pause_after_s(0.0) == unlucky.pause_after_s(0.0) / 2
