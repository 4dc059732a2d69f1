"""One alphabet for all names, the same on both floors."""

import pytest

from cosmonapse import InvalidName
from cosmonapse.names import checked_capabilities, checked_name
from zmq_transport.errors import InvalidName as InvalidNameBelow
from zmq_transport.wire import heads

GOOD = ["a", "A-z_0.9", "...", "-", "0", "a" * 128]
BAD = ["", ".", "..", "a b", "a/b", "a\n", "\x00", "\u202ea", "é", "a,b", "?a", "a" * 129, None, 7]


@pytest.mark.parametrize("name", GOOD)
def test_a_name_is_taken_as_it_is_on_both_floors(name):
    assert checked_name("neuron_id", name) == heads.checked_name("name", name) == name


@pytest.mark.parametrize("value", BAD)
def test_what_is_no_name_is_refused_on_both_floors(value):
    with pytest.raises(InvalidName, match=r"^neuron_id must be") as caught:
        checked_name("neuron_id", value)
    with pytest.raises(InvalidNameBelow):
        heads.checked_name("name", value)

    assert (caught.value.what, caught.value.value) == ("neuron_id", value)


@pytest.mark.parametrize("values", [["b", "a", "b"], ("b", "a"), {"b": 1, "a": 2}, iter("ba")])
def test_capabilities_are_kept_in_order_without_repeats(values):
    assert checked_capabilities(values) == ("b", "a")


def test_no_capabilities_are_fine():
    assert checked_capabilities([]) == ()


@pytest.mark.parametrize("values", ["chat", None, 7])
def test_capabilities_are_a_list(values):
    with pytest.raises(TypeError, match="must be a list"):
        checked_capabilities(values)


@pytest.mark.parametrize("values", [["a b"], [""], [None], ["a", 7]])
def test_each_capability_is_a_name(values):
    with pytest.raises(InvalidName, match=r"^capability must be"):
        checked_capabilities(values)
