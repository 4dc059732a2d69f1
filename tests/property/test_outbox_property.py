"""The outbox is two lists: what came back, then what was never sent."""

from hypothesis import given
from hypothesis import strategies as st

from zmq_transport.client.outbox import Outbox
from zmq_transport.wire import heads
from zmq_transport.wire.heads import Verb

SIZES = st.integers(0, 30)
STEPS = st.lists(
    st.tuples(st.just("push"), SIZES, st.none() | st.floats(-1.0, 5.0))
    | st.tuples(st.just("back"), st.integers(1, 3), st.none())
    | st.tuples(st.just("wait"), st.integers(0, 2), st.none())
    | st.tuples(st.just("send"), st.integers(1, 3), st.none()),
    max_size=40,
)


def task(number):
    return heads.pack(Verb.TASK, task=number.to_bytes(16, "big"), number=1)


def number_of(head):
    return int.from_bytes(heads.unpack_single(head)[5], "big")


@given(steps=STEPS)
def test_messages_leave_in_their_order_and_in_time_and_never_over_the_bounds(steps):
    outbox, model, flown, now_s = Outbox(max_messages=6, max_bytes=900), [], [], 100.0
    coming_back = []
    for number, (verb, value, left_s) in enumerate(steps):
        deadline_at_s = None if left_s is None else now_s + left_s
        if verb == "push":
            waiting = coming_back + model
            used = sum(200 + size for _, size, _ in waiting)
            fits = len(waiting) < 6 and used + 200 + value <= 900
            assert outbox.push(task(number), b"x" * value, deadline_at_s) == fits
            model += [(number, value, deadline_at_s)] * fits
        elif verb == "back":
            back, flown = flown[-value:], flown[:-value]
            for sent, size, until_s in back:
                outbox.put_back(task(sent), b"x" * size, until_s)
            coming_back += back  # in front of all others, once the next one goes out
        elif verb == "wait":
            now_s += value
        else:
            model, coming_back = coming_back + model, []
            for _ in range(value):
                while model and model[0][2] is not None and int((model[0][2] - now_s) * 1000) <= 0:
                    model.pop(0)
                message = outbox.first(now_s)
                assert (message is None) == (not model)
                if message is not None:
                    assert number_of(message[0]) == model[0][0]
                    outbox.sent()
                    flown.append(model.pop(0))
        assert len(outbox) == len(coming_back) + len(model)


@given(left_s=st.floats(0.001, 1e12), now_s=st.floats(0.0, 1e9))
def test_a_task_leaves_with_the_time_that_is_left_however_long_that_is(left_s, now_s):
    outbox = Outbox()
    outbox.push(task(1), b"", now_s + left_s)

    message = outbox.first(now_s)

    assert message is None or 1 <= heads.unpack_single(message[0])[4] <= heads.MAX_NUMBER
