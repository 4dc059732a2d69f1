"""A mistake in the set-up of a user's asyncio program is one line; a warning has a time."""

import re
import subprocess
import sys

import pytest

from support.processes import ROOT, TIMEOUT_S, Children, closed_port

PROGRAM = """
import asyncio
from cosmonapse import Dendrite, Sessions, SqliteRegistryStore, connect_synapse

{before}

async def main():
    synapse = await connect_synapse({url!r}, timeout_s=0.2)
    async with Dendrite(synapse=synapse, namespace={namespace!r}):
        {work}

asyncio.run(main())
"""
HERE = {"url": "memory://here", "namespace": "right", "before": "", "work": "pass"}
LOGS = """
import logging
from cosmonapse import synapse_from_url
{configured}
synapse_from_url("memory://logs")
logging.getLogger("cosmonapse.some.module").warning("it is away")
"""


@pytest.fixture(scope="module")
def own_url():
    """The URL of a Synapse that serves the namespace "right" alone."""
    with Children() as children:
        yield children.synapse("--namespace", "right")[1]


def said_by(tmp_path, program, **env):
    """Return the exit code of a program, and the lines of its stderr."""
    path = tmp_path / "program.py"
    path.write_text(program)
    found = subprocess.run(
        [sys.executable, path],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), **env},
        capture_output=True,
        timeout=TIMEOUT_S,
        text=True,
        check=False,
    )
    return found.returncode, found.stderr.splitlines()


@pytest.mark.parametrize(
    ("mistake", "line", "error"),
    [
        ({"url": "cosmo://127.0.0.1:{closed}"}, 8, "SynapseUnreachable: no Synapse at"),
        ({"url": "{own}", "namespace": "wrong"}, 9, "SynapseRefused: the Synapse at"),
        ({"url": "http://host"}, 8, "InvalidUrl: invalid Synapse URL"),
        ({"namespace": "no name"}, 9, "InvalidName: namespace must be"),
        ({"work": "Sessions('no/such/chat.db')"}, 10, "MemoryFileError: cannot use the memory"),
        ({"before": "SqliteRegistryStore('no/such.db')"}, 5, "RegistryStoreError: cannot use the"),
    ],
)
def test_a_mistake_is_one_line_with_its_place(mistake, line, error, own_url, tmp_path):
    settings = HERE | mistake
    settings["url"] = settings["url"].format(closed=closed_port(), own=own_url)

    code, (said,) = said_by(tmp_path, PROGRAM.format(**settings))

    assert code == 1
    assert said.startswith(f"{tmp_path}/program.py:{line}: {error}")


def test_the_traceback_of_a_mistake_is_shown_on_request(tmp_path):
    program = PROGRAM.format(**HERE | {"namespace": "no name"})

    _, said = said_by(tmp_path, program, COSMO_TRACEBACK="1")

    assert said[0].startswith("Traceback")
    assert len(said) > 5


@pytest.mark.parametrize("work", ["1 / 0", "raise TimeoutError('no reply')"])
def test_every_other_error_keeps_its_traceback(work, tmp_path):
    code, said = said_by(tmp_path, PROGRAM.format(**HERE | {"work": work}))

    assert code == 1
    assert said[0].startswith("Traceback")


def test_a_hook_of_the_program_stays_in_force(tmp_path):
    before = "import sys; sys.excepthook = lambda *error: sys.stderr.write('mine')"

    said = said_by(tmp_path, PROGRAM.format(**HERE | {"before": before, "namespace": "no name"}))

    assert said == (1, ["mine"])


@pytest.mark.parametrize(
    ("configured", "shown"),
    [
        ("", r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} WARNING cosmonapse\.some\.module: it is away"),
        ("logging.basicConfig(format='own: %(message)s')", "own: it is away"),
        ("logging.getLogger('cosmonapse').addHandler(logging.NullHandler())", None),
    ],
)
def test_a_warning_has_a_time_unless_the_program_has_configured_logging(
    configured, shown, tmp_path
):
    code, said = said_by(tmp_path, LOGS.format(configured=configured))

    assert code == 0
    assert len(said) == (shown is not None)
    assert all(re.fullmatch(shown, line) for line in said)
