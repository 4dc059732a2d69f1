"""Whatever a Neuron does, its caller is told, once, and the worker goes on."""

import asyncio
import datetime
import sys

import pytest

from cosmonapse import NeedsAnswer, NeuronError, SignalType

pytestmark = pytest.mark.asyncio
_TIME_S = 10.0


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("no text")


class Odd(BaseException):
    """Neither an Exception nor one of those that end a program."""


def cyclic():
    value = {}
    value["self"] = value
    return value


def does(action, shape):
    """Return a Neuron of a shape that does what is given."""

    async def coroutine(input, context):
        return action()

    def plain(input, context):
        return action()

    async def generator(input, context):
        yield action()

    return {"coroutine": coroutine, "def": plain, "generator": generator}[shape]


def raiser(error):
    def action():
        raise error

    return action


async def outcome_of(action, shape, serve):
    """Return the reply, after the worker has shown that it goes on."""
    caller = await serve(does(action, shape), concurrency=1)
    reply = await caller.dispatch_and_wait(neuron="worker", input={}, timeout_s=_TIME_S)
    again = await caller.dispatch_and_wait(neuron="worker", input={}, timeout_s=_TIME_S)
    assert again.payload == reply.payload
    assert reply.directed.id == "worker"
    return reply


shapes = pytest.mark.parametrize("shape", ["coroutine", "def", "generator"])


