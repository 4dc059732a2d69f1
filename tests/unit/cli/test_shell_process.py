"""A shell command: what it reads and writes, how it ends, and that nothing of it is left."""

import asyncio
import os
import signal
import time

import pytest

from cosmonapse.cli import shell_process
from cosmonapse.cli.shell_process import ShellProcess
from support.processes import TIMEOUT_S, until

pytestmark = pytest.mark.asyncio
HOLDS = "sleep 600 & echo $!; echo $$; wait"
STUBBORN = "trap '' TERM; sleep 600 & echo $!; echo $$; while :; do sleep 600; done"


async def ran(command, given=b"", timeout_s=None, **environment):
    env = {**os.environ, **environment}
    async with ShellProcess.started(command, given, env, timeout_s) as process:
        return await process.finished()


async def lines_of(command, count=None):
    found = []
    async with ShellProcess.started(command, b"", os.environ, None, streams=True) as process:
        async for line in process.lines():
            found.append(line)
            if len(found) == count:
                break
    return found


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def all_gone(pids):
    await until(lambda: not any(map(is_alive, pids)))


async def test_a_command_reads_its_input_and_writes_its_output():
    finished = await ran("cat; echo $COLOUR; echo lost >&2", b"given\n", COLOUR="red")

    assert (finished.code, finished.output, finished.errors) == (0, b"given\nred\n", b"lost\n")
    assert finished.took_s < TIMEOUT_S


async def test_an_input_that_nobody_reads_does_no_harm():
    finished = await ran("echo done", b"x" * 4_000_000)

    assert (finished.code, finished.output) == (0, b"done\n")


@pytest.mark.parametrize(("command", "code"), [("exit 3", 3), ("kill -9 $$", -9), ("no-such", 127)])
async def test_an_exit_code_and_a_signal_are_told(command, code):
    assert (await ran(command)).code == code


async def test_of_stderr_the_end_is_kept():
    finished = await ran("seq 1 100000 >&2")

    assert len(finished.errors) == 4096
    assert finished.errors.endswith(b"100000\n")


async def test_a_command_that_writes_too_much_is_ended(monkeypatch):
    monkeypatch.setattr(shell_process, "MAX_OUTPUT_BYTES", 100_000)

    finished = await ran("yes")

    assert finished.is_too_long
    assert len(finished.output) <= 100_000


async def test_a_command_that_is_late_is_ended_with_all_that_it_started():
    began_s = time.monotonic()
    finished = await ran(HOLDS, timeout_s=0.3)

    assert finished.has_expired
    assert finished.code == -signal.SIGTERM
    assert time.monotonic() - began_s < TIMEOUT_S
    await all_gone(finished.output.split())


async def test_who_ignores_sigterm_is_killed():
    finished = await ran(STUBBORN, timeout_s=0.2)

    assert finished.code == -signal.SIGKILL
    await all_gone(finished.output.split())


async def test_what_a_command_leaves_running_ends_with_it():
    finished = await ran("sleep 600 & echo $!")

    assert finished.code == 0
    await all_gone(finished.output.split())


async def test_a_process_that_left_the_group_and_holds_the_pipes_holds_nobody_up():
    finished = await ran("setsid sleep 600 & echo $!; sleep 0.1")

    pid = int(finished.output)
    assert finished.code == 0
    await until(lambda: is_alive(pid) or True)
    os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("command", [HOLDS, STUBBORN])
async def test_leaving_the_block_ends_all_of_it(command):
    pids = [int(line) for line in await lines_of(command, 2)]

    await all_gone(pids)


async def test_a_cancelled_task_ends_its_command():
    async def work(pids):
        async with ShellProcess.started(HOLDS, b"", os.environ, None, streams=True) as process:
            async for line in process.lines():
                pids.append(int(line))

    pids = []
    working = asyncio.create_task(work(pids))
    await until(lambda: len(pids) == 2)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working

    await all_gone(pids)


async def test_lines_come_while_it_runs_each_with_its_end():
    assert await lines_of(r"printf 'a\nb'; sleep 0.05; printf 'c\n\nd'") == [
        "a\n",
        "bc\n",
        "\n",
        "d",
    ]


async def test_a_line_ends_at_its_newline_and_nowhere_else():
    text = "a\rb\x0bc\x0cd\x1ce\x85f\u2028g\r\nh"

    assert await lines_of(f"printf '{text}'") == [text[:-1], "h"]


async def test_a_reader_that_is_slow_lets_the_command_wait():
    async with ShellProcess.started("seq 1 200000", b"", os.environ, None, streams=True) as process:
        await until(lambda: process._is_paused)
        waiting = len(process._lines)
        numbers = [int(line) async for line in process.lines()]

    assert waiting < 50_000
    assert numbers == list(range(1, 200_001))


async def test_a_character_in_two_pieces_is_one():
    assert await lines_of(r"printf '\303'; sleep 0.05; printf '\251\n'") == ["é\n"]
