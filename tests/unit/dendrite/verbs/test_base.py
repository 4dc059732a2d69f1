"""What a Dendrite refuses to be made of, and what it says to do."""

import pytest

from cosmonapse import Dendrite, MemorySynapse, connect_synapse


def test_a_synapse_that_was_not_awaited_is_told_with_what_to_write():
    with pytest.raises(TypeError, match=r"write 'await connect_synapse\(\.\.\.\)'.*Blocking"):
        Dendrite(synapse=connect_synapse("memory://not-awaited"))


@pytest.mark.parametrize("wrong", ["cosmo://127.0.0.1:7070", None])
def test_what_is_no_synapse_is_told_with_its_type(wrong):
    with pytest.raises(TypeError, match=f"synapse must be what .* gives.*{type(wrong).__name__}"):
        Dendrite(synapse=wrong)


@pytest.mark.parametrize(
    ("settings", "text"),
    [({"role": "boss"}, "role must be .*'boss'"), ({"heartbeat_s": 0}, "over 0, not 0")],
)
def test_a_setting_out_of_range_is_told_with_its_value(settings, text):
    with pytest.raises(ValueError, match=text):
        Dendrite(synapse=MemorySynapse(), **settings)
