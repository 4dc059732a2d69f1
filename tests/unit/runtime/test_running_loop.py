"""Without a loop of asyncio the text names asyncio, whatever other loop runs."""

import pytest

from cosmonapse import Dendrite, DendriteProtocolError, MemorySynapse, connect_synapse


def step(coroutine):
    """Run a coroutine to its first wait, as the loop of another library does."""
    try:
        coroutine.send(None)
    finally:
        coroutine.close()


def test_a_start_under_another_loop_names_asyncio_and_the_way_out():
    dendrite = Dendrite(synapse=MemorySynapse())

    with pytest.raises(DendriteProtocolError, match=r"loop of asyncio.*trio.*BlockingDendrite"):
        step(dendrite.start())
    assert "new" in repr(dendrite)


def test_a_connection_under_another_loop_names_asyncio_before_it_tries():
    with pytest.raises(DendriteProtocolError, match="loop of asyncio"):
        step(connect_synapse("cosmo://127.0.0.1:1"))
