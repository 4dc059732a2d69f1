"""A stdout that is closed or full ends each verb with one line, never a traceback or an abort."""

import os
import subprocess
import sys

import pytest

from support.processes import ROOT, TIMEOUT_S, Children, axon

VERBS = {
    "help": ("--help",),
    "version": ("--version",),
    "dispatch": ("dispatch", "worker", "hi"),
    "stream": ("dispatch", "stream", '{"count": 3}', "--stream"),
    "registry": ("registry", "--json"),
    "watch": ("registry", "--watch"),
    "check": ("check",),
    "doppler": ("doppler", "--since-start", "--presence"),
    "json": ("doppler", "--since-start", "--presence", "--json"),
    "prism": ("prism", "--no-browser", "--port", "0"),
    "completion": ("completion", "bash"),
    "bench": ("bench", "latency", "--seconds", "0.1"),
    "synapse": ("synapse", "start", "--port", "0"),
    "demo": ("demo",),
}
CLOSED = "cosmo: stdout is closed: redirect it to a file, or to /dev/null"
FULL = "cosmo: cannot write the output: No space left on device"


@pytest.fixture(scope="module")
def env(url):
    with Children() as children:
        children.worker(url, "full", axon("returns"), axon("stream", "stream"))
        # As at a user: a stream without a buffer fails at once, one with a buffer at the exit.
        buffered = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
        yield buffered | {"COSMO_URL": url, "COSMO_NAMESPACE": "full", "NO_PROXY": "127.0.0.1"}


def ended(verb, redirection, env):
    """Return the exit code of a verb, and the lines of its stderr."""
    command = f'exec "$0" -m cosmonapse.cli "$@" {redirection}'
    found = subprocess.run(
        ["sh", "-c", command, sys.executable, *VERBS.get(verb, (verb,))],
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        timeout=2 * TIMEOUT_S,
        text=True,
        check=False,
    )
    return found.returncode, found.stderr.splitlines()


@pytest.mark.parametrize("verb", VERBS)
def test_a_closed_stdout_is_one_line(verb, env):
    assert ended(verb, ">&-", env) == (1, [CLOSED])


@pytest.mark.parametrize("verb", VERBS)
def test_a_full_disk_is_one_line(verb, env):
    code, said = ended(verb, ">/dev/full", env)

    assert code == 1
    assert said[-1] == FULL
    assert said[:-1] == [line for line in said if line.startswith(("showing ", "latency: "))]


@pytest.mark.parametrize("verb", ["help", "dispatch", "registry", "check"])
def test_a_stderr_that_is_closed_or_full_harms_nothing(verb, env):
    for redirection in ("2>&-", "2>/dev/full", "<&- 2>&-"):
        code, said = ended(verb, f">/dev/null {redirection}", env)

        assert said == []
        # `check` warns for a minute after a loss, and this Synapse serves other tests, too.
        assert code == 0 or (verb, code) == ("check", 1)


def test_a_mistake_keeps_its_exit_code_when_nobody_can_be_told(env):
    for redirection in ("2>&-", "2>/dev/full"):
        assert ended("nonsense", redirection, env) == (2, [])
