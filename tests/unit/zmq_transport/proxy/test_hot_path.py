"""The way of one TASK and its REPLY through the engine: no work for absent subscribers."""

import sys
from collections import Counter

import pytest

from zmq_transport.wire import heads
from zmq_transport.wire.heads import Verb

STOP, TASK_KIND, REPLY_KIND = 26, 1, 2
COPY_WORK = ("copies", "publications", "split_body", "may_publish", "tap_message", "pack_header")


@pytest.fixture
def bench(bench_with, request):
    """A bench whose engine takes plain messages as a whole, or does not."""
    return bench_with(fast=getattr(request, "param", True))


@pytest.fixture
def pair(bench):
    """A worker and a caller, and a subscription to STOP such as every worker makes."""
    pair = bench.join("w", "echo"), bench.join("c")
    bench.listen(heads.kind_topic("demo", STOP))
    return pair


@pytest.fixture
def called():
    """Count the Python functions that a call enters, by name."""

    def count(function, *args):
        calls = Counter()

        def profile(frame, event, _):
            if event == "call":
                calls[frame.f_code.co_name] += 1

        sys.setprofile(profile)
        try:
            outputs = function(*args)
        finally:
            sys.setprofile(None)
        return outputs, calls

    return count


def task(number=0):
    return heads.pack(Verb.TASK, 1, kind=TASK_KIND, number=9, task=bytes([number]) * 16)


def messages(caller):
    """Return a TASK and its REPLY, as head and body."""
    head = heads.redirect(task(), heads.NOBODY, b"echo")
    reply = heads.pack(
        Verb.REPLY, 1, peer=caller.instance, flags=1, kind=REPLY_KIND, task=bytes(16)
    )
    return (head, b"q"), (reply, b"a")


def bundles(caller):
    """Return three TASKs and their REPLYs, as head and body."""
    of_task = [(int(Verb.TASK), 0, TASK_KIND, 9, bytes([n]) * 16, bytes(16), 1) for n in range(3)]
    of_reply = [
        (int(Verb.REPLY), 1, REPLY_KIND, 0, bytes([n]) * 16, bytes(16), 1) for n in range(3)
    ]
    return (
        (heads.pack_items(of_task, address=b"echo"), b"123"),
        (heads.pack_items(of_reply, peer=caller.instance), b"abc"),
    )


@pytest.mark.parametrize("bench", [True, False], indirect=True)
@pytest.mark.parametrize("made", [messages, bundles])
def test_nothing_is_done_for_copies_while_workers_subscribe_to_stop_only(bench, pair, called, made):
    worker, caller = pair
    asked, answered = made(caller)

    out, calls = called(bench.engine.on_message, caller.connection, *asked, bench.now_s)
    home, more = called(bench.engine.on_message, worker.connection, *answered, bench.now_s)

    assert [each[1] for each in (*out, *home)] == [worker.connection, caller.connection]
    assert not {name for name in COPY_WORK if (calls + more)[name]}
    assert not len(bench.engine.tables.ledger)


@pytest.mark.parametrize("made", [messages, bundles])
def test_a_plain_message_passes_every_part_that_has_nothing_to_decide(bench, pair, called, made):
    worker, caller = pair
    asked, answered = made(caller)

    _, calls = called(bench.engine.on_message, caller.connection, *asked, bench.now_s)
    _, more = called(bench.engine.on_message, worker.connection, *answered, bench.now_s)

    kernel = {"read_target", "enter_tasks", "settle_replies", "unpack_items", "__init__"}
    assert set(calls) - kernel == {
        *("on_message", "route", "_route_tasks", "known", "next", "load_changed")
    }
    assert set(more) - kernel == {"on_message", "route", "_route_replies", "load_changed"}
    assert not (calls + more)["unpack_single"]


@pytest.mark.parametrize("bench", [False], indirect=True)
def test_the_subscribers_are_looked_up_once_for_each_message(bench, pair, called):
    worker, caller = pair
    asked, answered = messages(caller)

    _, calls = called(bench.engine.on_message, caller.connection, *asked, bench.now_s)
    _, more = called(bench.engine.on_message, worker.connection, *answered, bench.now_s)

    assert calls["has_subscriber"] == more["has_subscriber"] == 1
    assert calls["find"] == 1, "the pool of the address, and no entry that was just made"
    assert calls["unpack_single"] == more["unpack_single"] == 1


@pytest.mark.parametrize("bench", [False], indirect=True)
def test_no_function_of_the_general_way_runs_twice(bench, pair, called):
    worker, caller = pair
    asked, answered = messages(caller)

    _, calls = called(bench.engine.on_message, caller.connection, *asked, bench.now_s)
    _, more = called(bench.engine.on_message, worker.connection, *answered, bench.now_s)

    assert set(calls.values()) == set(more.values()) == {1}
    assert max(calls.total(), more.total()) <= 15


def test_a_subscriber_to_the_kind_of_a_task_gets_its_copy(bench, pair):
    worker, caller = pair
    bench.listen(heads.kind_topic("demo", TASK_KIND))
    asked, _ = messages(caller)

    sent = bench.say(caller, *asked)

    assert [each.to for each in sent] == [worker.connection]
    assert [topic for topic, _, _ in bench.published] == [heads.kind_topic("demo", TASK_KIND)]
