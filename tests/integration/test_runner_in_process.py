"""What the runner says of a program that is slow to load, without the command line."""

import os
import signal

import pytest

from cosmonapse.worker_runner.runner import Runner
from cosmonapse.worker_runner.worker_process import ProcessSettings


@pytest.mark.asyncio
async def test_a_module_that_serves_by_itself_is_told_what_to_change(tmp_path, monkeypatch):
    (tmp_path / "serves.py").write_text("import threading\nthreading.Event().wait()\n")
    monkeypatch.chdir(tmp_path)
    settings = ProcessSettings(
        targets=["serves"],
        url="cosmo://127.0.0.1:1",
        key=None,
        namespace="default",
        concurrency=None,
        grace_s=1.0,
        folders=[str(tmp_path)],
    )
    said = []

    def say(line):
        said.append(line)
        os.kill(os.getpid(), signal.SIGTERM)  # as a person who stops the runner

    code = await Runner(settings, 2, say, slow_load_s=0.1).run()

    (line,) = said
    assert "still loads serves: a module that serves by itself" in line
    assert code == 0
