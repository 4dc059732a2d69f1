"""A listener that raises costs no call to a model."""

import contextlib
import logging

import pytest

from cosmonapse.telemetry import model_calls

FACTS = model_calls.CallFacts("openai", "a-model", "http://127.0.0.1", "hello")


class Raising:
    """Raises in one of its methods, and notes the others."""

    def __init__(self, where):
        self._where = where
        self.said = []

    def _say(self, what):
        self.said.append(what)
        if what == self._where:
            raise ValueError(what)

    def begin(self, facts):
        self._say("begin")
        return self

    @contextlib.contextmanager
    def asking(self):
        self._say("enter")
        yield
        self._say("leave")

    def answered(self, output, response_id):
        self._say("answered")

    def failed(self, error):
        self._say("failed")


@pytest.mark.parametrize("where", ["begin", "enter", "leave", "answered", "failed"])
def test_a_listener_that_raises_is_told_of_no_later_call_and_logged_once(where, caplog):
    listener = Raising(where)
    token = model_calls.LISTENER.set(listener)

    try:
        calls = [model_calls.begun(FACTS) for _ in range(2)]
        for call in filter(None, calls):
            with call.asking():
                pass
            call.answered({}, None)
            call.failed(KeyError("x"))

        assert where in listener.said
        assert model_calls.begun(FACTS) is None
        assert [each.levelno for each in caplog.records] == [logging.ERROR]
    finally:
        model_calls.LISTENER.reset(token)


def test_what_the_request_itself_raises_goes_through_its_context():
    listener = Raising("nowhere")
    token = model_calls.LISTENER.set(listener)

    try:
        with pytest.raises(KeyError), model_calls.begun(FACTS).asking():
            raise KeyError("refused")

        assert listener.said == ["begin", "enter", "leave"]
    finally:
        model_calls.LISTENER.reset(token)
