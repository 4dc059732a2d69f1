"""The body of a streamed WSGI response, read by hand instead of by a server."""

import asyncio
import os
import socket
import threading

import pytest

from cosmonapse import Axon, BlockingDendrite, NeuronError
from cosmonapse.edge import sse
from cosmonapse.edge.wsgi_stream import StreamBody, client_is_gone, refused

TIMEOUT_S = 5.0


class Held:
    """A Neuron that says one word and waits."""

    def __init__(self):
        self.cancelled = threading.Event()

    async def __call__(self, input, context):
        yield "one"
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


async def says(input, context):
    if "reasoning" in input:
        await context.think(input["reasoning"], kind="reasoning")
    for word in input.get("words", ()):
        yield word
    if "error" in input:
        raise NeuronError("NO_GOOD", input["error"])
    yield {"response": "all of it"}


@pytest.fixture
def held():
    return Held()


@pytest.fixture
def dendrite(held):
    axons = [Axon(neuron_id="says", neuron_fn=says), Axon(neuron_id="held", neuron_fn=held)]
    with BlockingDendrite("memory://wsgi-stream", axons=axons) as running:
        yield running


@pytest.fixture
def body_of(dendrite):
    def make(neuron="says", as_text=False, gone=lambda: False, **input):
        return StreamBody(dendrite.stream(neuron=neuron, input=input), as_text, gone)

    return make


def test_events_come_one_by_one_and_end(body_of):
    events = list(body_of(words=["a"]))

    assert [event.split(b"\n")[0] for event in events] == [b"event: thought", b"event: output"]


def test_bare_texts_are_the_words_and_without_any_the_response(body_of):
    assert list(body_of(as_text=True, words=["a", "b"])) == [b"a", b"b"]
    assert list(body_of(as_text=True)) == [b"all of it"]


def test_bare_texts_break_off_when_the_task_fails(body_of):
    body = body_of(as_text=True, words=["a"], error="why")

    assert next(body) == b"a"
    with pytest.raises(NeuronError, match="why"):
        next(body)


def test_while_the_neuron_is_silent_there_are_comments(body_of):
    body = body_of("held")

    assert [next(body)[:14], next(body), next(body)] == [
        b"event: thought",
        sse.KEEP_ALIVE,
        sse.KEEP_ALIVE,
    ]


@pytest.mark.parametrize("as_text", [True, False])
def test_a_client_that_is_gone_ends_it_and_cancels_the_task(as_text, body_of, held):
    body = body_of("held", as_text=as_text, gone=lambda: True)

    assert len(list(body)) == 1
    assert held.cancelled.wait(TIMEOUT_S)


def test_closing_it_before_its_first_piece_cancels_the_task(body_of, held):
    body_of("held").close()

    assert held.cancelled.wait(TIMEOUT_S)


def test_a_dendrite_that_is_stopped_is_the_last_event(body_of, dendrite):
    body = body_of("held")
    next(body)
    dendrite.stop(drain_s=0.0)

    *_, last = body

    assert last.startswith(b"event: error\n")


def test_a_task_that_is_refused_at_once_is_answered_and_not_streamed(dendrite):
    refusal = refused(dendrite.stream(neuron="says", input={"error": "why"}))

    assert (refusal.status, refusal.body["error"]) == (502, "why")
    assert refused(dendrite.stream(neuron="says", input={"words": ["a"], "error": "why"})) is None


def test_a_connection_shows_whether_its_client_is_gone():
    ours, theirs = socket.socketpair()
    with ours:
        before = client_is_gone({"werkzeug.socket": ours})
        theirs.send(b"x")
        busy = client_is_gone({"werkzeug.socket": ours})
        ours.recv(1)
        theirs.close()
        after = client_is_gone({"gunicorn.socket": ours})

    assert (before, busy, after) == (False, False, True)
    assert client_is_gone({"gunicorn.socket": ours})
    assert not client_is_gone({})


def test_reasoning_is_an_event_and_no_part_of_the_text(body_of):
    events = list(body_of(reasoning="hm", words=["a"]))
    text = b"".join(body_of(as_text=True, reasoning="hm", words=["a"]))
    only_reasoning = b"".join(body_of(as_text=True, reasoning="hm"))

    assert b'"kind":"reasoning"' in events[0].replace(b": ", b":")
    assert (text, only_reasoning) == (b"a", b"all of it")


def test_reasoning_is_skipped_when_the_texts_are_read(dendrite):
    with dendrite.stream(neuron="says", input={"reasoning": "hm", "words": ["a"]}) as stream:
        assert list(stream) == ["a"]


class Patched(socket.socket):
    """A socket as gevent patches it: its `recv` waits for data, whatever the flags say."""

    def recv(self, *_):
        raise AssertionError("it would wait for ever")


def test_a_look_for_the_client_never_waits_and_changes_nothing():
    ours, theirs = socket.socketpair()
    patched = Patched(ours.family, ours.type, ours.proto, ours.detach())
    socket.setdefaulttimeout(1.0)
    try:
        gone = client_is_gone({"gunicorn.socket": patched})
    finally:
        socket.setdefaulttimeout(None)

    with patched, theirs:
        assert not gone
        assert os.get_blocking(patched.fileno())
        theirs.close()
        assert client_is_gone({"gunicorn.socket": patched})
