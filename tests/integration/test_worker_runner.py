"""`cosmo worker`: processes that serve, are reloaded, crash, and end."""

import asyncio
import json
import os
import re
import signal
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from support.processes import free_ports, measured

CALLERS = 16
APP = """
import asyncio, os, sys
from cosmonapse import neuron

VERSION = 1

@neuron(capabilities=["text"])
async def work(input, context):
    await asyncio.sleep(0.01)  # it works that long
    with open("ran.txt", "a") as ran:
        ran.write(f"{input['n']}\\n")
    return {"version": VERSION, "pid": os.getpid()}

@neuron
def leave(input, context):
    os._exit(3)

@neuron
async def hold(input, context):
    print("holding", flush=True)
    await asyncio.sleep(input["for_s"])
    return {"held": True}
"""


class App:
    """A program in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.path = folder / "app.py"
        self.write(APP)

    def write(self, text, same_second=False):
        """Write the program as an editor does: beside it, and then in its place."""
        beside = self.path.with_suffix(".new")
        beside.write_text(text, encoding="utf-8")
        if same_second:  # and of the same size, so Python takes a compiled file for the new one
            at_ns = self.path.stat().st_mtime_ns
            os.utime(beside, ns=(at_ns, at_ns + 1))
        beside.rename(self.path)

    def ran(self):
        """Return how often each task has run."""
        return Counter((self.folder / "ran.txt").read_text().split())


@pytest.fixture
def app(tmp_path):
    return App(tmp_path)


@pytest.fixture
def run(children, app, url, namespace):
    """Start the runner in the folder of the program."""

    def started(*arguments, at=None, target="app"):
        options = ("--url", at or url, "-n", namespace)
        return children.cosmo(
            "worker",
            target,
            *options,
            *arguments,
            cwd=app.folder,
            env={"PYTHONDONTWRITEBYTECODE": ""},
            merge_stderr=True,
        )

    return started


def pids_of(line):
    return [int(each) for each in re.findall(r"\d+", line.text.rpartition("process")[2])]


def serving(runner, text="serving"):
    """Wait until it serves; return the process ids that it names."""
    return pids_of(runner.line(f"cosmo worker: {text}"))


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()


async def gone(pids, timeout_s=15.0):
    end_s = time.monotonic() + timeout_s
    while any(map(is_alive, pids)):
        assert time.monotonic() < end_s, pids
        await asyncio.sleep(0.02)


class Load:
    """Callers that ask without a break, and what they were answered."""

    def __init__(self, caller):
        self.caller = caller
        self.versions = Counter()
        self.sent = []
        self._over = asyncio.Event()

    def start(self):
        self._tasks = [asyncio.create_task(self._call(n)) for n in range(CALLERS)]

    async def _call(self, number):
        count = 0
        while not self._over.is_set():
            name = f"{number}-{count}"
            self.sent.append(name)
            output = await self.caller.ask(neuron="work", input={"n": name}, timeout_s=20.0)
            self.versions[output["version"]] += 1
            count += 1

    async def answered(self, version, count=50):
        """Wait for so many more answers of a version."""
        wanted = self.versions[version] + count
        end_s = time.monotonic() + 20.0
        while self.versions[version] < wanted:
            assert time.monotonic() < end_s, self.versions
            await asyncio.sleep(0.01)

    async def stop(self):
        self._over.set()
        await asyncio.gather(*self._tasks)


@pytest.mark.asyncio
async def test_a_rolling_reload_under_load_loses_no_task_and_runs_none_twice(run, app, join):
    runner = run("--workers", "2", "--reload")
    old = serving(runner)
    async with join("caller") as caller:
        load = Load(caller)
        load.start()
        await load.answered(1)
        app.write(APP.replace("VERSION = 1", "VERSION = ("))
        assert runner.line("cosmo worker: not reloaded").text == (
            ", the old code goes on: app.py:5: SyntaxError: '(' was never closed"
        )
        await load.answered(1)
        for version in (2, 3):
            app.write(APP.replace("VERSION = 1", f"VERSION = {version}"), same_second=version > 2)
            lines = await asyncio.to_thread(runner.lines, "cosmo worker: reloaded in ", version - 1)
            await load.answered(version)
        await gone(old)
        await load.answered(3)
        await load.stop()
    runner.send(signal.SIGTERM)

    assert runner.wait() == 0
    assert app.ran() == Counter(load.sent)
    assert len(runner.lines("cosmo worker: not reloaded", 1)) == 1
    assert set(load.versions) == {1, 2, 3}
    for line, version in zip(lines, (2, 3), strict=True):
        measured(f"reload to version {version}", float(line.split()[0]))
    sys.stdout.write(f"answers by version: {dict(load.versions)}\n")


@pytest.mark.asyncio
async def test_it_waits_for_the_synapse_and_says_one_line_with_ids_pids_and_url(
    run, children, join
):
    port = free_ports()
    at = f"cosmo://127.0.0.1:{port}"
    runner = run("--concurrency", "1", "--grace", "0.2", at=at)
    assert "no process listens" in runner.line("cosmo worker: waiting for ").text
    children.synapse(port=port)

    line = runner.line("cosmo worker: serving")

    assert line.text.startswith(f"work, leave, hold at {at} in ")
    (pid,) = pids_of(line)
    async with join("caller", url=at) as caller:
        (record,) = await caller.find_neurons("text")
        assert record.dendrite_id == f"app-{pid}"
        held = [
            asyncio.create_task(
                caller.dispatch_and_wait(neuron="hold", input={"for_s": 60}, timeout_s=30)
            )
            for _ in range(2)
        ]
        await asyncio.to_thread(runner.line, "holding")
        await caller.ask(neuron="work", input={"n": 0})  # so both have come
        stopped_s = time.monotonic()
        runner.send(signal.SIGINT)

        codes = [(await each).payload["code"] for each in held]

        assert time.monotonic() - stopped_s < 10.0  # the grace by default
    assert codes == ["CANCELLED", "CANCELLED"]
    assert await asyncio.to_thread(runner.wait) == 130
    assert not is_alive(pid)
    assert runner.said.count("holding") == 1


@pytest.mark.asyncio
async def test_a_process_that_crashes_is_started_again_and_a_kill_of_the_runner_ends_all(run, join):
    runner = run("--workers", "2", "--grace", "1")
    pids = serving(runner)
    async with join("caller") as caller:
        await caller.dispatch_and_wait(neuron="leave", input={}, timeout_s=10)
        assert runner.line("cosmo worker: process ").text.endswith(
            "exited with code 3; another starts in 0.5 s"
        )
        (again,) = serving(runner, "serving again")
        assert again not in pids
        family = [pid for pid in runner.family() if pid != runner.pid]
        assert len(family) == 2
        holding = asyncio.create_task(
            caller.dispatch_and_wait(neuron="hold", input={"for_s": 60}, timeout_s=20)
        )
        await asyncio.to_thread(runner.line, "holding")

        runner.kill()

        await gone(family)
        assert (await holding).payload["code"] == "CANCELLED"


@pytest.mark.asyncio
async def test_a_task_that_runs_at_the_end_has_its_grace(run, join):
    runner = run("--grace", "10", "--json")
    facts = json.loads("{" + runner.line("{").text)
    assert (facts["event"], facts["ids"]) == ("serving", ["work", "leave", "hold"])
    async with join("caller") as caller:
        holding = asyncio.create_task(caller.ask(neuron="hold", input={"for_s": 0.3}))
        await asyncio.to_thread(runner.line, "holding")

        runner.send(signal.SIGTERM)

        assert await holding == {"held": True}
        assert await asyncio.to_thread(runner.wait) == 0


def test_a_change_reloads_in_the_folder_of_the_option_alone_and_behind_a_link(run, app):
    (app.folder / "lib").mkdir()
    (app.folder / "link").symlink_to("lib")
    helper = app.folder / "lib" / "helper.py"
    helper.write_text("")
    app.write("import link.helper\n" + APP)
    runner = run("--reload", "--reload-dir", "link")
    serving(runner)

    app.write("import link.helper\n" + APP.replace("VERSION = 1", "VERSION = 2"))
    helper.write_text("changed = True")

    told = runner.line("cosmo worker: reloaded").text
    assert re.match(r"in [\d.]+ s, lib/helper\.py changed: process \d+$", told), told


def test_what_cannot_be_loaded_is_told_once_and_in_one_line(children, app, url):
    (app.folder / "broken.py").write_text("x = 1\nx = (\n")
    (app.folder / "lacking.py").write_text("\nimport nowhere_at_all\n")
    (app.folder / "misses.py").write_text("import cosmonapse\ncosmonapse.Axon(neuron_id='a')\n")
    (app.folder / "keeps.py").write_text("import cosmonapse\ncosmonapse.Sessions('no/chat.db')\n")
    expected = {
        "ap": (2, "gave up: there is no module 'ap' in .*: did you mean app"),
        "broken": (1, r"gave up: broken.py:2: SyntaxError: '\(' was never closed"),
        "lacking": (2, "gave up: lacking.py:2: ModuleNotFoundError: .*; install what has it"),
        "misses": (2, r"gave up: misses.py:2: TypeError: Axon.__init__\(\) missing 1 required"),
        "keeps": (2, "gave up: keeps.py:2: MemoryFileError: .*; its folder must exist"),
    }
    runners = {
        target: children.cosmo("worker", target, "--url", url, cwd=app.folder, merge_stderr=True)
        for target in expected
    }

    for target, (code, text) in expected.items():
        assert runners[target].wait() == code, target
        said = runners[target].said.splitlines()
        assert re.match(f"cosmo worker: {text}", said[0]), said
        assert len(said) == 1, said


def test_a_crash_loop_ends_with_the_traceback_once(run, app):
    app.write("def divided():\n    return 1 / 0\n\n\ndivided()\n")
    runner = run()
    runner.may_complain = True

    assert runner.wait() == 1

    said = runner.said.splitlines()
    assert said[:4] == [
        "cosmo worker: app.py:2: ZeroDivisionError: division by zero; another attempt in 0.5 s",
        "cosmo worker: gave up after five crashes",
        "Traceback (most recent call last):",
        f'  File "{app.folder}/app.py", line 5, in <module>',
    ]
    assert said[-1] == "ZeroDivisionError: division by zero"
    assert runner.said.count("Traceback") == 1


def test_a_mistake_in_the_url_is_one_line_that_names_no_file(run):
    runner = run("--reload", at="http://127.0.0.1")

    assert runner.wait() == 2

    assert runner.said.startswith("cosmo worker: gave up: InvalidUrl: invalid Synapse URL")
    assert "\n" not in runner.said


def test_with_reload_a_mistake_waits_for_the_save_that_mends_it(run, app):
    app.write("import cosmonapse\ncosmonapse.Sessions('no/chat.db')\n")
    runner = run("--reload")
    told = runner.line("cosmo worker: app.py:2: MemoryFileError").text
    assert told.endswith("its folder must exist and be writable; waits for the next save")

    app.write(APP)

    serving(runner)
    assert runner.said.count("cosmo worker: ") == 2


def test_with_reload_a_module_that_was_missing_is_found_when_it_comes(run, app):
    runner = run("--reload")
    serving(runner)
    app.write("import helper\n" + APP)
    assert runner.line("cosmo worker: not reloaded").text.count("No module named 'helper'")

    (app.folder / "helper.py").write_text("")

    assert "helper.py changed" in runner.line("cosmo worker: reloaded").text
