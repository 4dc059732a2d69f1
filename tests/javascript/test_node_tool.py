"""The folder with a node that works: the one of the PATH, or none and the reason."""

import os

import pytest

from tools import node as tool


def fake(folder, name, says):
    """Put a program into a folder that prints a text."""
    program = folder / name
    program.write_text(f"#!/bin/sh\necho {says}\n")
    program.chmod(0o755)


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """The PATH of a machine, empty so far, where no index can be reached."""
    path = tmp_path / "path"
    path.mkdir()
    monkeypatch.setenv("PATH", str(path), prepend=None)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    return path


def test_the_node_of_the_path_is_taken_when_it_is_new_enough(machine, tmp_path):
    fake(machine, "node", "v21.4.0")
    fake(machine, "npm", "10.0.0")

    assert tool.install(tmp_path / "made", None) == "node 21"
    assert os.access(tmp_path / "made" / "npm", os.X_OK)
    assert (tmp_path / "made" / "node").resolve() == machine / "node"


@pytest.mark.parametrize(
    ("programs", "why"),
    [
        ({}, "no node on the PATH, and no wheel of node 22"),
        ({"node": "v18.19.0", "npm": "9"}, "older than 20, and no wheel"),
        ({"node": "v20.1.0"}, "no npm, and no wheel"),
    ],
)
def test_without_a_node_and_an_index_there_is_none_and_the_reason(machine, tmp_path, programs, why):
    for name, says in programs.items():
        fake(machine, name, says)

    with pytest.raises(tool.NoNode, match=why):
        tool.install(tmp_path / "made", None)

    assert not (tmp_path / "made" / "node").exists()


def test_what_was_there_before_goes(machine, tmp_path):
    old = tmp_path / "made" / "node"
    old.parent.mkdir()
    old.write_text("of another machine")

    with pytest.raises(tool.NoNode):
        tool.install(tmp_path / "made", 24)

    assert not old.exists()
