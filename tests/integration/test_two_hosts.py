"""Two hosts with a cable between them that is cut and mended, under load."""

import json
import subprocess
import sys

import pytest

from house import source
from tools.soak.hosts import Hosts, why_not
from tools.soak.processes import SoakError

SEED, SECONDS, TIMEOUT_S = 5, 17, 12


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
    assert set(verdict["told"]) <= {"WORKER_LOST"}


def test_both_sides_are_served_again_within_two_seconds(verdict):
    assert all(each["back_s"] < 2.0 for each in verdict["recoveries"])


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


def _namespaces():
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True)
    return {line.split()[0] for line in listed.stdout.splitlines()}
