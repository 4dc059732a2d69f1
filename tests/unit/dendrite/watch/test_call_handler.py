import asyncio
import contextvars
import threading
from unittest import mock

import pytest

from cosmonapse import Signal, SignalType
from cosmonapse.dendrite.watch import call_handler
from cosmonapse.dendrite.watch.handlers import Handler
from cosmonapse.dendrite.watch.subscriptions import Subscriptions
from support.processes import until

pytestmark = pytest.mark.asyncio
OUTPUT = frozenset({SignalType.AGENT_OUTPUT})


def fed_with(function):
    """Return subscriptions that feed one handler."""
    fed = Subscriptions(mock.Mock(instance=bytes(16)))
    fed.add(Handler(function=function, types=OUTPUT))
    return fed


def feed(fed, count):
    for n in range(count):
        fed.feed(Signal(type=SignalType.AGENT_OUTPUT, payload={"n": n}))


async def test_one_thread_calls_a_plain_handler_for_all_that_waits_in_order(monkeypatch):
    monkeypatch.setattr(call_handler, "TURN_S", 60.0)
    seen, threads = [], set()

    def keeps(signal):
        seen.append(signal.payload["n"])
        threads.add(threading.get_ident())

    fed = fed_with(keeps)
    feed(fed, 500)
    await until(lambda: len(seen) == 500)
    await fed.close()

    assert seen == list(range(500))
    assert len(threads) == 1


async def test_what_comes_while_a_thread_runs_is_handled_after_it():
    seen, go_on = [], threading.Event()

    def waits(signal):
        seen.append(signal.payload["n"])
        go_on.wait(20)

    fed = fed_with(waits)
    feed(fed, 1)
    await until(lambda: seen == [0])
    feed(fed, 3)
    go_on.set()
    await until(lambda: len(seen) == 4)
    await fed.close()

    assert seen == [0, 0, 1, 2]


async def test_a_plain_handler_that_raises_is_logged_for_each_signal_and_goes_on(caplog):
    seen = []

    def raises(signal):
        seen.append(signal.payload["n"])
        if signal.payload["n"] % 2:
            raise ValueError(f"odd {signal.payload['n']}")

    fed = fed_with(raises)
    feed(fed, 6)
    await until(lambda: len(seen) == 6 and fed.counts["handler_raised"] == 3)
    await fed.close()

    assert seen == [0, 1, 2, 3, 4, 5]
    assert [str(each.exc_info[1]) for each in caplog.records] == ["odd 1", "odd 3", "odd 5"]


async def test_a_plain_handler_that_returns_a_coroutine_has_it_awaited_before_the_next_call():
    steps = []

    async def slowly(n):
        await asyncio.sleep(0)
        steps.append(("awaited", n))

    def returns(signal):
        steps.append(("called", signal.payload["n"]))
        return slowly(signal.payload["n"])

    fed = fed_with(returns)
    feed(fed, 2)
    await until(lambda: len(steps) == 4)
    await fed.close()

    assert steps == [("called", 0), ("awaited", 0), ("called", 1), ("awaited", 1)]


async def test_a_plain_handler_that_is_removed_in_the_middle_is_not_called_for_the_rest():
    seen, go_on = [], threading.Event()

    def waits(signal):
        seen.append(signal.payload["n"])
        go_on.wait(20)

    fed = fed_with(waits)
    feed(fed, 10)
    await until(lambda: seen == [0])
    fed.remove(waits)
    go_on.set()
    await asyncio.gather(*(asyncio.to_thread(lambda: None) for _ in range(3)))
    await fed.close()

    assert seen == [0]


async def test_after_the_end_a_thread_that_runs_makes_no_further_call():
    seen, go_on, returned = [], threading.Event(), threading.Event()

    def waits(signal):
        seen.append(signal.payload["n"])
        go_on.wait(20)
        returned.set()

    fed = fed_with(waits)
    feed(fed, 10)
    await until(lambda: seen == [0])
    await fed.close()
    go_on.set()
    await asyncio.to_thread(returned.wait, 20)

    assert seen == [0]


async def test_no_call_of_a_plain_handler_sees_the_context_variables_of_another():
    variable = contextvars.ContextVar("variable", default=-1)
    seen = []

    def sets(signal):
        seen.append(variable.get())
        variable.set(signal.payload["n"])

    fed = fed_with(sets)
    feed(fed, 5)
    await until(lambda: len(seen) == 5)
    await fed.close()

    assert seen == [-1] * 5


async def test_a_question_is_over_as_soon_as_a_plain_handler_has_returned_for_it():
    seen, ended = [], []

    def keeps(signal):
        seen.append((signal.payload["n"], len(ended)))

    fed = fed_with(keeps)
    for n in range(3):
        question = Signal(type=SignalType.AGENT_OUTPUT, payload={"n": n})
        fed.feed_question(question, lambda: ended.append(len(seen)))
    await until(lambda: len(ended) == 3)
    await fed.close()

    assert seen == [(0, 0), (1, 1), (2, 2)]
    assert ended == [1, 2, 3]


async def test_a_handler_for_which_no_thread_can_be_started_counts_as_one_that_raised(monkeypatch):
    monkeypatch.setattr(threading.Thread, "start", mock.Mock(side_effect=RuntimeError("no thread")))

    fed = fed_with(lambda signal: None)
    feed(fed, 2)
    await until(lambda: fed.counts["handler_raised"] == 2)
    monkeypatch.undo()
    await fed.close()
