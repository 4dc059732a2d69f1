"""`cosmo completion`, in a real bash: the Tab key completes verbs, options and types."""

import shutil
import subprocess
import sys

import pytest

from cosmonapse import key_ring
from cosmonapse.key_ring import Member
from cosmonapse.rights import Rights
from support.processes import ROOT, axon

PRESSED = """
eval "$(cosmo completion bash)"
COMP_WORDS=({words}) COMP_CWORD={last}
_cosmo_completion cosmo
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def completed(*words, tmp_path):
    """Return what bash offers for the last word."""
    command = tmp_path / "cosmo"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m cosmonapse.cli "$@"\n')
    command.chmod(0o755)
    script = PRESSED.format(
        words=" ".join(f"'{word}'" for word in ("cosmo", *words)),
        last=len(words),
    )
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    found = subprocess.run(
        ["bash", "-c", script], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )
    assert found.stderr == ""
    return found.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("reg",), ["registry"]),
        (("d",), ["demo", "describe", "dispatch", "doctor", "doppler"]),
        (("emit", "tool-"), ["TOOL_CALL", "TOOL_RESULT"]),
        (("dispatch", "--cap"), ["--capabilities"]),
        (("doppler", "--type", "task_"), ["TASK_OFFER", "TASK_AWARDED", "TASK_DECLINED"]),
        (("synapse", "st"), ["start"]),
        (("keys", "rev"), ["revoke"]),
        (("keys", "new", "ada", "--may", "wat"), ["watcher", "watch"]),
        (("keys", "new", "ada", "--may", "watch,dis"), ["watch,dispatch"]),
    ],
)
def test_bash_completes(words, offered, tmp_path):
    assert completed(*words, tmp_path=tmp_path) == offered


def test_bash_completes_the_names_of_keys(tmp_path):
    folder = str(tmp_path / "keys")
    key_ring.make_folder(folder, b"p" * 32, b"s" * 32)
    for name in ("ada", "adam", "ben"):
        key_ring.write_member(folder, Member(name, (name[-1:].encode() * 32,), None, Rights.of([])))

    offered = completed("keys", "revoke", "--dir", folder, "ad", tmp_path=tmp_path)

    assert offered == ["ada", "adam"]


def test_bash_completes_the_names_of_live_neurons(children, tmp_path):
    _, url = children.synapse()
    children.worker(url, "shop", axon("echo", "book"), axon("echo", "bookings"), axon("echo", "x"))
    at = ("--url", url, "-n", "shop")

    assert completed("describe", *at, "boo", tmp_path=tmp_path) == ["book", "bookings"]
    assert completed("describe", "--url", "cosmo://127.0.0.1:1", "boo", tmp_path=tmp_path) == []
    assert completed("describe", "--url", "no:url", "boo", tmp_path=tmp_path) == []


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_scripts_for_other_shells_are_printed(shell):
    command = [sys.executable, "-m", "cosmonapse.cli", "completion", shell]

    script = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert f"{shell}_complete" in script
    if shutil.which(shell):
        check = [shell, "--no-execute"]
        subprocess.run(check, input=script, text=True, check=True)
