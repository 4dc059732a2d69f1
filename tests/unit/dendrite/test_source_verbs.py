"""What `dendrite.add_source` takes."""

import pytest

from cosmonapse import Axon, Dendrite, MemorySynapse, synapse_from_url


async def echo(input, context):
    return input


class Shows:
    """A source that shows what it is given."""

    def __init__(self, shown):
        self.shown = shown
        self.counts = {}

    async def supply(self, show):
        await show(self.shown)


@pytest.mark.asyncio
@pytest.mark.parametrize("given", ["npx server", 3, {"counts": {}}])
async def test_what_is_no_source_is_a_type_error_that_says_what_one_is(given):
    dendrite = Dendrite(synapse=synapse_from_url("memory://no-source"), dendrite_id="d")

    with pytest.raises(TypeError, match=r"expected a source, with counts and supply .* add_axon"):
        await dendrite.add_source(given)


@pytest.mark.asyncio
async def test_a_class_is_no_source():
    dendrite = Dendrite(synapse=MemorySynapse(), dendrite_id="d")

    with pytest.raises(TypeError, match=r"a source is an object: give Shows\(\.\.\.\)"):
        await dendrite.add_source(Shows)


@pytest.mark.asyncio
@pytest.mark.parametrize("shown", [Axon(neuron_id="a", neuron_fn=echo), ["a"], "a", None, 5])
async def test_what_a_source_shows_in_place_of_axons_is_named(shown):
    async with Dendrite(synapse=MemorySynapse(), dendrite_id="d") as dendrite:
        with pytest.raises(TypeError, match="a source shows a list of Axons, not "):
            await dendrite.add_source(Shows(shown))
