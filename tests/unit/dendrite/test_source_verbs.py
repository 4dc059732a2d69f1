"""What `dendrite.add_source` takes."""

import pytest

from cosmonapse import Dendrite, synapse_from_url


@pytest.mark.asyncio
@pytest.mark.parametrize("given", ["npx server", 3, {"counts": {}}])
async def test_what_is_no_source_is_a_type_error_that_says_what_one_is(given):
    dendrite = Dendrite(synapse=synapse_from_url("memory://no-source"), dendrite_id="d")

    with pytest.raises(TypeError, match=r"expected a source, with counts and supply .* add_axon"):
        await dendrite.add_source(given)
