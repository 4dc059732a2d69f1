"""The page for operators: its afternoon as its reader types it, and its figures and alerts.

systemd is a stand-in that starts what a unit says and waits until it tells that it is ready.
"""

import contextlib
import json
import re
import shlex
import signal
import urllib.request

import pytest

from house import pages
from support.processes import ROOT, WORKER, closed_port, free_ports
from support.service_manager import ToldManager, address_in

PAGE = pages.DOCS / "production.md"
BLOCKS = [each for each in pages.blocks(PAGE) if each.language == "console"]
(GREETING,) = (each.code for each in pages.blocks(PAGE) if each.language == "python")
CALL = 'cosmo dispatch greet "studio"'
ALERTS = (pages.DOCS / "grafana" / "alerts.yaml").read_text()
SHELL = WORKER.with_name("cosmo_shell.py")
TIMEOUT_S = 30.0


class Machine:
    """The machine of the page: one user, a folder, and what runs as a service.

    Args:
        children: Starts and ends the processes.
        home: The home of the user, which is made.
    """

    def __init__(self, children, home):
        (home / "fabric").mkdir(parents=True, mode=0o700)
        self.folder = home / "fabric"
        (self.folder / "greeting.py").write_text(GREETING)
        self._children = children
        self._env = {"HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config")}
        self._env |= {"PYTHONPATH": str(ROOT), "SUDO_USER": "", "COSMO_CONTEXT": "-"}
        ports = {"7070": free_ports(), "9464": closed_port(), "9465": closed_port()}
        self._ports = {before: str(port) for before, port in ports.items()}
        self._units = home / ".config" / "systemd" / "user"
        self.running = {}
        self._begin_shell({})

    def type(self, typed):
        """Type a command; return what it printed, or None for one of the system, left out."""
        for before, port in self._ports.items():
            typed = typed.replace(f":{before}", f":{port}").replace(f" {before}", f" {port}")
        match shlex.split(typed):
            case ["cosmo", *arguments]:
                return self._run(arguments)
            case ["systemctl", "--user", "enable", "--now", *units]:
                return [self._start(each) for each in units]
            case ["systemctl", "--user", "restart", unit]:
                self.stop(unit)
                return self._start(unit)
            case ["export", setting]:
                name, _, value = setting.replace("~", self._env["HOME"]).partition("=")
                return self._begin_shell({name: value})
            case ["curl", url]:
                with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
                    return answer.read().decode()
        return None

    def stop(self, unit):
        """End a service as systemd does."""
        started = self.running.pop(unit)
        started.send(signal.SIGTERM)
        assert started.wait() == 0, started.said

    def _begin_shell(self, env):
        self._shell = self._children.start(SHELL, cwd=self.folder, env=self._env | env)
        self._answers = 0

    def _run(self, arguments):
        """Run a command in the process that runs them all: a start takes longer than most."""
        self._shell.tell(json.dumps(arguments))
        self._answers += 1
        code, said = json.loads(self._shell.lines("answer ", self._answers)[-1])
        assert code == 0, (arguments, said)
        return said

    def _start(self, name):
        unit = (self._units / f"{name}.service").read_text()
        command, where, env = (value_of(unit, each) for each in ("ExecStart", *_WHERE))
        program, *arguments = shlex.split(command)
        given = self._env | dict(each.split("=", 1) for each in shlex.split(env))
        with contextlib.closing(ToldManager(address_in(self.folder))) as manager:
            started = self._children.start(
                *arguments, program=program, cwd=where, env=given | manager.environment()
            )
            self.running[name] = started
            assert manager.has("READY=1"), started.said
        (self.folder / "notify").unlink(missing_ok=True)


_WHERE = ("WorkingDirectory", "Environment")


def value_of(unit, name):
    (found,) = re.findall(rf"^{name}=(.*)$", unit, flags=re.MULTILINE)
    return found


def test_an_afternoon_ends_with_two_services_that_are_ready(children, tmp_path):
    machine = Machine(children, tmp_path / "home")
    said = [(typed, machine.type(typed)) for block in BLOCKS for _, typed in pages.commands(block)]

    ready = [text for typed, text in said if typed.endswith("/readyz")]
    assert [text is not None for text in ready] == [True, True]
    answers = [json.loads(text) for typed, text in said if typed == CALL]
    assert answers == [{"response": "hello studio"}] * 2
    (metrics,) = (text for typed, text in said if typed.endswith("/metrics"))
    assert 'cosmonapse_tasks_total{neuron="greet"' in metrics
    left = {typed.split()[0] for typed, text in said if text is None}
    assert left == {"python3", ".", "pip", "cd", "systemctl", "loginctl", "export"}
    for unit in reversed(list(machine.running)):
        machine.stop(unit)


def test_the_page_has_a_row_for_each_alert():
    named = set(re.findall(r"^\| (`Cosmonapse.*?) \|", PAGE.read_text(), flags=re.MULTILINE))
    alerts = re.findall(r"alert: (\w+)", ALERTS)

    assert sorted(each for row in named for each in re.findall(r"`(\w+)`", row)) == sorted(alerts)


@pytest.mark.parametrize(
    ("figure", "us_each"), [("25,000", 39), ("260,000", 3.8), ("75,000", 13.3)], ids=str
)
def test_a_full_core_is_what_the_time_of_one_says(figure, us_each):
    assert f"{figure} " in PAGE.read_text()
    assert abs(1e6 / us_each / int(figure.replace(",", "")) - 1) < 0.05
