"""The flag RUN of TASKs: taken off, and where a proxy does that."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zmq_transport.proxy.tables import SEND
from zmq_transport.wire import greetings, heads
from zmq_transport.wire.heads import ItemFlag, Verb
from zmq_transport.wire.task_flags import without_runs

ITEMS = st.lists(
    st.tuples(
        st.sampled_from([Verb.TASK, Verb.TASK, Verb.REPLY, Verb.CANCEL]).map(int),
        st.integers(0, 255),
        st.just(1),
        st.integers(0, 2**32 - 1),
        st.just(b"t" * 16),
        st.just(b"r" * 16),
        st.just(0),
    ),
    min_size=1,
    max_size=64,
)


@given(items=ITEMS, address=st.binary(max_size=60))
def test_only_the_flag_of_tasks_goes(items, address):
    head = heads.pack_items(items, peer=b"p" * 16, address=address)

    peer, found, rest = heads.unpack_items(without_runs(head))

    starts_with_task = items[0][0] == Verb.TASK
    assert (peer, rest) == (b"p" * 16, address)
    for (verb, flags, *before), (verb_now, flags_now, *now) in zip(items, found, strict=True):
        is_cut = starts_with_task and verb == Verb.TASK
        assert (verb_now, now) == (verb, before)
        assert flags_now == (flags & 0b11110111 if is_cut else flags)


@pytest.mark.parametrize("length", [0, 1, 19, 20, 21, 62, 63])
@given(data=st.data())
def test_a_head_of_any_length_keeps_it(length, data):
    head = data.draw(st.binary(min_size=length, max_size=length))

    assert len(without_runs(head)) == length


RUN, KEEP = int(ItemFlag.RUN), int(ItemFlag.KEEP)


def said(bench, who, items, body, **target):
    """Say a message; return the flags of the items that are sent on, and the body."""
    head = heads.pack_items(items, **target)
    outputs = bench.engine.on_message(who.connection, head, body, bench.now_s)
    bench.take([each for each in outputs if each[0] != SEND])
    [(_, _, sent_head, sent_body)] = [each for each in outputs if each[0] == SEND]
    _, sent, _ = heads.unpack_items(sent_head)
    return [flags for _, flags, *_ in sent], sent_body


def asked(bench, caller, tasks=(b"t" * 16,)):
    items = [(int(Verb.TASK), RUN | KEEP, 1, 5000, task, b"r" * 16, 1) for task in tasks]
    flags, _ = said(bench, caller, items, b"q" * len(items), address=b"echo")
    return flags


@pytest.mark.parametrize("count", [1, 3])
def test_a_task_says_that_its_caller_reads_runs_unless_an_older_client_is_here(bench, count):
    bench.join("worker", "echo")
    caller = bench.join("caller")
    numbers = iter(range(100))

    def ask():
        return asked(bench, caller, tasks=[bytes([next(numbers)]) * 16 for _ in range(count)])

    assert ask() == [RUN | KEEP] * count

    older = bench.join("older", runs=False)
    assert ask() == [KEEP] * count

    bench.join("elsewhere", namespace="red", runs=False)
    bench.say(older, heads.pack(Verb.GOODBYE))
    assert ask() == [RUN | KEEP] * count


def test_a_client_that_reads_them_after_its_restart_is_no_older_one(bench):
    bench.join("worker", "echo")
    caller = bench.join("caller", runs=False)
    assert asked(bench, caller) == [KEEP]

    bench.hello("caller", connection=b"anew", runs=True)
    again = type(caller)(b"anew", caller.instance, caller.secret)

    assert asked(bench, again, tasks=[b"x" * 16]) == [RUN | KEEP]


def test_welcome_says_that_runs_pass(bench):
    _, [sent] = bench.hello("caller")

    assert greetings.unpack_welcome(sent.body).runs is True


def test_a_run_passes_as_any_reply_and_is_copied_as_it_is(bench):
    worker, caller = bench.join("worker", "echo"), bench.join("caller")
    bench.listen(heads.kind_topic("demo", 10))
    asked(bench, caller)
    item = (int(Verb.REPLY), RUN, 10, 0, b"t" * 16, b"r" * 16, 3)

    passed = said(bench, worker, [item], b"run", peer=caller.instance)

    assert passed == ([RUN], b"run")
    assert [body for _, _, body in bench.published] == [b"run"]
