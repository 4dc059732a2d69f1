"""A tab knows the traces that the store keeps, and of very many changes the newest."""

import json

from hypothesis import given
from hypothesis import strategies as st

from cosmonapse import SignalType
from cosmonapse.prism.root_causes import Cause
from cosmonapse.prism.trace_news import MAX_SUMMARIES, TraceNews
from cosmonapse.prism.trace_store import TraceStore
from support.observed import reply, task


def event(data):
    name, text = data.decode().strip().split("\ndata: ")
    assert name == "event: traces"
    return json.loads(text)


def take_in(page, news):
    """Let a page take in all that is new."""
    while data := news.next():
        told = event(data)
        for each in told["gone"]:
            del page[each]
        page.update({each["id"]: each["v"] for each in told["items"]})


def fill(store, *signals):
    for each in signals:
        store.observe(store.v, each, 1.0)


def ids(told):
    return [each["id"] for each in told["items"]]


def test_all_that_is_kept_is_told_first_and_then_what_changes():
    store, asked = TraceStore(), [task() for _ in range(3)]
    fill(store, *asked)
    news = TraceNews(store)

    assert ids(event(news.next())) == [each.signal.trace_id for each in reversed(asked)]
    assert news.next() == b""

    fill(store, reply(asked[1]))
    assert ids(event(news.next())) == [asked[1].signal.trace_id]
    assert news.next() == b""


def test_a_trace_that_goes_is_told_to_those_who_know_it():
    store, old = TraceStore(most=1), task()
    fill(store, old)
    knows, came_later = TraceNews(store), TraceNews(store)
    knows.next()

    new = task()
    fill(store, new)

    expected = ([old.signal.trace_id], [new.signal.trace_id])
    told = event(knows.next())
    assert (told["gone"], ids(told)) == expected
    assert event(came_later.next())["gone"] == []


def test_of_very_many_changes_the_newest_are_told_first_and_the_others_later():
    store, asked = TraceStore(), [task() for _ in range(MAX_SUMMARIES + 50)]
    fill(store, *asked)
    news = TraceNews(store)
    assert news.first_events == 2

    first, behind, second = news.next(), news.is_behind, news.next()

    assert ids(event(first))[0] == asked[-1].signal.trace_id
    assert (behind, news.is_behind) == (True, False)
    assert {*ids(event(first)), *ids(event(second))} == {each.signal.trace_id for each in asked}


def test_the_id_of_a_trace_may_be_any_text():
    store, strange = TraceStore(most=1), task(trace_id='"],"items":[' + "\n" * 18)
    fill(store, strange)
    news = TraceNews(store)
    news.next()

    fill(store, task())

    assert event(news.next())["gone"] == [strange.signal.trace_id]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 6),
            st.sampled_from(["task", "thought", "reply", "error"]),
            st.booleans(),
        ),
        max_size=60,
    )
)
def test_a_page_that_takes_in_what_is_told_knows_what_the_store_knows(steps):
    store, page = TraceStore(most=3), {}
    news = TraceNews(store)
    asked = [task(ts=1.0) for _ in range(7)]
    make = {
        "task": lambda each: each,
        "thought": lambda each: reply(each, SignalType.THOUGHT_DELTA, {"delta": "x"}, ts=2.0),
        "reply": lambda each: reply(each, ts=3.0),
        "error": lambda each: reply(each, SignalType.ERROR, {"code": "X"}, ts=3.0),
    }
    for n, (which, what, looks) in enumerate(steps):
        cause = Cause("w", "X", "m") if what == "error" else None
        store.observe(n, make[what](asked[which]), float(n), cause)
        if looks:
            take_in(page, news)
    take_in(page, news)

    assert page == {each.id: each.v for each in store.newest_first()}
