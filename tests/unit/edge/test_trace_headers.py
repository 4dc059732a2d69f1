"""The trace context of a request, in the arguments of its task."""

import pytest

from cosmonapse.edge import fastapi
from cosmonapse.edge.trace_headers import with_environ, with_headers

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_it_goes_on_in_the_meta_beside_what_the_program_puts_there():
    task = {"neuron": "worker", "meta": {"tenant": "a"}}

    assert with_headers(task, PARENT, "a=1") == {
        "neuron": "worker",
        "meta": {"tenant": "a", "traceparent": PARENT, "tracestate": "a=1"},
    }
    assert task["meta"] == {"tenant": "a"}


def test_what_the_program_says_itself_stays():
    task = {"meta": {"traceparent": "its own"}}

    assert with_headers(task, PARENT, "a=1") == task


@pytest.mark.parametrize("task", [{"neuron": "x"}, {"meta": None}, {"meta": 5}])
def test_a_request_without_a_valid_one_changes_nothing(task):
    for headers in ((None, None), (None, "a=1"), ("no", "a=1")):
        assert with_headers(task, *headers) is task


def test_a_wsgi_environment_has_it_too():
    environ = {"HTTP_TRACEPARENT": PARENT, "HTTP_COOKIE": "x"}

    assert with_environ({}, environ) == {"meta": {"traceparent": PARENT}}
    assert with_environ({}, {}) == {}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("states", "joined"), [([], None), ([b"a=1"], "a=1"), ([b"a=1", b"b=2,c=3"], "a=1,b=2,c=3")]
)
async def test_several_headers_of_an_asgi_request_are_one_list(states, joined):
    seen = []

    async def app(*_):
        seen.append(fastapi._trace_headers.get())

    headers = [(b"traceparent", PARENT.encode()), *((b"tracestate", each) for each in states)]

    await fastapi._RememberHeaders(app)({"type": "http", "headers": headers}, None, None)

    assert seen == [(PARENT, joined)]
