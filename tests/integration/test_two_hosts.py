"""Two hosts with a cable between them that is cut and mended, under load."""

import json
import shutil
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from house import source
from support.transport import RunningProxy
from tools.soak.hosts import NEAR_ADDRESS, Hosts, why_not
from tools.soak.processes import SoakError

SEED, SECONDS, TIMEOUT_S = 5, 17, 12
SUPPORT = Path(__file__).parents[1] / "support"
FOUND_WITHIN_S = 5.0


@pytest.fixture(scope="module")
def machine():
    """Go on only where there can be two hosts."""
    lack = why_not()
    if lack is not None:
        pytest.skip(f"no two hosts here: {lack}")


@pytest.fixture(scope="module")
def verdict(machine, tmp_path_factory):
    """Cut the cable for 5 s, twice, while tasks go both ways over it."""
    folder = tmp_path_factory.mktemp("hosts")
    options = ("--two-hosts", "--seconds", SECONDS, "--seed", SEED, "--timeout", TIMEOUT_S)
    where = ("--json", folder / "json", "--logs", folder / "logs")
    ended = subprocess.run(
        [sys.executable, "-m", "tools.soak", *map(str, (*options, *where)), "link_cut"],
        cwd=source.ROOT,
        capture_output=True,
        text=True,
        timeout=80,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return json.loads((folder / "json").read_text())


def test_a_cable_that_is_cut_for_five_seconds_loses_no_task_and_runs_none_twice(verdict):
    cuts = [each for each in verdict["recoveries"] if each["fault"]["kind"] == "link_cut"]

    assert len(cuts) == 2
    assert verdict["violations"] == []
    assert (verdict["pending"], verdict["twice"]) == (0, 0)
    assert verdict["answered"] > 1000


def test_only_what_a_worker_behind_the_cut_had_in_hand_is_told_lost(verdict):
    # 04-liveness, "Absence" 5: what a caller had asked for is cancelled once it is away for long.
    assert set(verdict["told"]) <= {"WORKER_LOST", "CANCELLED"}


def test_both_sides_are_served_again_within_two_seconds(verdict):
    assert all(each["back_s"] < 2.0 for each in verdict["recoveries"])


@pytest.mark.usefixtures("machine")
def test_each_half_of_a_network_goes_on_and_one_leads_when_they_meet_again(tmp_path):
    options = ("--two-hosts", "--standby", "--seconds", 10, "--seed", 140, "--timeout", TIMEOUT_S)
    where = ("--json", tmp_path / "json", "--logs", tmp_path / "logs")

    ended = subprocess.run(
        [sys.executable, "-m", "tools.soak", *map(str, (*options, *where)), "partition"],
        cwd=source.ROOT,
        capture_output=True,
        text=True,
        timeout=80,
        check=False,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    verdict = json.loads((tmp_path / "json").read_text())
    (cut,) = verdict["recoveries"]
    assert cut["fault"]["kind"] == "partition"
    assert cut["back_s"] < 2.0
    assert (verdict["pending"], verdict["twice"]) == (0, 0)
    said = [each.read_text() for each in (tmp_path / "logs").glob("*.err")]
    halves = sum("may be a second" in each for each in said)
    assert halves >= 6, halves  # every client says so: 3 workers, 2 callers and a watcher


@pytest.mark.usefixtures("machine")
def test_the_hosts_and_those_of_a_killed_run_are_gone_behind_it():
    subprocess.run(["ip", "netns", "add", "soak4194305-near"], check=True)  # no pid is so high

    with Hosts() as hosts:
        there = _namespaces()

    assert {hosts.near, hosts.far} <= there
    assert "soak4194305-near" not in there
    assert not {hosts.near, hosts.far} & _namespaces()


def test_a_machine_without_the_program_ip_is_told_what_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(SoakError, match="apt-get install iproute2"), Hosts():
        pass


@pytest.fixture
def far_apart(machine, children):
    """Start a proxy near, and a worker far that reads nothing until it is told to."""
    with Hosts() as hosts:
        start = partial(children.start, program=shutil.which("ip"))
        near, far = ((*hosts.on(each)[1:], sys.executable) for each in (hosts.near, hosts.far))
        proxy = RunningProxy(
            children, on=near, program=shutil.which("ip"), host=NEAR_ADDRESS, carrier="zmtp"
        )
        where = NEAR_ADDRESS, proxy.ports[0]
        worker = start(*far, SUPPORT / "deaf_worker.py", *where, "test")
        worker.line("ready")
        yield hosts, proxy, worker, partial(start, *near, SUPPORT / "far_caller.py", *where, "test")


@pytest.mark.parametrize("has_task", [False, True])
def test_a_cut_cable_is_found_in_time(far_apart, has_task):
    hosts, proxy, _, call = far_apart
    if has_task:
        call(1, 100).line("sent")

    hosts.cut()
    cut_at_s = time.perf_counter()
    while "unreachable" not in proxy.counts:
        assert time.perf_counter() - cut_at_s < FOUND_WITHIN_S
    found_s = time.perf_counter() - cut_at_s

    assert found_s > 2.0  # a moment without a network is no dead host


def test_a_program_that_is_blocked_keeps_its_tasks_over_a_network(far_apart):
    _, proxy, worker, call = far_apart
    caller = call(100, 100_000)
    caller.line("sent")
    time.sleep(6.0)  # twice the limit for a dead host
    closed = proxy.counts.get("connection.closed", 0)
    worker.tell("100")
    caller.lines("replied", 100)
    said = caller.said

    assert closed == 0
    assert "lost" not in said


def _namespaces():
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True)
    return {line.split()[0] for line in listed.stdout.splitlines()}
