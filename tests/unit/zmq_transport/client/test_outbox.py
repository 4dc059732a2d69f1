"""What waits at a client."""

from zmq_transport.client.outbox import Outbox
from zmq_transport.wire import heads
from zmq_transport.wire.heads import Verb
from zmq_transport.wire.task_flags import without_runs

TASK = heads.pack(Verb.TASK, 1, number=5000, address=b"echo")


def head(name):
    return heads.pack(Verb.CANCEL, task=name.encode().ljust(16))


def drained(outbox, now_s=0.0):
    """Send all and return the heads in the order in which they went."""
    heads = []
    while (waiting := outbox.first(now_s)) is not None:
        heads.append(waiting[0])
        outbox.sent()
    return heads


def test_messages_go_out_in_the_order_they_came():
    outbox = Outbox()
    for name in "abc":
        assert outbox.push(head(name), b"", None)

    assert drained(outbox) == [head(name) for name in "abc"]
    assert len(outbox) == 0


def test_a_message_stays_until_it_was_sent():
    outbox = Outbox()
    outbox.push(head("a"), b"body", None)

    assert outbox.first(0.0) == outbox.first(0.0) == (head("a"), b"body")
    assert len(outbox) == 1


def test_what_came_back_goes_out_first_and_in_its_old_order():
    outbox = Outbox()
    outbox.push(head("new"), b"", None)
    for name in "abc":
        outbox.put_back(head(name), b"", None)

    assert drained(outbox) == [head(name) for name in ("a", "b", "c", "new")]


def test_what_comes_back_twice_keeps_its_order():
    outbox = Outbox()
    for name in "abcd":
        outbox.put_back(head(name), b"", None)
    outbox.first(0.0)
    outbox.sent()
    outbox.first(0.0)
    outbox.sent()

    for name in "ab":
        outbox.put_back(head(name), b"", None)

    assert drained(outbox) == [head(name) for name in "abcd"]


def test_the_outbox_is_bounded_in_messages():
    outbox = Outbox(max_messages=2)

    assert [outbox.push(head(name), b"", None) for name in "abc"] == [True, True, False]
    assert outbox.counts == {"drop.outbox_full": 1}


def test_the_outbox_is_bounded_in_bytes_heads_included():
    outbox = Outbox(max_bytes=1000)

    assert outbox.push(head("a"), b"x" * 500, None)
    assert not outbox.push(head("b"), b"x" * 101, None)
    assert outbox.push(head("c"), b"x" * 100, None)


def test_what_was_sent_makes_room():
    outbox = Outbox(max_bytes=1000)
    outbox.push(head("a"), b"x" * 800, None)
    drained(outbox)

    assert outbox.push(head("b"), b"x" * 800, None)


def test_what_comes_back_is_taken_in_over_the_bound():
    outbox = Outbox(max_messages=1)
    outbox.push(head("a"), b"", None)

    outbox.put_back(head("b"), b"", None)

    assert drained(outbox) == [head("b"), head("a")]


def test_the_time_of_a_task_goes_on_running():
    outbox = Outbox()
    outbox.push(TASK, b"x", 105.0)

    sent, _ = outbox.first(103.5)

    assert heads.unpack_single(sent)[4] == 1500


def test_a_task_whose_time_is_over_does_not_go_out():
    outbox = Outbox()
    outbox.push(TASK, b"x", 105.0)
    outbox.push(head("later"), b"", None)

    assert drained(outbox, 105.0) == [head("later")]
    assert outbox.counts == {"drop.expired_in_outbox": 1}


def test_a_task_with_more_time_than_fits_travels_with_the_most_that_does():
    outbox = Outbox()
    outbox.push(TASK, b"x", 1e9)

    sent, _ = outbox.first(0.0)

    assert heads.unpack_single(sent)[4] == heads.MAX_NUMBER


def test_an_empty_outbox_has_no_first():
    assert Outbox().first(0.0) is None


def test_the_heads_of_all_that_waits_can_be_changed():
    def asks(number, flags):
        return heads.pack(Verb.TASK, flags=flags, number=number, address=b"echo")

    outbox = Outbox()
    outbox.put_back(asks(5, flags=10), b"", None)
    outbox.put_first([(asks(4, flags=8), b"")])
    outbox.put_back(head("a"), b"", None)
    outbox.push(asks(6000, flags=8), b"", 6.0)

    outbox.change_heads(without_runs)

    assert drained(outbox) == [
        head("a"),
        asks(4, flags=0),
        asks(5, flags=2),
        asks(6000, flags=0),
    ]
