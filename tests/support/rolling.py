"""A fabric under load whose processes are replaced one after the other by those of a version.

Workers and callers are those of `tools/soak`, in Python and JavaScript, each of its own version;
its checker judges what they have written down.
"""

import itertools
import signal
import time

from support.node import node_or_skip
from support.processes import TIMEOUT_S, free_ports, measured
from tools.soak.check import violations
from tools.soak.explain import RESYNC
from tools.soak.history import parsed, read

OUTSTANDING, DEADLINE_S = 6, 15
LISTENING, READY = "Synapse listening on", "ready"
LEADS, STANDS_BY = "this Synapse leads from now on", "this Synapse stands by (term"
_LOOK_S = 0.02


class Fleet:
    """Synapses, workers and callers.

    Args:
        children: Starts and ends the processes.
        folder: For the logs of workers and callers.
        languages: Of its workers and callers, of each one: `python`, `js`.
        standby: Whether a second Synapse stands by.
    """

    def __init__(self, children, folder, languages, *, standby):
        self._children = children
        self._folder = folder
        self._ports = [free_ports() for _ in range(2 if standby else 1)]
        self.url = "cosmo://" + ",".join(f"127.0.0.1:{port}" for port in self._ports)
        self._synapses = {}
        self._workers = {f"worker-{each}": each for each in languages}
        self._running = {}
        self._callers = {}
        self._languages = languages
        self._count = 0

    def start(self, version):
        """Start everything in one version."""
        for port in self._ports:
            self._begin_synapse(version, port)
        _wait(self._synapses, LISTENING)
        for name in self._workers:
            self._begin_worker(version, name)
        _wait(self._running, READY)
        self._start_callers(version)

    def replace_synapses(self, version):
        """Replace those that stand by, and the leader last."""
        for port in sorted(self._ports, key=self._leads):
            self._end(self._synapses[port])
            self._begin_synapse(version, port)
            self._synapses[port].line(LISTENING)
            if len(self._ports) > 1:
                assert self._synapses[port].says(STANDS_BY), self._synapses[port].said
            self.goes_on()

    def replace_workers(self, version):
        """Replace one worker after the other."""
        for name in self._workers:
            self._end(self._running.pop(name))
            self._begin_worker(version, name)
            self._running[name].line(READY)
            self.goes_on()

    def replace_callers(self, version):
        """Start new callers, then end the old ones."""
        old = list(self._callers)
        self._start_callers(version)
        self._end_callers(old)
        self.goes_on()

    def finish(self):
        """End everything in order; return what happened."""
        self._end_callers(list(self._callers))
        self._end(*self._running.values())
        self._end(*self._synapses.values())
        return read(line for path in self._folder.glob("*.log") for line in _lines(path))

    def goes_on(self, tasks=10):
        """Wait until each caller has seen the end of some more tasks."""
        wanted = {name: self._outcomes(name) + tasks for name in self._callers}
        until_s = time.monotonic() + TIMEOUT_S
        while any(self._outcomes(name) < count for name, count in wanted.items()):
            assert time.monotonic() < until_s, f"no more outcomes: {self._folder}"
            time.sleep(_LOOK_S)

    def _leads(self, port):
        found = [line.text for line in self._synapses[port].out]
        said = [text for text in found if LEADS in text or STANDS_BY in text]
        return bool(said) and LEADS in said[-1]

    def _outcomes(self, name):
        return sum(line["what"] == "outcome" for line in _lines(self._log(name)))

    def _log(self, name):
        return self._folder / f"{name}.log"

    def _begin_synapse(self, version, port):
        peers = [("--peer", f"cosmo://127.0.0.1:{each}") for each in self._ports if each != port]
        options = ("--port", port, "--quiet", *itertools.chain(*peers))
        self._synapses[port] = version.cosmo(self._children, "synapse", "start", *options)

    def _begin_worker(self, version, name):
        given = (name, self.url, self._log(name), "alone")
        self._running[name] = self._begin(version, self._workers[name], "worker", *given)

    def _start_callers(self, version):
        begun = {}
        for language in self._languages:
            self._count += 1
            name = f"caller-{language}-{self._count}"
            load = (self._count * 100, OUTSTANDING, DEADLINE_S)
            given = (name, self.url, self._log(name), *load)
            begun[name] = self._begin(version, language, "caller", *given)
        _wait(begun, READY)
        self._callers |= begun

    def _begin(self, version, language, module, *arguments):
        if language == "js":
            script = version.client / "subject" / f"soak-{module}.js"
            command = (script, "zmtp", *arguments)
            return self._children.start(*command, program=node_or_skip(), cwd=version.client)
        return version.start(self._children, "-m", f"tools.soak.{module}", *arguments)

    def _end_callers(self, names):
        for name in names:
            self._callers[name].tell("enough")
        for name in names:
            assert self._callers.pop(name).wait() == 0

    def _end(self, *children):
        for child in children:
            child.send(signal.SIGTERM)
        assert [child.wait() for child in children] == [0] * len(children)


def _wait(children, start):
    for child in children.values():
        child.line(start)


def _lines(path):
    return parsed(path.read_text().splitlines(keepends=True))


def judged(history):
    """Return how many tasks were answered, and everything that must not have happened.

    There was no fault, so nothing but an answer is right.
    """
    tasks = [task for task in history.tasks.values() if task.caller]
    found = [f"{each.rule}: {each.text}" for each in violations(history, RESYNC)]
    answered = [task for task in tasks if task.outcomes and not task.code]
    longest_s = max((task.ended_at_s - task.invoked_at_s for task in answered), default=0.0)
    measured(f"the longest of {len(answered)} calls", longest_s)
    return len(answered), found


def roll(fleet, first, second):
    """Start in one version and replace everything by the other; return what happened."""
    fleet.start(first)
    fleet.goes_on()
    fleet.replace_synapses(second)
    fleet.replace_workers(second)
    fleet.replace_callers(second)
    return fleet.finish()
