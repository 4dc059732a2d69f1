"""Broadcast Signals on their way to the handlers: batches, runs, invalid ones, repeated ones."""

from unittest import mock

import pytest

from cosmonapse import Directed, Signal, SignalType, kernel, new_event_id, new_trace_id
from cosmonapse.dendrite.senders import Senders
from cosmonapse.dendrite.watch import handler_runner
from cosmonapse.dendrite.watch.body_reader import OF_TASKS
from cosmonapse.dendrite.watch.handlers import Handler
from cosmonapse.dendrite.watch.subscriptions import Subscriptions
from cosmonapse.ids import id_bytes
from support.processes import until

pytestmark = pytest.mark.asyncio
NOBODY, OWN, OTHER, WORKER = bytes(16), b"o" * 16, b"x" * 16, b"w" * 16
PLAN, THOUGHT = SignalType.PLAN, SignalType.THOUGHT_DELTA
ANSWERS = (SignalType.CLARIFICATION_ANSWER, SignalType.PERMISSION_DECISION)


def listening(*handlers):
    heard = Subscriptions(mock.Mock(instance=OWN))
    for handler in handlers:
        heard.add(handler)
    return heard


def named(*handlers):
    """Return subscriptions of a Synapse with keys."""
    names = {OTHER: "ada", WORKER: "ben"}
    heard = listening(*handlers)
    transport = mock.Mock(user="eve", may=("watch",), origin_of=names.get)
    heard.senders = Senders(transport)
    heard.senders.on_welcomed()
    return heard


def plans(count, begin=0):
    return [Signal(type=PLAN, payload={"steps": [n]}) for n in range(begin, begin + count)]


def collector(**options):
    seen = []

    async def collects(signal):
        seen.append(signal)

    types = options.pop("types", {PLAN})
    return Handler(collects, frozenset(types), **options), seen


def hear(heard, signals, caller=OTHER, worker=NOBODY):
    kind = signals[0].type.code
    heard.on_heard(kind, NOBODY, caller, worker, [each.encode() for each in signals])


async def test_a_batch_reaches_every_handler_of_its_type_whole_and_in_order():
    first, seen = collector()
    second, also_seen = collector()
    plain_seen = []
    plain = Handler(plain_seen.append, frozenset({PLAN}))
    for handlers in ([first], [plain], [first, second, plain]):
        for each in (seen, also_seen, plain_seen):
            each.clear()
        heard, signals = listening(*handlers), plans(50)

        hear(heard, signals)
        expected = {id(seen): first, id(also_seen): second, id(plain_seen): plain}
        lists = [each for each in (seen, also_seen, plain_seen) if expected[id(each)] in handlers]
        await until(lambda lists=lists: all(len(each) == 50 for each in lists))
        await heard.close()

        assert all(each == signals for each in lists)
        assert not heard.counts


async def test_an_invalid_signal_of_a_batch_is_counted_and_harms_no_other(caplog):
    handler, seen = collector()
    plain_seen = []
    for each, kept in ((handler, seen), (Handler(plain_seen.append, {PLAN}), plain_seen)):
        heard, signals = listening(each), plans(3)
        wrong = Signal(type=SignalType.CRITIQUE).encode()
        bodies = [
            b"",
            signals[0].encode(),
            wrong,
            signals[1].encode(),
            b"\x99",
            signals[2].encode(),
        ]

        heard.on_heard(PLAN.code, NOBODY, OTHER, NOBODY, bodies)
        await until(lambda kept=kept: len(kept) == 3)
        await until(lambda heard=heard: heard.counts["drop.bad_signal"] == 3)
        await heard.close()

        assert kept == signals
        assert heard.counts == {"drop.bad_signal": 3}


async def test_a_batch_into_a_full_queue_is_cut_where_the_queue_ends(monkeypatch):
    monkeypatch.setattr(handler_runner, "QUEUE_LIMIT", 10)
    handler, seen = collector()
    heard = listening(handler)

    hear(heard, plans(8))
    hear(heard, plans(8, 8))
    await until(lambda: len(seen) == 10)
    hear(heard, plans(2, 16))
    await until(lambda: len(seen) == 12)
    await heard.close()

    assert [each.payload["steps"][0] for each in seen] == [*range(10), 16, 17]
    assert heard.counts == {"drop.handler_queue_full": 6}


async def test_a_filter_of_a_handler_holds_for_each_signal_of_a_batch():
    handler, seen = collector(neuron="planner")
    heard = listening(handler)
    wanted = Signal(type=PLAN, directed=Directed("planner", "neuron"))

    hear(heard, [*plans(2), wanted, *plans(2)])
    await until(lambda: seen)
    await heard.close()

    assert seen == [wanted]


