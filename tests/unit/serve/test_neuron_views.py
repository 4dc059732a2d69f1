"""The roster as a gateway tells it."""

from cosmonapse.cards import Card
from cosmonapse.registry import NeuronRecord
from cosmonapse.serve.neuron_views import entries


def record(neuron_id="a", **facts):
    return NeuronRecord(neuron_id=neuron_id, **facts)


def test_replicas_are_one_entry_with_their_sums():
    (one,) = entries(
        [
            record(state="stuck", running=1, capabilities=("x",), card="1" * 16, version="1"),
            record(state="alive", queued=2, capabilities=("y",), card="2" * 16, description="Does"),
        ],
        {},
    )

    assert (one["state"], one["replicas"], one["running"], one["queued"]) == ("alive", 2, 1, 2)
    assert (one["capabilities"], one["description"]) == (["x", "y"], "Does")
    assert one["cards"] == ["1" * 16, "2" * 16]


def test_the_card_tells_more_than_the_roster():
    card = Card(neuron_id="a", description="Long\ntext", input={"type": "object"})

    (one,) = entries([record(description="Long")], {"a": card})

    assert (one["description"], one["input"]) == ("Long\ntext", {"type": "object"})


def test_a_capability_and_the_ids_give_the_order():
    records = [record("b", capabilities=("x",)), record("a"), record("c", capabilities=("x",))]

    assert [each["id"] for each in entries(records, {})] == ["a", "b", "c"]
    assert [each["id"] for each in entries(records, {}, "x")] == ["b", "c"]
    assert entries([record(state="new")], {})[0]["state"] == "new"
