"""Which processes of a soak are written in JavaScript."""

import pytest

from tools.soak import node
from tools.soak.processes import PYTHON, SoakError


@pytest.fixture(autouse=True)
def _a_node(monkeypatch):
    monkeypatch.setattr(node, "node", lambda: "/the/node")


def languages(names, carrier):
    """Return the names of the processes that are written in JavaScript."""
    kinds = {"caller": "caller", "worker": "worker", "extra": "worker", "watcher": "watcher"}
    programs = {
        name: node.program_of(name, kinds.get(name.partition("-")[0], name), carrier)
        for name in names
    }
    return [name for name, program in programs.items() if program[0] == "/the/node"]


def test_every_other_caller_and_worker_is_and_nothing_else():
    names = ["synapse", "relay", "watcher-1"]
    names += [f"{kind}-{n}" for kind in ("caller", "worker", "extra") for n in (1, 2, 3, 4)]

    found = languages(names, "zmtp")

    assert found == ["caller-1", "caller-3", "worker-2", "worker-4", "extra-1", "extra-3"]


def test_without_a_carrier_all_are_written_in_python():
    assert node.program_of("worker-2", "worker", "") == (*PYTHON, "tools.soak.worker")
    assert languages(["caller-1", "worker-2"], "") == []


def test_its_program_gets_the_carrier_first():
    program = node.program_of("extra-1", "worker", "libzmq")

    assert program[1].endswith("clients/javascript/subject/soak-worker.js")
    assert program[2:] == ("libzmq",)


def test_a_machine_without_a_node_is_told_how_to_get_one(monkeypatch, tmp_path):
    monkeypatch.undo()
    monkeypatch.setenv("COSMO_TEST_NODE", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(SoakError, match="make check-js"):
        node.node()
