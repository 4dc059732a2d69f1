"""A short soak with real processes and faults, and what the tool says of it."""

import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter

import pytest

from house import source
from support.processes import closed_port
from tools.soak.plan import BY_CABLE, BY_EVERYTHING, BY_STANDBY, FAULTS

# Both ways to end the Synapse, both ways to end a worker, a frozen one, a reset link, and Synapse
# and worker killed together.
SEED = 2889
SECONDS = 18
LATELY = {"worker_block", "restart_freeze"}
"""Faults that take long: a run of their own has both."""
LATELY_SEED = 31
FAILOVER_SEED, FAILOVER_SECONDS = 2959, 12


def run_soak(*arguments):
    """Run the tool in a process of its own, as `make soak` does."""
    return subprocess.run(
        [sys.executable, "-m", "tools.soak", *map(str, arguments)],
        cwd=source.ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Run it once; give what it printed, the folder of its logs and its verdict."""
    folder = tmp_path_factory.mktemp("soak")
    kinds = set(FAULTS) - LATELY - BY_CABLE - BY_STANDBY - BY_EVERYTHING
    where = "--logs", folder / "logs", "--json", folder / "json"
    ended = run_soak("--seconds", SECONDS, "--seed", SEED, *where, *kinds)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout, folder / "logs", json.loads((folder / "json").read_text())


def test_nothing_is_lost_and_nothing_runs_twice_whatever_breaks(run):
    printed, _, verdict = run

    assert "HOLDS" in printed
    assert verdict["violations"] == []
    assert verdict["answered"] > 1000
    assert (verdict["pending"], verdict["twice"]) == (0, 0)


def test_the_run_broke_what_it_was_to_break(run):
    kinds = {each["fault"]["kind"] for each in run[2]["recoveries"]}

    assert {"synapse_kill", "synapse_term", "worker_kill", "worker_term", "link_reset"} <= kinds


def test_a_worker_that_stands_still_or_freezes_in_a_restart_runs_nothing_twice(tmp_path):
    ended = run_soak(
        "--seconds", SECONDS, "--seed", LATELY_SEED, "--json", tmp_path / "json", *LATELY
    )
    verdict = json.loads((tmp_path / "json").read_text())

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "HOLDS" in ended.stdout
    kinds = {each["fault"]["kind"] for each in verdict["recoveries"]}
    assert kinds == {"synapse_kill", "worker_freeze", "worker_block"}
    assert (verdict["pending"], verdict["twice"]) == (0, 0)
    assert set(verdict["told"]) <= {"TIMEOUT", "OVERLOADED", "WORKER_LOST", "TASK_LOST"}


def test_nothing_is_lost_and_nothing_runs_twice_when_the_leader_ends_or_hangs(tmp_path):
    kinds = {"failover", "failover_stop", "failover_freeze"}

    ended = run_soak(
        *("--seconds", FAILOVER_SECONDS, "--seed", FAILOVER_SEED, "--timeout", 12),
        *("--json", tmp_path / "json", *kinds),
    )
    verdict = json.loads((tmp_path / "json").read_text())

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert {each["kind"] for each in verdict["outages"]} == kinds
    assert (verdict["pending"], verdict["twice"], verdict["told"]) == (0, 0, {})
    assert verdict["answered"] > 500


def test_with_everything_on_a_rolling_restart_loses_nothing(tmp_path):
    size = "--everything", "--workers", 2, "--seconds", 6, "--seed", 51

    ended = run_soak(*size, "--json", tmp_path / "json", "rolling_restart")
    verdict = json.loads((tmp_path / "json").read_text())

    assert ended.returncode == 0, ended.stdout + ended.stderr
    kinds = {each["fault"]["kind"] for each in verdict["recoveries"]}
    assert kinds == {"rolling_restart", "failover_stop", "reload"}
    assert verdict["outages"]
    assert (verdict["pending"], verdict["twice"]) == (0, 0)
    assert set(verdict["told"]) <= {"NO_SUCH_NEURON"}  # of the one that has no replica
    assert verdict["answered"] > 100
    assert verdict["beside"]["spans"] > 100
    assert verdict["beside"]["shown"] > 100


def test_the_verdict_tells_how_each_process_grew_that_lived_on(run):
    grown = {each["name"] for each in run[2]["slopes"]}

    assert {"caller-1", "caller-2", "watcher-1"} <= grown  # those that are never ended


@pytest.mark.parametrize(
    ("what", "rule"), [("outcome", "no_outcome"), ("start", "not_run"), ("invoke", "stranger")]
)
def test_a_run_whose_logs_lack_a_line_is_broken(run, tmp_path, what, rule):
    shutil.copytree(run[1], tmp_path / "logs")
    name = "worker-2.log" if what == "start" else "caller-1.log"
    log = tmp_path / "logs" / name
    lines = log.read_text().splitlines(keepends=True)
    said = Counter(json.loads(line).get("task") for line in lines)
    victim = next(
        line
        for line in lines
        if f'"what": "{what}", "task": "caller-1-' in line
        and said[json.loads(line)["task"]] == 2
        and "child" not in line
    )
    log.write_text("".join(line for line in lines if line != victim))

    judged = run_soak("--check", tmp_path / "logs")

    assert judged.returncode == 1, judged.stdout
    assert rule in judged.stdout


def test_an_unknown_fault_is_told_with_those_that_there_are():
    ended = run_soak("flood")

    assert ended.returncode == 2
    assert "no such fault: flood" in ended.stderr
    assert "synapse_kill" in ended.stderr


# -- the relay -----------------------------------------------------------------------------------


@pytest.fixture
def relayed(children):
    """Start a relay from 127.0.0.2; give it, and the port that it stands in front of."""
    port = closed_port()
    relay = children.start("-m", "tools.soak.relay", "127.0.0.2", "127.0.0.1", port)
    relay.line("ready")
    return relay, port


@pytest.fixture
def ends(relayed):
    """Open a connection through the relay; give its near and its far end."""
    port = relayed[1]
    with socket.create_server(("127.0.0.1", port)) as server:
        near = socket.create_connection(("127.0.0.2", port))
        far, _ = server.accept()
    with near, far:
        near.settimeout(5.0)
        far.settimeout(5.0)
        near.sendall(b"first")
        assert far.recv(5, socket.MSG_WAITALL) == b"first"  # now the relay knows of both ends
        yield near, far


def says_nothing(end):
    """Tell whether nothing comes at an end of a connection for a fifth of a second."""
    return not select.select([end], [], [], 0.2)[0]


def test_the_relay_hands_on_and_a_stall_only_holds_back(relayed, ends):
    relay, (near, far) = relayed[0], ends

    relay.tell("stall")
    relay.line("done")
    near.sendall(b"second")
    assert says_nothing(far)
    relay.tell("flow")

    assert far.recv(6, socket.MSG_WAITALL) == b"second"


def test_a_reset_ends_both_sides(relayed, ends):
    relayed[0].tell("reset")

    for end in ends:
        with pytest.raises(ConnectionResetError):
            end.recv(1)


def test_a_half_open_connection_lives_on_one_side_until_that_side_gives_up(relayed, ends):
    relay, (near, far) = relayed[0], ends

    relay.tell("half_open far")
    with pytest.raises(ConnectionResetError):
        far.recv(1)
    near.sendall(b"into nothing")
    assert says_nothing(near)
    assert not relay.lines("done", 0)
    near.close()

    relay.line("done")


# -- the harness ends what it started ------------------------------------------------------------


def eventually(condition):
    """Wait until a condition holds; tell whether it did within 20 s."""
    end_s = time.monotonic() + 20.0
    while not (holds := condition()) and time.monotonic() < end_s:
        time.sleep(0.05)
    return holds


def alive(pid):
    """Tell whether a process is there and not only waits to be reaped."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="asks the system about processes as Linux does")
def test_a_harness_that_is_killed_leaves_no_process_behind(children, tmp_path):
    harness = children.start("-m", "tools.soak", "--seconds", 30, "none", "--logs", tmp_path)
    started = eventually(lambda: (tmp_path / "caller-2.log").exists())
    family = [pid for pid in harness.family() if pid != harness.pid]

    os.kill(harness.pid, signal.SIGKILL)

    assert started
    assert len(family) == 8
    assert eventually(lambda: not any(map(alive, family)))
