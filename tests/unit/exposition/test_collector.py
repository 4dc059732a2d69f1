"""What goes from a process to a scrape: values and labels that a program gives."""

from decimal import Decimal

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from cosmonapse.exposition.collector import merged, metric_of, plain_metrics
from cosmonapse.telemetry.families import gauges
from cosmonapse.telemetry.token_counts import MAX_NAME, TOKENS, count_tokens
from support.registries import Fixed


def test_half_a_character_in_a_label_does_not_end_the_scrape():
    registry = CollectorRegistry()
    registry.register(Fixed(metric_of(gauges("models", "Models.", {(("model", "\ud800x"),): 1}))))

    assert b'models{model="\\\\ud800x"} 1.0' in generate_latest(registry)


def test_a_value_of_any_type_of_number_is_plain():
    registry = CollectorRegistry()
    metric = metric_of(gauges("price", "A price.", {}))
    metric.add_sample("price", {"of": "tea \ud800"}, Decimal("1.5"))
    registry.register(Fixed(metric))

    [(_, _, _, samples)] = plain_metrics(registry)

    assert samples == [("price", {"of": "tea \\ud800"}, 1.5)]
    assert type(samples[0][2]) is float


def test_the_registry_is_plain_whole():
    registry = CollectorRegistry()
    Gauge("users", "Users.", registry=registry).set(3)

    assert plain_metrics(registry) == [("users", "gauge", "Users.", [("users", {}, 3.0)])]


def test_the_name_of_a_model_has_a_limit():
    count_tokens({"model": "m" * 1000, "usage": {"prompt_tokens": 1}})

    assert TOKENS.all.pop("m" * MAX_NAME).read == 1


def test_a_label_of_the_program_with_the_name_of_ours_is_kept_beside_it():
    metric = ("jobs", "gauge", "Jobs.", [("jobs", {"process": each}, 1.0) for each in "ab"])

    [found] = merged([("0", [metric])], "process")

    assert [each.labels for each in found.samples] == [
        {"process": "0", "exported_process": each} for each in "ab"
    ]