@pytest.mark.parametrize("signal_type", [*OF_TASKS, *ANSWERS])
async def test_what_can_come_twice_is_shown_once(signal_type):
    handler, seen = collector(types={signal_type})
    signal = Signal(type=signal_type)
    can_come_twice = [(OTHER, WORKER)] if signal_type in OF_TASKS else []
    if signal_type in (SignalType.TASK, *ANSWERS):
        can_come_twice.append((OTHER, NOBODY))

    for caller, worker in can_come_twice:
        heard = listening(handler)
        seen.clear()
        for _ in range(2):
            hear(heard, [signal], caller, worker)
        await until(lambda: seen)
        await heard.close()

        assert seen == [signal]
        assert heard.counts == {"drop.repeated_copy": 1}


async def test_what_is_published_or_presence_costs_no_look_at_its_id():
    handler, seen = collector()
    heard, [signal] = listening(handler), plans(1)

    for caller in (OTHER, NOBODY):
        hear(heard, [signal], caller)
    await until(lambda: len(seen) == 2)
    await heard.close()

    assert not heard.counts


def run_of(texts, trace_id):
    task = new_event_id()
    producer = kernel.encode_directed(mock.Mock(id="n", type="neuron", capabilities=()))
    return kernel.encode_thoughts(new_event_id(), trace_id, task, producer, 1.5, 0, texts)


async def test_the_copy_of_a_run_is_its_signals_to_handlers_of_type_and_of_trace():
    trace_id = new_trace_id()
    by_type, seen = collector(types={THOUGHT})
    by_trace, seen_by_trace = collector(types=(), trace_id=trace_id)
    ordered, seen_in_order = collector(types=(), trace_id=trace_id, ordered=True)
    heard = listening(by_type, by_trace, ordered)
    body = run_of(["a", "b", "c"], trace_id)

    for _ in range(2):  # it is sent again, and so copied again
        heard.on_heard(THOUGHT.code, NOBODY, OTHER, WORKER, [body])
        heard.on_heard(-1, id_bytes(trace_id), OTHER, WORKER, [body])
    await until(lambda: len(seen_in_order) == 3)
    await heard.close()

    assert seen == seen_by_trace == seen_in_order == kernel.run_signals(body)
    assert heard.counts == {"drop.repeated_copy": 6}


async def test_a_handler_that_left_gets_nothing_of_a_batch_and_it_is_counted():
    handler, seen = collector()
    heard = listening(handler)
    heard.remove(handler.function)

    hear(heard, plans(7))
    await heard.close()

    assert seen == []
    assert heard.counts == {"drop.no_handler": 7}


@pytest.mark.parametrize("by_trace", [False, True])
@pytest.mark.parametrize("signal_type", [*ANSWERS, SignalType.STOP, SignalType.BID])
async def test_a_worker_gives_no_orders_by_a_copy_of_its_reply(signal_type, by_trace):
    signal = Signal(type=signal_type)
    trace = {"trace_id": signal.trace_id} if by_trace else {}
    handler, seen = collector(types={signal_type}, **trace)
    heard = listening(handler)

    topic = (-1, id_bytes(signal.trace_id)) if by_trace else (signal_type.code, NOBODY)
    heard.on_heard(*topic, OTHER, WORKER, [signal.encode()])
    heard.on_heard(*topic, OTHER, NOBODY, [signal.encode()])
    await until(lambda: seen)
    await heard.close()

    assert seen == [signal]
    assert heard.counts == {"drop.bad_signal": 1}


async def test_a_decision_under_the_topic_of_a_plan_reaches_nobody():
    handler, seen = collector(types={PLAN, *ANSWERS})
    direct_seen = []
    direct = Handler(direct_seen.append, frozenset({PLAN, *ANSWERS}), direct=True)
    heard, decision = listening(handler, direct), Signal(type=SignalType.PERMISSION_DECISION)

    heard.on_heard(PLAN.code, NOBODY, OTHER, NOBODY, [decision.encode()])
    hear(heard, plans(1))
    await until(lambda: seen)
    await heard.close()

    assert [each.type for each in seen] == [each.type for each in direct_seen] == [PLAN]
    assert heard.counts == {"drop.bad_signal": 1}


async def test_a_handler_reads_from_which_key_each_signal_came():
    handler, seen = collector(types={PLAN, SignalType.CRITIQUE})
    plain_seen = []
    plain = Handler(plain_seen.append, frozenset({PLAN}))
    for handlers in ([handler], [handler, plain]):
        seen.clear()
        heard = named(*handlers)

        hear(heard, plans(2))
        hear(heard, plans(1), WORKER, NOBODY)
        await until(lambda: len(seen) == 3)
        await heard.close()

        assert [each.origin for each in seen] == ["ada", "ada", "ben"]
    assert [each.origin for each in plain_seen] == ["ada", "ada", "ben"]


async def test_alone_or_not_a_handler_gets_no_decision_that_was_sent_as_a_plan():
    handler, seen = collector(types={PLAN, *ANSWERS})
    heard, decision = named(handler), Signal(type=SignalType.PERMISSION_DECISION)

    heard.on_heard(PLAN.code, NOBODY, OTHER, NOBODY, [decision.encode()])
    hear(heard, plans(1))
    await until(lambda: seen)
    await heard.close()

    assert [each.type for each in seen] == [PLAN]
    assert heard.counts == {"drop.bad_signal": 1}
