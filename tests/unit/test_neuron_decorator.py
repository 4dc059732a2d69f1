"""`@neuron` leaves a function as it is and gives it an Axon."""

import functools
from typing import Any

import pytest
from pydantic import BaseModel

from cosmonapse import InvalidName, TaskContext, neuron


class Desk:
    def book(self, city: str) -> str:
        return city


class Stay(BaseModel):
    nights: int


def test_a_decorated_function_is_called_as_before_and_has_an_axon():
    @neuron
    def shout(input, context):
        return input["prompt"].upper()

    assert shout({"prompt": "hi"}, []) == "HI"
    assert (shout.axon.neuron_id, shout.axon.neuron_fn) == ("shout", shout)


@pytest.mark.asyncio
async def test_a_generator_streams_as_before():
    @neuron(id="count-up")
    async def count(input, context):
        for number in range(input):
            yield str(number)

    assert [each async for each in count(3, [])] == ["0", "1", "2"]
    assert count.axon.neuron_id == "count-up"
    assert count.axon.on_loop


def test_every_argument_of_an_axon_passes_through():
    settings = {
        "capabilities": ["a"],
        "version": "2",
        "concurrency": 3,
        "max_queued": 4,
        "context_fetcher": len,
        "bid_fn": max,
        "rollback_fn": print,
        "rate_limit": "5/2s",
    }

    @neuron(**settings)
    def work(input, context): ...

    assert {name: getattr(work.axon, name) for name in settings} == {
        **settings,
        "capabilities": ("a",),
    }


@pytest.mark.parametrize(
    ("decorate", "error", "text"),
    [
        (lambda: neuron(id="a")(lambda input: input), TypeError, r"\(input, context\), or have"),
        (lambda: neuron(Desk.book), TypeError, r"Desk\.book is a method and has no object here"),
        (lambda: neuron(Desk().book), TypeError, "an Axon cannot be put on <bound method Desk"),
        (lambda: neuron(lambda input, context: input), InvalidName, "<lambda>"),
        (lambda: neuron("shout"), TypeError, "with names"),
        (lambda: neuron(neuron_id="a")(print), TypeError, "leave out neuron_id"),
        (lambda: neuron(id="a", color="red")(print), TypeError, "color"),
        (lambda: neuron(id="a", concurrency=0)(print), ValueError, "concurrency"),
    ],
)
def test_a_mistake_is_told_where_it_is_made(decorate, error, text):
    with pytest.raises(error, match=text):
        decorate()


def called(function: Any, given: dict[str, Any]) -> Any:
    """Call the function of an Axon as a Dendrite does."""
    axon = function.axon
    return axon.neuron_fn(axon.contract.given(given), "the context")


def keys_of(function: Any) -> list[str]:
    return list(function.axon.card.input["properties"])


def test_a_parameter_with_the_hint_of_the_context_is_no_key_of_the_input():
    @neuron
    def two(a: int, here: TaskContext):
        return a, here

    @neuron
    def three(here: "TaskContext", a: int, b: int = 2):
        return a, b, here

    @neuron
    def bare(ctx, a: int):
        return a, ctx

    assert called(two, {"a": 1}) == (1, "the context")
    assert called(three, {"a": 1}) == (1, 2, "the context")
    assert called(bare, {"a": 1}) == (1, "the context")
    assert [keys_of(each) for each in (two, three, bare)] == [["a"], ["a", "b"], ["a"]]


@pytest.mark.parametrize("hint", [dict, dict[str, Any], Any, Stay, "Stay"])
def test_a_function_of_a_dict_or_a_class_and_the_context_takes_its_input_whole(hint):
    def stay(given, here: TaskContext): ...

    stay.__annotations__["given"] = hint

    assert neuron(stay).axon.neuron_fn is stay


def test_a_function_without_parameters_takes_an_empty_input():
    @neuron
    def ping():
        return "pong"

    @neuron
    def whoami(context):
        return context

    assert called(ping, {}) == "pong"
    assert called(whoami, {}) == "the context"


@pytest.mark.asyncio
async def test_a_partial_has_the_hints_of_its_function():
    async def add(a: int, b: int) -> int:
        return a + b

    three_more = neuron(id="more")(functools.partial(add, b=3))

    assert three_more.axon.card.input["properties"]["a"]["type"] == "integer"
    assert three_more.axon.is_coroutine
    assert await called(three_more, {"a": 1}) == 4


def test_parameters_are_given_by_name_also_where_another_type_checks_them():
    @neuron(input=Stay)
    def stay(nights, *, city: str = "Oslo"):
        return nights, city

    assert called(stay, {"nights": 2, "more": 1, "clarification": {}}) == (2, "Oslo")
