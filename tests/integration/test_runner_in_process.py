"""The runner without the command line: what it says of a slow program, and its own errors."""

import os
import signal

import pytest

from cosmonapse.worker_runner.runner import Runner
from cosmonapse.worker_runner.worker_process import ProcessSettings

pytestmark = pytest.mark.asyncio


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """What processes are given that are to run `serves`."""
    monkeypatch.chdir(tmp_path)
    return ProcessSettings(
        targets=["serves"],
        url="cosmo://127.0.0.1:1",
        key=None,
        namespace="default",
        concurrency=None,
        grace_s=1.0,
        folders=[str(tmp_path)],
    )


async def test_an_error_of_the_runner_itself_ends_it_and_is_not_lost(settings):
    def say(line):
        raise RuntimeError("no terminal")

    with pytest.raises(RuntimeError, match="no terminal"):
        await Runner(settings, 1, say).run()


async def test_a_module_that_serves_by_itself_is_told_what_to_change(settings, tmp_path):
    (tmp_path / "serves.py").write_text("import threading\nthreading.Event().wait()\n")
    said = []

    def say(line):
        said.append(line)
        os.kill(os.getpid(), signal.SIGTERM)  # as a person who stops the runner

    code = await Runner(settings, 2, say, slow_load_s=0.1).run()

    (line,) = said
    assert "still loads serves: a module that serves by itself" in line
    assert code == 0


async def test_a_process_that_cannot_be_started_leaves_no_line_behind(settings, monkeypatch):
    async def no_process(*_):
        raise OSError(11, "no more processes")

    monkeypatch.setattr(Runner, "_spawned_with", no_process)
    said = []

    def say(line):
        said.append(line)
        os.kill(os.getpid(), signal.SIGTERM)

    runner = Runner(settings, 1, say, metrics="127.0.0.1:0")
    await runner.run()

    assert "no more processes" in said[0]
    assert runner.metrics._lines == {}
