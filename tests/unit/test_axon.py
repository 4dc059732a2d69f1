"""What makes an Axon, and what a Neuron's return value means."""

import functools

import pytest

from cosmonapse import (
    Axon,
    Dendrite,
    Directed,
    InvalidName,
    MemorySynapse,
    NeuronError,
    SignalType,
    neuron,
)
from cosmonapse.axon import reply_of, reply_of_exception
from cosmonapse.payloads import error_payload


async def echo(input, context):
    return input


async def stream(input, context):
    yield input


def plain(input, context):
    return input


class Callable:
    async def __call__(self, input, context):
        return input


def axon(neuron_fn=echo, **fields):
    return Axon(**{"neuron_id": "echo", "neuron_fn": neuron_fn, **fields})


def test_an_axon_says_who_sends_what_its_neuron_says():
    assert axon(capabilities=["chat", "fr"]).producer == Directed("echo", "neuron", ("chat", "fr"))


def test_capabilities_are_kept_in_order_without_repeats():
    assert axon(capabilities=["b", "a", "b"]).capabilities == ("b", "a")


@pytest.mark.parametrize("neuron_id", ["", "a b", "a/b", "x" * 129, None, 7])
def test_a_bad_id_is_refused_at_birth(neuron_id):
    with pytest.raises(InvalidName, match="neuron_id"):
        axon(neuron_id=neuron_id)


@pytest.mark.parametrize(
    ("capabilities", "error"), [("chat", TypeError), (7, TypeError), (["a b"], InvalidName)]
)
def test_bad_capabilities_are_refused_at_birth(capabilities, error):
    with pytest.raises(error, match="capabilit"):
        axon(capabilities=capabilities)


@pytest.mark.parametrize(
    "neuron_fn", [None, "echo", lambda: None, lambda input: None, lambda a, b, c: None]
)
def test_a_function_of_another_shape_is_refused_at_birth(neuron_fn):
    with pytest.raises(TypeError, match="input, context"):
        axon(neuron_fn)


@pytest.mark.parametrize(
    "neuron_fn", [echo, stream, plain, Callable(), lambda a, b: None, lambda *a: None, max]
)
def test_whatever_takes_input_and_context_will_do(neuron_fn):
    assert axon(neuron_fn).neuron_fn is neuron_fn


@pytest.mark.parametrize(
    ("neuron_fn", "on_loop"),
    [
        (echo, True),
        (stream, True),
        (Callable(), True),
        (functools.partial(echo), True),
        (plain, False),
        (lambda a, b: None, False),
    ],
)
def test_only_what_does_not_block_runs_on_the_loop(neuron_fn, on_loop):
    assert axon(neuron_fn).on_loop is on_loop


@pytest.mark.parametrize(
    ("field", "value"), [("concurrency", 0), ("concurrency", -1), ("max_queued", -1)]
)
def test_a_bound_below_its_least_value_is_refused(field, value):
    with pytest.raises(ValueError, match=field):
        axon(**{field: value})


def test_a_dict_is_the_output():
    assert reply_of({"a": 1}) == (SignalType.AGENT_OUTPUT, {"output": {"a": 1}})


@pytest.mark.parametrize("value", [None, 7, "text", [1], b"x"])
def test_anything_else_is_wrapped(value):
    assert reply_of(value) == (SignalType.AGENT_OUTPUT, {"output": {"value": value}})


@pytest.mark.parametrize("name", ["CLARIFICATION", "PERMISSION", "ESCALATION"])
def test_a_marked_dict_asks_instead_of_answering(name):
    returned = {f"__{name.lower()}__": True, "question": "which?"}

    assert reply_of(returned) == (SignalType[name], {"question": "which?"})


@pytest.mark.parametrize("value", [False, 1, "yes", None])
def test_only_true_is_a_mark(value):
    returned = {"__clarification__": value}

    assert reply_of(returned) == (SignalType.AGENT_OUTPUT, {"output": returned})


def test_a_dict_marked_as_error_is_an_error_with_the_facts_of_its_code():
    type_, payload = reply_of({"__error__": True, "code": "OVERLOADED", "message": "later"})

    assert type_ is SignalType.ERROR
    assert payload == {"code": "OVERLOADED", "message": "later", "recoverable": True}
    assert reply_of({"__error__": True})[1]["code"] == "NEURON_EXCEPTION"


def test_what_a_neuron_returned_is_not_changed():
    returned = {"__clarification__": True, "question": "which?"}
    reply_of(returned)

    assert returned == {"__clarification__": True, "question": "which?"}


def test_whether_to_try_again_may_be_said_otherwise():
    assert error_payload("OVERLOADED", "no", recoverable=False)["recoverable"] is False
    assert error_payload("MY_OWN", "no")["recoverable"] is False


def test_an_exception_is_an_error():
    assert reply_of_exception(KeyError("x"))[1] == {
        "code": "NEURON_EXCEPTION",
        "message": "KeyError: 'x'",
        "recoverable": False,
    }


@pytest.mark.parametrize("given", [7, 7.0])
def test_an_error_keeps_how_long_to_wait(given):
    raised = NeuronError("MY_OWN", "later", retry_after_s=given)
    returned = {"__error__": True, "code": "MY_OWN", "message": "later", "retry_after_s": given}

    payloads = [reply_of_exception(raised)[1], reply_of(returned)[1]]

    assert [payload["retry_after_s"] for payload in payloads] == [7.0, 7.0]
    assert "retry_after_s" not in error_payload("MY_OWN", "later", retry_after_s="soon")


def test_a_neuron_may_choose_the_code_of_its_error():
    payload = reply_of_exception(NeuronError("MY_OWN", "later", recoverable=True))[1]

    assert payload == {"code": "MY_OWN", "message": "later", "recoverable": True}


def test_its_repr_fits_on_a_screen():
    axon = Axon(neuron_id="worker", neuron_fn=dict, input={"type": "object"})

    assert "contract" not in repr(axon)
    assert "card" not in repr(axon)


@neuron
async def decorated(input, context):
    return input


class Source:
    async def supply(self, show):
        await show([])


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        (decorated, "give its .axon"),
        (Source(), "it is a source of Axons: use 'await dendrite.add_source"),
        (echo, r"make one by Axon\(neuron_id=..., neuron_fn=...\)"),
    ],
)
def test_what_is_no_axon_is_refused_with_what_to_give(given, advice):
    dendrite = Dendrite(synapse=MemorySynapse())

    with pytest.raises(TypeError, match=f"expected an Axon, got .*; {advice}"):
        dendrite.attach_axon(given)
