"""What a client may ask of `/metrics`, and what it may not break."""

import contextlib

import httpx
from prometheus_client import CollectorRegistry

from cosmonapse.exposition.collector import metric_of
from cosmonapse.exposition.metrics_server import MetricsServer
from cosmonapse.telemetry.families import gauges
from support.registries import Fixed


@contextlib.contextmanager
def got(path, accept="*/*"):
    registry = CollectorRegistry()
    fixed = [metric_of(gauges(name, "Some.", {(): 1})) for name in ("tea", "milk")]
    registry.register(Fixed(*fixed))
    with (
        MetricsServer("127.0.0.1:0", registry) as server,
        httpx.Client(trust_env=False, timeout=10.0) as client,
    ):
        yield client.get(f"{server.url}{path}", headers={"Accept": accept})


def test_a_header_that_nobody_understands_gets_the_plain_format(caplog):
    with got("/metrics", "application/openmetrics-text; version=x") as answer:
        assert answer.status_code == 200
        assert "tea 1.0" in answer.text
        assert not caplog.text


def test_metrics_that_were_not_told_of_in_advance_are_found_by_name():
    with got("/metrics?name[]=tea") as answer:
        assert "tea 1.0" in answer.text
        assert "milk" not in answer.text