@shapes
@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("why"), "ValueError: why"),
        (KeyError("k"), "KeyError: 'k'"),
        (SystemExit(3), "SystemExit: 3"),
        (
            ExceptionGroup("some", [ValueError("one"), ExceptionGroup("in", [KeyError("two")])]),
            "ExceptionGroup: some (2 sub-exceptions): ValueError: one; KeyError: 'two'",
        ),
        (TimeoutError("slow"), "TimeoutError: slow"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
async def test_what_a_neuron_raises_is_an_error_with_its_kind_and_words(
    error, message, shape, serve
):
    reply = await outcome_of(raiser(error), shape, serve)

    assert reply.payload == {
        "code": "NEURON_EXCEPTION",
        "message": message,
        "recoverable": False,
    }


@shapes
async def test_the_log_of_the_worker_names_the_line_of_the_user_that_raised(shape, serve, caplog):
    await outcome_of(raiser(ValueError("why")), shape, serve)

    line = raiser.__code__.co_firstlineno + 2
    assert f"neuron worker raised ValueError: why at {__file__}:{line} in raiser" in caplog.text
    assert "Traceback" in caplog.text


@shapes
async def test_sys_exit_ends_the_task_and_not_the_worker(shape, serve):
    reply = await outcome_of(sys.exit, shape, serve)

    assert reply.payload["code"] == "NEURON_EXCEPTION"


@shapes
async def test_a_neuron_error_is_an_error_with_the_code_of_the_neuron(shape, serve):
    error = NeuronError("MY_OWN", "try later", recoverable=True)

    reply = await outcome_of(raiser(error), shape, serve)

    assert reply.payload == {"code": "MY_OWN", "message": "try later", "recoverable": True}
    with pytest.raises(NeuronError, match="MY_OWN: try later"):
        _ = reply.output


@shapes
async def test_a_neuron_that_cancels_itself_ends_its_task_as_cancelled(shape, serve):
    reply = await outcome_of(raiser(asyncio.CancelledError()), shape, serve)

    assert reply.payload["code"] == "CANCELLED"


async def test_an_error_without_a_text_is_told_all_the_same(serve):
    reply = await outcome_of(raiser(Unprintable()), "coroutine", serve)

    assert reply.payload["code"] == "NEURON_EXCEPTION"
    assert "Unprintable" in reply.payload["message"]


@pytest.mark.parametrize("error", [Odd(), BaseExceptionGroup("odd", [Odd()])])
async def test_an_error_beside_all_exceptions_is_told_all_the_same(error, serve):
    reply = await outcome_of(raiser(error), "coroutine", serve)

    assert reply.payload["code"] == "NEURON_EXCEPTION"
    assert type(error).__name__ in reply.payload["message"]


async def test_an_iterator_that_is_empty_is_told_all_the_same(serve):
    reply = await outcome_of(lambda: next(iter(())), "def", serve)

    assert reply.payload["code"] == "NEURON_EXCEPTION"
    assert "StopIteration" in reply.payload["message"]


async def test_what_a_generator_raises_after_its_thoughts_is_its_outcome(serve):
    async def breaks_off(input, context):
        yield "half of"
        raise ValueError("no more")

    reply = await (await serve(breaks_off)).dispatch_and_wait(neuron="worker", input={})

    assert reply.payload["message"] == "ValueError: no more"


@pytest.mark.parametrize("shape", ["coroutine", "def"])
@pytest.mark.parametrize("value", [None, 7, 1.5, "text", True, b"bytes", [1, 2], {"a": 1}, {}])
async def test_a_dict_is_the_output_and_everything_else_is_wrapped(value, shape, serve):
    reply = await outcome_of(lambda: value, shape, serve)

    assert reply.type is SignalType.AGENT_OUTPUT
    assert reply.output == (value if isinstance(value, dict) else {"value": value})


@shapes
@pytest.mark.parametrize(
    ("output", "path", "why"),
    [
        ({"a": [0, object()]}, "payload.output.a[1]", "of type object"),
        ({"at": datetime.date(2020, 1, 1)}, "payload.output.at", "of type date"),
        ({"a": {1: "one"}}, "payload.output.a", "its key 1 is not a str"),
        ({"n": 1 << 64}, "payload.output.n", "over 64 bits"),
        ({"s": {1, 2}}, "payload.output.s", "of type set"),
        ({"t": "\ud800"}, "payload.output.t", "not valid Unicode"),
        (cyclic(), "payload.output.self", "cyclic"),
    ],
    ids=["object", "date", "key", "int", "set", "text", "cyclic"],
)
async def test_an_output_that_cannot_travel_is_told_with_its_path(output, path, why, shape, serve):
    reply = await outcome_of(lambda: output, shape, serve)

    assert reply.payload["code"] == "BAD_OUTPUT"
    assert reply.payload["recoverable"] is False
    assert reply.payload["message"].startswith(path)
    assert why in reply.payload["message"]


@pytest.mark.parametrize(
    "output", [{"\ud800": 1}, {"x": "y" * 1_000_000}], ids=["odd key", "long text"]
)
async def test_an_output_that_the_codec_or_the_limit_refuses_is_bad(output, serve):
    reply = await outcome_of(lambda: output, "coroutine", serve)

    assert reply.payload["code"] == "BAD_OUTPUT"


@pytest.mark.parametrize(
    "output", [{"\ud800": object()}, {"x" * 1_000_000: object()}], ids=["odd key", "long key"]
)
async def test_a_path_that_cannot_travel_does_not_keep_the_caller_waiting(output, serve):
    reply = await outcome_of(lambda: output, "coroutine", serve)

    assert reply.payload["code"] == "BAD_OUTPUT"


async def test_an_error_whose_text_cannot_travel_is_told_all_the_same(serve):
    reply = await outcome_of(raiser(ValueError("\ud800")), "coroutine", serve)

    assert reply.type is SignalType.ERROR


@shapes
@pytest.mark.parametrize(
    ("mark", "type_"),
    [
        ("__clarification__", SignalType.CLARIFICATION),
        ("__permission__", SignalType.PERMISSION),
        ("__escalation__", SignalType.ESCALATION),
    ],
)
async def test_a_marked_dict_asks_and_whoever_wants_the_output_is_told(mark, type_, shape, serve):
    reply = await outcome_of(lambda: {mark: True, "question": "which?"}, shape, serve)

    assert reply.type is type_
    assert reply.payload == {"question": "which?"}
    with pytest.raises(NeedsAnswer, match=f"{type_.value}.*which"):
        _ = reply.output


@shapes
async def test_a_dict_marked_as_error_is_an_error(shape, serve):
    marked = {"__error__": True, "code": "OVERLOADED", "message": "later"}

    reply = await outcome_of(lambda: marked, shape, serve)

    assert reply.payload == {"code": "OVERLOADED", "message": "later", "recoverable": True}


async def test_the_words_of_an_error_are_cut_to_a_bearable_length(serve):
    reply = await outcome_of(raiser(ValueError("x" * 2_000_000)), "coroutine", serve)

    assert reply.payload["code"] == "NEURON_EXCEPTION"
    assert reply.payload["message"].startswith("ValueError: xxx")
    assert len(reply.payload["message"]) <= 10_000
