"""Child processes for tests: awaited by a line they print, told, signalled, and always ended.

Nothing here waits for a length of time: every wait is for a line, an exit or a condition, and has
a bound.
"""

import contextlib
import itertools
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import namedtuple
from pathlib import Path

from cosmonapse.testing.conformance.waiting import until as until

ROOT = Path(__file__).resolve().parents[2]
WORKER = Path(__file__).with_name("worker.py")
_CLAIMED_S = 600.0
TIMEOUT_S = 20.0
_LOOK_S = 0.1
COMPLAINTS = ("Traceback", "Task was destroyed", "never retrieved", "never awaited")
_MARK = "TEST_RUN_MARK"

OutputLine = namedtuple("OutputLine", "at_s text")
OutputLine.__doc__ = (
    "One line of output, and when it was read, on the clock of `time.perf_counter`."
)


class ChildFailed(AssertionError):
    """A child did not act as expected; the text holds all its output."""


class Child:
    """One child process.

    Args:
        command: The arguments after the program on the command line.
        program: Its path; Python by default.
        env: Added to the environment.
        cwd: Its current directory; the checkout by default.
        merge_stderr: Put the lines of stderr among those of `out`.

    Attributes:
        out: The lines of stdout so far.
        err: The lines of stderr so far.
        may_complain: True if a traceback in its output is not an error.
    """

    def __init__(self, *command, program=None, env=None, cwd=ROOT, merge_stderr=False):
        self.out, self.err = [], []
        self.may_complain = False
        self._mark = uuid.uuid4().hex
        self._news = threading.Condition()
        self._process = subprocess.Popen(
            [program or sys.executable, *map(str, command)],
            cwd=cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merge_stderr else subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": "1", _MARK: self._mark, **(env or {})},
            text=True,
            errors="replace",
            start_new_session=True,
        )
        pipes = [(self._process.stdout, self.out)]
        if not merge_stderr:
            pipes.append((self._process.stderr, self.err))
        self._readers = [threading.Thread(target=self._read, args=each) for each in pipes]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self):
        return self._process.pid

    @property
    def said(self):
        """Everything it wrote so far, as one text."""
        return "\n".join(line.text for line in (*self.out, *self.err))

    def lines(self, start, count):
        """Wait for `count` lines of stdout that begin so; return all of them, `start` taken off."""
        with self._news:
            self._news.wait_for(lambda: len(self._all(start)) >= count, TIMEOUT_S)
            return [line.text.removeprefix(start).strip() for line in self._all(start)]

    def line(self, start, timeout_s=TIMEOUT_S):
        """Wait for a line of stdout that begins with `start`; return it with `start` taken off."""
        with self._news:
            self._wait_for(lambda: self._find(start), timeout_s)
            found = self._find(start)
        if found is None:
            raise ChildFailed(f"no line begins with {start!r}; it said:\n{self.said}")
        return OutputLine(found.at_s, found.text.removeprefix(start).strip())

    def says(self, text, timeout_s=TIMEOUT_S):
        """Return whether its output contains `text` within `timeout_s` seconds."""
        with self._news:
            self._wait_for(lambda: self._has_said(text), timeout_s)
            return self._has_said(text)

    def tell(self, text):
        """Write a line to its stdin."""
        self._process.stdin.write(text + "\n")
        self._process.stdin.flush()

    def hang_up(self):
        """Close its stdin."""
        self._process.stdin.close()

    def send(self, number):
        """Send an OS signal to it alone."""
        self._process.send_signal(number)

    def kill(self):
        """Kill it with SIGKILL and wait until it is gone."""
        self._process.kill()
        self.wait()

    def wait(self, timeout_s=TIMEOUT_S):
        """Wait until it ends; return its exit code."""
        try:
            code = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise ChildFailed(f"it did not end in {timeout_s:g} s; it said:\n{self.said}") from None
        for reader in self._readers:
            reader.join(timeout_s)
        return code

    def family(self):
        """Return the pids of it and of everything it started, as far as they are alive."""
        marked = f"{_MARK}={self._mark}".encode()
        return [pid for pid in _pids() if marked in _environment_of(pid).split(b"\0")]

    def end(self):
        """Kill it and all that it started, if anything is left."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(TIMEOUT_S)
        for pid in self.family():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for reader in self._readers:
            reader.join(TIMEOUT_S)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()

    def _read(self, pipe, lines):
        for text in pipe:
            with self._news:
                lines.append(OutputLine(time.perf_counter(), text.rstrip("\n")))
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def _has_said(self, text):
        return any(text in line.text for line in (*self.out, *self.err))

    def _find(self, start):
        return next(iter(self._all(start)), None)

    def _all(self, start):
        return [line for line in self.out if line.text.startswith(start)]

    def _wait_for(self, condition, timeout_s):
        # The end of a process comes after its last line and wakes nobody, so look now and then.
        until_s = time.monotonic() + timeout_s
        while not condition() and not self._is_over() and time.monotonic() < until_s:
            self._news.wait(_LOOK_S)

    def _is_over(self):
        return self._process.poll() is not None and not self._readers[0].is_alive()


class Children:
    """The children of one test; leaving the block ends them and looks for complaints."""

    def __init__(self):
        self._started = []

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        for child in reversed(self._started):
            child.end()
        if error is None:
            self._check()

    def start(self, *command, **options):
        """Start `python ...`, or another program."""
        child = Child(*command, **options)
        self._started.append(child)
        return child

    def cosmo(self, *arguments, **options):
        """Start the command line."""
        return self.start("-m", "cosmonapse.cli", *arguments, **options)

    def synapse(self, *arguments, port=None):
        """Start a Synapse, quiet, and return it and its URL once it listens.

        Without a port it gets one of `free_ports`. A port that the system chooses lies among those
        of outgoing connections; one of them can hold it when the Synapse comes back.
        """
        port = free_ports() if port is None else port
        child = self.cosmo("synapse", "start", "memory", "--port", port, "--quiet", *arguments)
        return child, child.line("Synapse listening on").text

    def worker(self, url, namespace, *axons, ready=True, **spec):
        """Start a worker; with `ready` wait until its Axons are registered.

        Args:
            url: The Synapse.
            namespace: Where it works.
            axons: From `axon`.
            ready: Whether to wait.
            spec: See `support/worker.py`.
        """
        spec = {"namespace": namespace, "axons": axons, **spec}
        child = self.start(WORKER, url, json.dumps(spec))
        if ready:
            child.line("ready")
        return child

    def _check(self):
        for child in self._started:
            found = [each for each in COMPLAINTS if each in child.said]
            if found and not child.may_complain:
                raise ChildFailed(f"a child complained ({found[0]}):\n{child.said}")


def axon(does="echo", neuron_id="worker", capabilities=(), concurrency=64, max_queued=1024):
    """Return the settings of an Axon for a worker; `does` is a function of `support/worker.py`."""
    return {
        "does": does,
        "neuron_id": neuron_id,
        "capabilities": list(capabilities),
        "concurrency": concurrency,
        "max_queued": max_queued,
    }


def measured(what, took_s):
    """Print how long something took; `pytest -rP` shows it."""
    sys.stdout.write(f"{what}: {took_s * 1000:.1f} ms\n")


def room_s():
    """Return what to add to a limit of time: ten starts of Python, which take 0.2 s at rest."""
    began_s = time.perf_counter()
    subprocess.run([sys.executable, "-c", ""], check=True)
    return max(0.5, 10 * (time.perf_counter() - began_s))


def free_ports():
    """Return a port that is free like those two and three above it, for a Synapse to come back to.

    Below the range from which the system takes the ports of outgoing connections, so that no
    other process gets one of them in between. Test runs beside this one leave them alone as well.
    """
    for port in itertools.islice(iter(lambda: random.randrange(10_000, 32_000, 4), None), 100):
        if not _claims(port):
            continue
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for each in (port, port + 2, port + 3):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", each))
            return port
    raise AssertionError("no three free ports in 100 tries")


def _claims(port):
    """Claim four ports for a while; return False if another run has."""
    folder = Path(tempfile.gettempdir()) / f"cosmonapse-test-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    claim = folder / str(port)
    with contextlib.suppress(FileNotFoundError):
        if time.time() - claim.stat().st_mtime < _CLAIMED_S:
            return False
        claim.unlink()
    try:
        claim.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def closed_port():
    """Return a port without a listener; no process will get it by chance."""
    return free_ports()


def _pids():
    return [int(each.name) for each in Path("/proc").iterdir() if each.name.isdecimal()]


def _environment_of(pid):
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""
