"""Files that change are told once, with watchfiles and without."""

import asyncio
import os
import time

import pytest
import pytest_asyncio
import watchfiles  # noqa: F401  # so that one that is not installed is a failure

from cosmonapse.worker_runner.file_watch import FileWatch

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture(params=[True, False], ids=["times", "watchfiles"])
async def watch(request, tmp_path):
    watch = FileWatch([str(tmp_path)], polls=request.param)
    watch.start()
    yield watch
    watch.stop()


async def changes(watch):
    return await asyncio.wait_for(watch.changes(), 10.0)


async def test_a_file_that_is_written_or_replaced_has_changed(watch, tmp_path):
    path = tmp_path / "a.py"
    path.write_text("1")
    (tmp_path / "unwatched.py").write_text("1")
    watch.add([str(path)], time.time_ns())

    path.write_text("22")
    assert await changes(watch) == [str(path)]
    (tmp_path / "unwatched.py").write_text("22")
    (tmp_path / "b.py").write_text("333")
    (tmp_path / "b.py").rename(path)
    assert await changes(watch) == [str(path)]


async def test_a_file_that_was_missing_has_changed_when_it_comes(watch, tmp_path):
    path = tmp_path / "helper.py"
    watch.add([str(path)], time.time_ns())

    path.touch()

    assert await changes(watch) == [str(path)]


async def test_a_file_that_changed_while_its_process_started_has_changed(watch, tmp_path):
    path = tmp_path / "a.py"
    path.write_text("1")
    older = time.time_ns()
    os.utime(path, ns=(older, older + 1))

    watch.add([str(path)], older)

    assert await changes(watch) == [str(path)]


async def test_changes_that_follow_each_other_are_told_together(watch, tmp_path):
    paths = [tmp_path / "a.py", tmp_path / "b.py"]
    for path in paths:
        path.write_text("1")
    watch.add(map(str, paths), time.time_ns())

    for path in paths:
        path.write_text("22")

    assert await changes(watch) == list(map(str, paths))
