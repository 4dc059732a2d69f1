"""`@neuron` leaves a function as it is and gives it an Axon."""

import pytest

from cosmonapse import InvalidName, neuron


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
        (lambda: neuron(id="a")(lambda input: input), TypeError, r"\(input, context\)"),
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
