"""A Synapse whose terminal stands still, as after Ctrl-S: nobody reads what it prints."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys

import pytest

from support.processes import ROOT, TIMEOUT_S

TASKS = 800  # some 170 bytes of log for each; a pipe holds 64 KiB


@contextlib.contextmanager
def unread_synapse():
    """Start a Synapse that prints into a pipe, and read its first line alone."""
    command = [sys.executable, "-m", "cosmonapse.cli", "synapse", "start", "--port", "0"]
    buffered = {name: text for name, text in os.environ.items() if name != "PYTHONUNBUFFERED"}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, env=buffered) as process:
        try:
            yield process, process.stdout.readline().split()[-1].decode()
        finally:
            process.kill()


@pytest.mark.asyncio
async def test_a_synapse_whose_terminal_stands_still_goes_on_and_ends_well(join):
    with unread_synapse() as (synapse, url):
        async with join(url=url) as caller:
            tasks = (caller.dispatch_and_wait(neuron="nobody", input=0) for _ in range(TASKS))
            replies = await asyncio.gather(*tasks)
        synapse.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(synapse.wait, TIMEOUT_S)
        said = synapse.stderr.read().decode()

    assert {reply.payload["code"] for reply in replies} == {"NO_SUCH_NEURON"}
    assert (code, said) == (0, "Synapse stopped; the Dendrites were notified.\n")
