"""What once could bring a client to a standstill."""

from zmq_transport.client.link import Link, LinkEvent
from zmq_transport.client.outbox import Outbox
from zmq_transport.client.session import State
from zmq_transport.wire import greetings, heads
from zmq_transport.wire.heads import Verb

WELCOME = greetings.pack_welcome(greetings.Welcome(b"e" * 16, 1, 2, 2000, 1000))


def hear(link, verb, body=b""):
    return link.on_message(heads.pack(verb, len(body)), body)


def test_a_disconnection_told_behind_the_who_of_the_next_connection_does_no_harm():
    link = Link(bytes(16), "space", "name")
    link.start()
    hear(link, Verb.WHO)
    link.on_disconnected()

    occurrences = hear(link, Verb.WELCOME, WELCOME)

    assert [each[0] for each in occurrences] == [LinkEvent.WELCOMED]
    assert link.ready


def test_a_disconnection_told_behind_the_welcome_is_mended_by_a_reminder():
    link = Link(bytes(16), "space", "name")
    link.start()
    hear(link, Verb.WHO)
    hear(link, Verb.WELCOME, WELCOME)
    link.on_disconnected()

    (reminder,) = link.hello_again()
    hear(link, Verb.WELCOME, WELCOME)

    assert reminder[0] is LinkEvent.WRITE
    assert heads.unpack_single(reminder[1])[1] == Verb.HELLO
    assert link.session.state is State.READY
    assert link.hello_again() == []


def test_a_deadline_of_months_does_not_jam_the_outbox():
    outbox = Outbox()
    outbox.push(heads.pack(Verb.TASK), b"", 1e9)

    head, _ = outbox.first(0.0)

    assert heads.unpack_single(head)[4] == heads.MAX_NUMBER


def test_what_comes_back_goes_out_before_what_came_back_earlier_and_still_waits():
    outbox = Outbox()
    singles = [heads.pack(Verb.CANCEL, task=bytes([n]) * 16) for n in range(4)]
    for head in singles:
        outbox.put_back(head, b"", None)
    for _ in range(2):
        outbox.first(0.0)
        outbox.sent()

    outbox.put_back(singles[0], b"", None)
    outbox.put_back(singles[1], b"", None)

    left = []
    while (message := outbox.first(0.0)) is not None:
        left.append(message[0])
        outbox.sent()
    assert left == singles


def test_a_refusal_with_a_deep_reason_is_still_a_refusal():
    link = Link(bytes(16), "space", "name")
    link.start()
    hear(link, Verb.WHO)

    ((happening, reason, _),) = hear(
        link, Verb.REFUSED, b"\x81\xa6reason" + b"\x91" * 1010 + b"\xc0"
    )

    assert (happening, reason) == (LinkEvent.REFUSED, "a list")
