"""The bench runs and tells sane things. How fast anything was is none of its business."""

import json
import re
import subprocess
import sys

import pytest

from house import source
from tools.bench import node_child
from tools.bench.kinds import KINDS
from tools.bench.systems.found import SYSTEMS

OTHERS = {system.name: system for system in SYSTEMS if system.name != "fabric"}
COMPARED = ("calls", "fanout")
# Without a node the kind says what it needs, and has no figures.
NODELESS = {"javascript"} if node_child.missing() else set()
ALONE = [kind for kind in KINDS if kind not in COMPARED]
CALLS = 100


def run_bench(*arguments):
    """Run the tool in a process of its own, as `make bench` does."""
    return subprocess.run(
        [sys.executable, "-m", "tools.bench", *map(str, arguments)],
        cwd=source.ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Run every kind that needs nobody beside us, as short as can be; give all that it leaves."""
    folder = tmp_path_factory.mktemp("bench")
    path = folder / "figures.json"
    ended = run_bench(*ALONE, "--smoke", "--against", "", "--json", path, "--plots", folder)
    assert ended.returncode == 0, ended.stderr
    assert re.fullmatch(r"(?: *\d+% \w+: .+\n)*", ended.stderr)  # a bar is for terminals
    return ended.stdout, json.loads(path.read_text()), {each.stem for each in folder.glob("*.svg")}


@pytest.fixture(scope="module")
def beside(tmp_path_factory):
    """Call and publish once on each of the others that is here; give the JSON."""
    path = tmp_path_factory.mktemp("bench") / "figures.json"
    ended = run_bench(*COMPARED, "--smoke", "--against", ",".join(OTHERS), "--json", path)
    assert ended.returncode == 0, ended.stderr
    return json.loads(path.read_text())["kinds"]


def test_a_run_prints_a_table_for_each_kind_and_names_the_machine(run):
    printed, _, _ = run

    captions = re.findall(r"^\*\*(\w+):", printed, re.MULTILINE)
    assert [caption for caption in captions if caption in KINDS] == ALONE
    for fact in ("cores", "processor", "Python 3.", "pyzmq", "libzmq", "commit"):
        assert fact in printed


def test_each_kind_draws_a_plot_of_its_name(run):
    assert run[2] >= set(ALONE) - NODELESS


def test_the_json_holds_machine_and_options(run):
    found = run[1]

    assert {"cores", "processor", "commit", "loop"} <= set(found["machine"])
    assert found["options"]["rounds"] == 1


@pytest.mark.skipif(bool(NODELESS), reason=str(node_child.missing()))
def test_both_ends_of_a_call_may_be_in_node(run):
    facts = run[1]["kinds"]["javascript"]

    for level in ("1", "16", "256", "1 MiB"):
        for pair in ("Node to Node", "Node to Python", "Python to Node"):
            assert facts[level][pair]["calls_per_s"] > 1
            assert all(cost_us > 0 for cost_us in facts[level][pair]["cpu_us"])
    assert all(rate > 100 for rates in facts["tokens_per_s"].values() for rate in rates)
    assert facts["package"]["files"] > 50


@pytest.mark.parametrize("name", OTHERS)
def test_calls_go_there_and_back_on_what_is_measured_beside_us(request, name):
    if (lack := OTHERS[name].missing()) is not None:
        pytest.skip(lack)

    calls = request.getfixturevalue("beside")["calls"]

    assert all(calls[level][name]["calls_per_s"] > 0 for level in ("1", "16", "256"))
    assert all(calls[level]["ratio"][name] > 0 for level in ("1", "16", "256"))


@pytest.mark.parametrize("name", [name for name, each in OTHERS.items() if each.fanout])
def test_what_is_published_beside_us_reaches_all_subscribers(request, name):
    if (lack := OTHERS[name].missing()) is not None:
        pytest.skip(lack)

    fanout = request.getfixturevalue("beside")["fanout"]

    assert all(fanout[count][name]["deliveries_per_s"] > 0 for count in ("1",))


@pytest.mark.skipif(bool(lack := OTHERS["c_proxy"].missing()), reason=str(lack))
def test_a_publisher_in_c_publishes_as_long_as_it_is_asked_each_time():
    with OTHERS["c_proxy"].fanout(1) as (publisher,):
        fans = [publisher.ask("publish", 0.01, 50) for _ in range(2)]

    assert all(fan.published > 0 for fan in fans)
    assert max(fan.elapsed_s for fan in fans) < 10  # the burst, read as a time, is 50 s


def test_every_row_of_a_table_has_a_cell_for_each_column(run):
    printed, _, _ = run

    for table in re.findall(r"(?:^\|.*\n?)+", printed, re.MULTILINE):
        assert len({line.count("|") for line in table.splitlines()}) == 1


def test_the_json_holds_both_systems_at_every_level(beside):
    calls = beside["calls"]

    assert set(calls) == {"1", "16", "256"}
    for level in calls.values():
        for system in (level["fabric"], level["plain"]):
            assert 0 < system["p50_ms"] <= system["p90_ms"] <= system["p99_ms"] <= system["max_ms"]
            assert len(system["calls_per_s_rounds"]) == 1
            assert system["calls_per_s"] > 0
        (ours,), (theirs,) = (level[name]["cpu_us_rounds"] for name in ("fabric", "plain"))
        assert level["ratio"]["plain"] == theirs / ours


@pytest.mark.parametrize(
    ("kind", "of"), [("nobody", ()), ("start", ("caller",)), ("start", ("worker",))]
)
def test_the_json_holds_the_durations_in_order(run, kind, of):
    facts = run[1]["kinds"][kind]
    for name in of:
        facts = facts[name]

    assert facts["count"] >= 3
    assert 0 < facts["p50_ms"] <= facts["p99_ms"] <= facts["max_ms"]


@pytest.mark.parametrize(
    ("watched_by", "copies", "seen"),
    [
        ("nobody", 0, 0),
        ("one for AGENT_OUTPUT", 1, 1),
        ("two for AGENT_OUTPUT", 1, 2),
        ("two for AGENT_OUTPUT, one for TASK", 2, 3),
    ],
)
def test_a_watched_signal_is_copied_once_and_none_is_encoded_twice(run, watched_by, copies, seen):
    counted = run[1]["kinds"]["unwatched"][watched_by]

    assert counted == {
        "calls": CALLS,
        "copies": copies * CALLS,
        "caller": CALLS,
        "worker": CALLS,
        "seen": seen * CALLS,
    }


def test_what_the_synapse_takes_is_measured_on_its_own_process(run):
    kinds = run[1]["kinds"]
    alone, beside = kinds["idle"]["0"], kinds["idle"]["20"]

    # 20 idle Dendrites need less memory than a start of the Synapse varies by.
    assert 10_000 < alone["synapse_kib"] < 1.1 * beside["synapse_kib"]
    assert beside["descriptors"] >= alone["descriptors"] + 20
    assert all(level["us_per_signal"] >= 0 for level in kinds["routing"].values())


def test_larger_payloads_move_more_bytes(run):
    sizes = run[1]["kinds"]["sizes"]

    assert len(sizes) == 6
    assert sizes["1 MiB"]["fabric"]["MiB_per_s"] > sizes["100 B"]["fabric"]["MiB_per_s"]


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["--rounds", "0"], ["calls", "--against", "nonsense"]]
)
def test_nonsense_is_refused_before_anything_runs(arguments):
    ended = run_bench(*arguments)

    assert ended.returncode == 2
    assert "error:" in ended.stderr
