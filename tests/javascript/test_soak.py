"""Python and JavaScript side by side, under load and killed: nothing is lost, nothing runs twice.

The processes and the verdict are those of `tools/soak`; a longer run is
`make soak MINUTES=30 ARGS="--javascript zmtp"`.
"""

import json
import os
import subprocess
import sys

import pytest

from support.node import ROOT

SECONDS = 20
FAULTS = ("synapse_kill", "worker_kill", "double_kill")
SEED = 3  # early in its plan a worker of each language is killed
CARRIERS = os.environ.get("COSMO_TEST_CARRIERS", "zmtp").split()


@pytest.fixture(scope="module", params=CARRIERS)
def verdict(request, node, tmp_path_factory):
    """Run every other worker and caller in JavaScript; return the verdict."""
    path = tmp_path_factory.mktemp("soak") / "verdict.json"
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "tools.soak", "--javascript", request.param),
            *("--seconds", str(SECONDS), "--seed", str(SEED)),
            *("--workers", "4", "--json", path, *FAULTS),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return json.loads(path.read_text())


def test_nothing_is_lost_and_nothing_runs_twice_in_either_language(verdict):
    assert verdict["violations"] == []
    assert (verdict["pending"], verdict["twice"]) == (0, 0)
    assert verdict["answered"] > 1000


def test_the_run_killed_the_synapse_and_workers_of_both_languages(verdict):
    hit = {(each["fault"]["kind"], each["fault"]["target"]) for each in verdict["recoveries"]}
    killed = {target for kind, target in hit if kind == "worker_kill"}

    assert ("synapse_kill", "synapse") in hit
    assert killed & {"worker-1", "worker-3"}
    assert killed & {"worker-2", "worker-4"}
