"""The tutorial as a reader follows it: programs are saved, commands typed, outputs compared.

All texts come out of docs/tutorial.md. Only the port is replaced.
"""

import doctest
import os
import re
import shlex
import signal
import subprocess
import sys
import time

import pytest

from house import pages
from support.processes import ROOT, Children, free_ports

TUTORIAL = pages.DOCS / "tutorial.md"
SAVED = re.compile(r"as\s+`(\w+\.py)`:\n\n```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
# What is left running in its terminal. The dispatch goes on while the Synapse is killed.
LEFT = ("cosmo synapse start", "python worker.py")
LEFT_SPELLING = "cosmo dispatch spell"
# Set-up that `make test` has done in another way: an environment and its packages.
ALREADY_DONE = ("python3 -m venv", "pip install")
# In a test it must not meet a Synapse of somebody else, so the Synapse of the test is killed by id.
KILL_SYNAPSE = "pkill -9 -f 'cosmo synapse start'"
# It shows what was counted since the restart, which the reader has waited for in another terminal.
COUNTED = "cosmo check -v"
ELLIPSIS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
TIMEOUT_S = 30.0


def typed(block):
    """Yield terminal, command and the lines that the page shows after it."""
    terminal, command, shown = 0, None, []
    for line in [*block.code.splitlines(), "$ "]:
        if found := re.match(r"# terminal (\d)", line):
            terminal = int(found[1])
        elif line.startswith("$ "):
            if command is not None:
                yield terminal, command, "\n".join(shown)
            command, shown = line.removeprefix("$ "), []
        else:
            shown.append(line)


def shows(shown, printed):
    """Tell whether a command printed what the page shows; `...` stands for anything."""
    return doctest.OutputChecker().check_output(f"{shown}\n", printed, ELLIPSIS)


class Reader:
    """Four terminals, the programs of the page, and what each command printed."""

    def __init__(self, children, folder):
        self._children = children
        self._folder = folder
        self._port = str(free_ports())
        self._env = {"COSMO_URL": f"cosmo://127.0.0.1:{self._port}"}
        self._busy = {}
        self._spelling = None
        self.faults = []

    def save(self, name, code):
        (self._folder / name).write_text(code.replace("7070", self._port))

    def type(self, terminal, command, shown):
        """Type a command; compare what it prints with what the page shows."""
        if command == KILL_SYNAPSE:
            self._interrupt(terminal)  # the page says Ctrl-C to the worker there
            self._busy.pop(1).kill()
        elif command.startswith(LEFT):
            self._busy[terminal] = self._leave(command, shown)
        elif command.startswith(LEFT_SPELLING) and not shown:
            self._spelling = self._started(command)
            assert self._spelling.stdout.read(4) == "p e "
        elif command == COUNTED:
            self._wait_for(command, shown)
        elif not command.startswith(ALREADY_DONE):
            self._compare(command, shown, self._run(command))

    def end_of_spelling(self):
        """Return the exit code, and what was left to print."""
        rest, _ = self._spelling.communicate(timeout=TIMEOUT_S)
        return self._spelling.returncode, rest

    def stop(self):
        for terminal in list(self._busy):
            self._interrupt(terminal)
        if self._spelling is not None:
            self._spelling.kill()
            self._spelling.communicate()

    def _arguments(self, command):
        match shlex.split(command):
            case ["cosmo", "synapse", *rest]:
                return ["-m", "cosmonapse.cli", "synapse", *rest, "--port", self._port]
            case ["cosmo", *rest]:
                return ["-m", "cosmonapse.cli", *rest]
            case ["python", name]:
                return [self._folder / name]
        raise AssertionError(f"how is {command!r} run?")

    def _leave(self, command, shown):
        child = self._children.start(*self._arguments(command), env=self._env, merge_stderr=True)
        child.line(shown.splitlines()[0].replace("7070", self._port))
        return child

    def _started(self, command):
        return subprocess.Popen(
            [sys.executable, *map(str, self._arguments(command))],
            cwd=ROOT,
            env={**os.environ, **self._env},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def _run(self, command):
        ended = subprocess.run(
            [sys.executable, *map(str, self._arguments(command))],
            cwd=ROOT,
            env={**os.environ, **self._env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        return ended.stdout

    def _wait_for(self, command, shown):
        """Type a command until it prints what the page shows; a reader takes longer than a test."""
        until_s = time.monotonic() + TIMEOUT_S
        printed = self._run(command)
        while not shows(shown, printed) and time.monotonic() < until_s:
            printed = self._run(command)
        self._compare(command, shown, printed)

    def _compare(self, command, shown, printed):
        if not shows(shown, printed):
            self.faults.append(f"$ {command}\nthe page shows:\n{shown}\nit printed:\n{printed}")

    def _interrupt(self, terminal):
        child = self._busy.pop(terminal, None)
        if child is not None:
            child.send(signal.SIGINT)
            assert child.wait() in (0, 130)


@pytest.fixture
def reader(tmp_path):
    with Children() as children:
        reading = Reader(children, tmp_path)
        yield reading
        reading.stop()


def test_the_tutorial_works_and_prints_what_it_shows(reader):
    for name, code in SAVED.findall(TUTORIAL.read_text(encoding="utf-8")):
        reader.save(name, code)

    for block in pages.blocks(TUTORIAL):
        if block.language == "console":
            for terminal, command, shown in typed(block):
                reader.type(terminal, command, shown)

    assert reader.faults == []
    assert reader.end_of_spelling() == (0, " ".join("rseverance") + " \n")


def test_every_program_of_the_tutorial_is_saved_under_a_name_and_run():
    text = TUTORIAL.read_text(encoding="utf-8")
    saved = [name for name, _ in SAVED.findall(text)]

    assert len(saved) == sum(each.language == "python" for each in pages.blocks(TUTORIAL)) == 4
    assert all(f"$ python {name}" in text for name in saved)


def test_commands_and_outputs_are_read_as_they_are_meant():
    block = pages.Block(
        "p", 1, "console", "# terminal 2\n$ a b\nout\nput\n$ c\n# terminal 3\n$ d\n"
    )

    assert list(typed(block)) == [(2, "a b", "out\nput"), (3, "c", ""), (3, "d", "")]
