"""Memory over a real Synapse: the page as it stands, replicas on one file, kills."""

import asyncio
import contextlib
import io
import os
import runpy
import signal
import subprocess
import sys

import pytest

from cosmonapse import (
    BlockingDendrite,
    Dendrite,
    Sessions,
    SignalType,
    SqliteMemory,
    connect_synapse,
)
from cosmonapse.errors import NeuronError
from cosmonapse.tasks import task_for
from house import pages, source
from support.processes import Children

CHILD = source.ROOT / "tests" / "support" / "memory_child.py"


@pytest.fixture(scope="module")
def url():
    with Children() as children:
        yield children.synapse()[1]


def started(children, url, path, name):
    child = children.start(CHILD, url, path, name)
    child.line("ready")
    return child


def test_the_programs_of_the_page_print_what_it_shows(url, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COSMO_URL", url)
    blocks = list(pages.blocks(pages.DOCS / "memory.md"))
    shown = [each.code for each in blocks if each.code.startswith("$ python")]
    expected = "".join(each.split("\n", 1)[1] for each in shown)
    said, names = io.StringIO(), {"__name__": "page"}

    with contextlib.redirect_stdout(said):
        for block in blocks:
            if block.language == "python":
                exec(compile(block.code, "page", "exec"), names)

    assert len(shown) == 3
    assert said.getvalue().split() == expected.split()
    with SqliteMemory("backup.db") as copy:
        assert copy.recall("北京", space="u1")
    for file in ("mem.db", "mem.db-wal"):
        assert b"besitzer" not in (tmp_path / file).read_bytes()
    asyncio.run(_own_sessions(names["OwnSessions"]()))


async def _own_sessions(own):
    task = task_for("chat", None, {"prompt": "hi"}, context_ref="s1")
    reply = task.reply(SignalType.AGENT_OUTPUT, payload={"output": {"response": "hello"}})

    await own.remember(task, reply)
    assert [each["content"] for each in await own("s1")] == ["hi", "hello"]


def test_the_example_of_a_chat_runs(capsys):
    runpy.run_path(str(source.ROOT / "examples" / "chat_with_memory.py"), run_name="__main__")

    said = capsys.readouterr().out
    assert "The model was shown:\n  I am Zoe, and I own the cafe." in said
    assert "Recalled: Zoe owns the Café Central" in said


def test_two_processes_on_one_file_are_one_memory_and_one_chat(url, tmp_path):
    path = tmp_path / "mem.db"
    with Children() as children:
        for name in ("one", "two"):
            started(children, url, path, name)
        with BlockingDendrite(url, namespace="default") as caller:
            for number in range(20):
                caller.imprint(f"entry {number}", id=str(number))
            hits = caller.recall("entry", limit=100)
            counts = [
                int(
                    caller.ask(
                        neuron="chat",
                        input={"prompt": str(number)},
                        context_ref={"session": "s", "last": 100},
                    )["response"]
                )
                for number in range(10)
            ]
            workers = {each.dendrite_id for each in caller.find_neurons("memory")}

    assert workers == {"one", "two"}
    assert len(hits) == 20
    assert counts == [2 * number for number in range(10)]


def test_a_kill_loses_nothing_that_was_acknowledged(url, tmp_path):
    path = tmp_path / "mem.db"

    async def imprint_until_killed(child):
        acknowledged = []

        async def imprint_each(caller, start):
            for number in range(start, 4000, 4):
                acknowledged.append(await caller.imprint(f"note {number}", id=str(number)))
                if len(acknowledged) == 100:
                    os.kill(child.pid, signal.SIGKILL)

        async with Dendrite(synapse=await connect_synapse(url)) as caller:
            running = [imprint_each(caller, start) for start in range(4)]
            ends = await asyncio.gather(*running, return_exceptions=True)
        assert all(isinstance(end, NeuronError) for end in ends)
        return acknowledged

    with Children() as children:
        child = started(children, url, path, "killed")
        acknowledged = asyncio.run(imprint_until_killed(child))

    with SqliteMemory(path) as memory:
        assert all(memory.forget(each) == 1 for each in acknowledged)
        with memory._file.writing() as file:
            file.execute("INSERT INTO words (words) VALUES ('integrity-check')")
            assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)


SHARES = """
import sys
from cosmonapse import SqliteMemory

with SqliteMemory(sys.argv[1]) as memory:
    print(memory.counts["entries"])
"""


def entries_seen_by_another_process(path):
    ran = subprocess.run(
        [sys.executable, "-c", SHARES, path], capture_output=True, text=True, check=True
    )
    return int(ran.stdout)


def test_nothing_is_lost_where_a_process_opens_its_file_twice(tmp_path):
    path = str(tmp_path / "mem.db")
    with SqliteMemory(path) as first, SqliteMemory(path) as second:
        first.imprint("a", "before")
        assert entries_seen_by_another_process(path) == 1  # it closes the file, as its last user?

        first.imprint("b", "after")
        second.imprint("c", "after")

        assert entries_seen_by_another_process(path) == 3
        assert first.counts["entries"] == second.counts["entries"] == 3


def test_a_turn_is_kept_though_its_caller_has_gone(url, tmp_path):
    path = tmp_path / "mem.db"
    with Children() as children, Sessions(f"{path}.chat") as sessions:
        started(children, url, path, "worker")

        async def leave():
            async with Dendrite(synapse=await connect_synapse(url)) as caller:
                await caller.dispatch_task(
                    neuron="chat", input={"prompt": "hi"}, context_ref={"session": "s"}
                )

        asyncio.run(leave())
        with BlockingDendrite(url, namespace="default") as caller:
            caller.ask(neuron="chat", input={"prompt": "and"}, context_ref={"session": "t"})
            for _ in range(100):
                if sessions.history("s"):
                    break
                caller.ask(neuron="chat", input={"prompt": "more"}, context_ref={"session": "t"})

    with Sessions(f"{path}.chat") as sessions:
        assert [each["content"] for each in sessions.history("s")] == ["hi", "0"]
