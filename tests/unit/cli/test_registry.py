"""The table of `cosmo registry`, in order, and drawn over the one before."""

import pytest

from cosmonapse import DendriteRecord, NeuronRecord
from cosmonapse.cli import drawing, registry

RECORDS = [
    NeuronRecord(neuron_id=neuron, dendrite_id=dendrite, instance=instance)
    for neuron, dendrite, instance in [
        ("b", "host", "2"),
        ("b", "host", "1"),
        ("a", "z", "9"),
        ("b", "guest", "3"),
    ]
]


def test_axons_are_sorted_by_neuron_and_dendrite():
    found = [(each.neuron_id, each.instance) for each in registry.in_order(RECORDS)]

    assert found == [("a", "9"), ("b", "3"), ("b", "1"), ("b", "2")]


def test_a_new_table_is_drawn_over_the_old_one_without_a_blank_moment(monkeypatch):
    monkeypatch.setattr(drawing, "terminal_size", lambda: (80, 24))

    drawn = drawing.screen(registry.table(RECORDS, "default"), "registry")

    assert drawn.startswith("\x1b[HNEURON")
    assert drawn.endswith("\x1b[K\n\x1b[J")
    assert drawn.count("\x1b[K\n") == 5
    assert "\x1b[2J" not in drawn


@pytest.mark.parametrize(("rows", "shown"), [(6, 5), (5, 4), (3, 2), (1, 1)])
def test_a_table_never_scrolls_its_terminal(rows, shown, monkeypatch):
    monkeypatch.setattr(drawing, "terminal_size", lambda: (30, rows))

    drawn = drawing.screen(registry.table(RECORDS, "default"), "registry")

    lines = drawn.removeprefix("\x1b[H").removesuffix("\x1b[J").split("\x1b[K\n")[:-1]
    assert len(lines) == shown
    assert all(len(line) <= 30 for line in lines)
    assert ("more" in lines[-1]) == (rows < 6)


def test_dendrites_are_sorted_and_shown_with_what_they_do_and_their_age():
    records = [
        DendriteRecord(dendrite_id="web", instance="2" * 32, calls=True, open=1_234, age_s=7_300.0),
        DendriteRecord(dendrite_id="host", instance="1" * 32, axons=2, age_s=12.4),
        DendriteRecord(dendrite_id="eye", instance="3" * 32, age_s=260_000.0),
    ]

    lines = registry.dendrite_table(registry.in_order(records)).splitlines()

    assert [line.split() for line in lines[1:]] == [
        ["eye", "alive", "watcher", "0", "0", "3", "d", "3" * 12],
        ["host", "alive", "worker", "2", "0", "12", "s", "1" * 12],
        ["web", "alive", "caller", "0", "1,234", "2", "h", "2" * 12],
    ]
    assert len({line.index(line.split()[-1]) for line in lines}) == 1
