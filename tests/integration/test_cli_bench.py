"""`cosmo bench`: the fabric at hand, measured with an Axon that comes along and goes again."""

import csv
import json
import re

import pytest

from support.processes import closed_port


def benched(children, url, namespace, kind, *arguments):
    """Return exit code, stdout and stderr of `cosmo bench`."""
    child = children.cosmo("bench", kind, "--url", url, "-n", namespace, *arguments)
    code = child.wait(60)
    # On a busy machine it takes over 5 s, and then tells of its progress.
    said = [line.text for line in child.err if not re.match(r" *\d+% ", line.text)]
    return code, "\n".join(line.text for line in child.out), "\n".join(said)


@pytest.mark.parametrize(
    ("kind", "places", "figure"),
    [
        ("latency", ["1", "16", "256"], "p99_ms"),
        ("throughput", ["1", "16", "256"], "calls_per_s"),
        ("fanout", ["1", "10", "50"], "deliveries_per_s"),
    ],
)
def test_each_kind_prints_a_table_and_writes_its_figures(
    children, url, namespace, tmp_path, kind, places, figure
):
    path = tmp_path / "found.json"

    code, said, complained = benched(
        children, url, namespace, kind, "--seconds", "0.6", "--json", path
    )

    assert (code, complained) == (0, "")
    found = json.loads(path.read_text())
    facts = found["kinds"][kind]
    assert f"**{kind}: " in said
    assert list(facts) == places
    assert all(facts[place][figure] > 0 for place in places)
    assert found["machine"]["cosmonapse"]


def test_a_stream_is_told_as_csv_on_stdout_and_drawn(children, url, namespace, tmp_path):
    plot = tmp_path / "stream.svg"

    code, said, _ = benched(
        children, url, namespace, "stream", "--seconds", "0.3", "--csv", "-", "--svg", plot
    )

    lines = list(csv.reader(said.splitlines()))
    rates = [float(value) for kind, what, value in lines if what.endswith(".tokens_per_s")]
    assert code == 0
    assert lines[0] == ["kind", "what", "value"]
    assert len(rates) == 1
    assert rates[0] > 0
    assert plot.read_text().startswith("<svg ")


def test_what_it_brought_along_is_gone_afterwards(children, url, namespace):
    benched(children, url, namespace, "throughput", "--seconds", "0.1")

    check = children.cosmo("check", "--url", url, "-n", namespace, "--json")

    assert check.wait(10) in (0, 1)  # 1: this Synapse may have lost something in the last minute
    assert json.loads(check.said)["neurons"] == []


def test_no_synapse_exits_with_3_and_says_what_to_run(children):
    url = f"cosmo://127.0.0.1:{closed_port()}"

    code, _, complained = benched(children, url, "default", "latency")

    assert code == 3
    assert "no Synapse at" in complained
    assert "cosmo synapse start" in complained


@pytest.mark.parametrize(
    ("url", "namespace", "kind", "expected"),
    [
        ("memory://here", "default", "latency", "measures between processes"),
        ("cosmo://127.0.0.1:1", "no name", "latency", "namespace must be"),
        ("cosmo://127.0.0.1:1", "default", "speed", "'speed' is not one of"),
    ],
)
def test_a_mistake_of_usage_is_told_before_anything_starts(
    children, url, namespace, kind, expected
):
    code, _, complained = benched(children, url, namespace, kind)

    assert code == 2
    assert expected in complained
