"""How tasks and tokens are counted, and how many labels there may be."""

from types import SimpleNamespace

import pytest

from cosmonapse import SignalType
from cosmonapse.telemetry import token_counts
from cosmonapse.telemetry.families import counters, gauge, histograms, joined
from cosmonapse.telemetry.histogram import Histogram
from cosmonapse.telemetry.label_bounds import MAX_LABELS, OTHER, Bounded
from cosmonapse.telemetry.task_statistics import TaskStatistics, outcome_of
from cosmonapse.telemetry.token_counts import Tokens, count_tokens, tokens_of


def job(neuron_id="worker", started_at_s=0.5):
    slots = SimpleNamespace(axon=SimpleNamespace(neuron_id=neuron_id))
    return SimpleNamespace(slots=slots, arrived_at_s=0.0, started_at_s=started_at_s)


@pytest.mark.parametrize(
    ("signal_type", "payload", "outcome"),
    [
        (SignalType.AGENT_OUTPUT, {"output": {}}, "ok"),
        (SignalType.FINAL, {"result": {}}, "ok"),
        (SignalType.PERMISSION, {"action": "x"}, "permission"),
        (SignalType.ERROR, {"code": "EXPIRED"}, "EXPIRED"),
        (SignalType.ERROR, {"code": "of my own"}, "OTHER_ERROR"),
        (SignalType.ERROR, {"code": ["no", "text"]}, "OTHER_ERROR"),
        (SignalType.ERROR, {}, "OTHER_ERROR"),
    ],
)
def test_the_outcome_is_one_of_few_words(signal_type, payload, outcome):
    assert outcome_of(signal_type, payload) == outcome


def test_a_task_that_never_began_has_no_duration():
    statistics = TaskStatistics()

    statistics.on_end(job(started_at_s=None), SignalType.ERROR, {"code": "OVERLOADED"})
    statistics.on_end(job(), SignalType.AGENT_OUTPUT, {"output": {}})

    ends = statistics.neurons.all["worker"]
    assert (ends.ok, ends.others) == (1, {"OVERLOADED": 1})
    assert ends.took.count == ends.waited.count == 1
    assert ends.waited.total == 0.5


def test_the_label_after_500_is_other():
    bounded = Bounded(Histogram)

    for number in range(MAX_LABELS + 5):
        bounded.of(str(number)).add(1.0)

    assert len(bounded.all) == MAX_LABELS + 1
    assert bounded.all[OTHER].count == 5
    assert bounded.of("3").count == 1


def test_families_of_several_sources_are_added():
    one, two = Histogram((1.0,)), Histogram((1.0,))
    one.add(0.5)
    two.add(2.0)
    label = (("neuron", "a"),)

    found = joined(
        [
            counters("tasks", "Tasks.", {label: 1}),
            histograms("took", "Time.", {label: one}),
            counters("tasks", "Tasks.", {label: 2, (("neuron", "b"),): 1}),
            histograms("took", "Time.", {label: two}),
        ]
    )

    assert [each.name for each in found] == ["tasks", "took"]
    assert found[0].samples == {("_total", label): 3.0, ("_total", (("neuron", "b"),)): 1.0}
    assert found[1].samples["_bucket", (*label, ("le", "1.0"))] == 1
    assert found[1].samples["_bucket", (*label, ("le", "+Inf"))] == 2
    assert found[1].samples["_sum", label] == 2.5


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}, (3, 5)),
        ({"input_tokens": 3, "output_tokens": 5, "cache_read_input_tokens": 100}, (103, 5)),
        ({"generated_tokens": 5}, (None, 5)),
        ({"prompt_tokens": "3", "completion_tokens": True}, (None, None)),
        ({"input_tokens": -1}, (None, None)),
        (None, (None, None)),
    ],
)
def test_tokens_are_read_in_the_words_of_each_provider(usage, tokens):
    assert tokens_of(usage) == tokens


def test_tokens_are_counted_by_model(monkeypatch):
    monkeypatch.setattr(token_counts, "TOKENS", Bounded(Tokens))

    for _ in range(2):
        count_tokens({"model": "m", "usage": {"prompt_tokens": 3, "completion_tokens": 5}})
    count_tokens({"response": "without usage"})

    assert {name: (each.read, each.written) for name, each in token_counts.TOKENS.all.items()} == {
        "m": (6, 10)
    }


def test_a_histogram_without_a_value_is_left_out():
    full = Histogram()
    full.add(1.0)

    found = histograms("h", "H.", {(("of", "full"),): full, (("of", "empty"),): Histogram()})

    assert {labels[0] for _, labels in found.samples} == {("of", "full")}


def test_of_several_dendrites_the_one_that_is_away_shows():
    [found] = joined([gauge("up", "Up.", 1.0, min), gauge("up", "Up.", 0.0, min)])

    assert found.samples == {("", ()): 0.0}
