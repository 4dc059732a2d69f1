import pytest

from cosmonapse.registry import NeuronRecord
from cosmonapse.serve.openai.model_list import is_known, model_entry, model_list, model_named

ROWS = [
    NeuronRecord(neuron_id="a", capabilities=("x", "y"), description="first"),
    NeuronRecord(neuron_id="a", capabilities=("x", "y")),
    NeuronRecord(neuron_id="b", capabilities=("y",)),
    NeuronRecord(neuron_id="c", capabilities=("z",), state="stuck"),
]


def test_the_list_has_live_neurons_and_capabilities_once_each():
    found = model_list(ROWS)["data"]

    assert [each["id"] for each in found] == [
        "a",
        "b",
        "capability:x",
        "capability:x+y",
        "capability:y",
    ]
    assert {each["created"] for each in found} == {0}
    assert found[0]["description"] == "first"


@pytest.mark.parametrize(
    ("name", "is_there"),
    [
        ("a", True),
        ("c", False),
        ("d", False),
        ("capability:y+x", True),
        ("capability:x+z", False),
        ("capability:z", False),
        ("no name", False),
    ],
)
def test_a_model_is_there_while_a_live_axon_answers_for_it(name, is_there):
    assert (model_entry(name, ROWS) is not None) is is_there


def test_a_stuck_neuron_is_known_and_so_is_no_missing_model():
    assert is_known(model_named("c"), ROWS)
    assert is_known(model_named("capability:z"), ROWS)
    assert not is_known(model_named("d"), ROWS)


def test_a_name_is_a_neuron_or_capabilities():
    assert model_named("a").destination == {"neuron": "a"}
    assert model_named("capability:x+y").destination == {"capabilities": ("x", "y")}
    assert model_named("capability:x+y").name == "capability:x+y"
