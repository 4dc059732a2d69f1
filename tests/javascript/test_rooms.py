"""The tests of the JavaScript client itself, a room at a time, in node's own runner."""

import collections
import functools
import os
import re
import signal
import subprocess
import sys

import pytest

from support.node import CLIENT, NODE_TESTS

TESTS = CLIENT / "test"
TIMEOUT_S = 300
IMPORT = re.compile(r"from '(\.[^']+|node:child_process)'")
COUNT = re.compile(r"^. (tests|pass|fail|cancelled|skipped|todo) (\d+)$", re.MULTILINE)


@functools.cache
def starts_processes(path):
    """Return whether a test file starts processes, by itself or by what it imports of the tests."""
    found = IMPORT.findall(path.read_text())
    files = [(path.parent / each).resolve() for each in found if each[0] == "."]
    own = [each for each in files if each.is_relative_to(TESTS)]
    return "node:child_process" in found or any(map(starts_processes, own))


def rooms():
    """Map the name of each room to its test files; those with processes are a room of their own."""
    found = collections.defaultdict(list)
    for path in sorted(TESTS.rglob("*.test.js")):
        name = path.relative_to(TESTS).parts[0].removesuffix(".test.js")
        found[f"{name}-live" if starts_processes(path) else name].append(path)
    return found


ROOMS = rooms()


def run_by(node, files):
    """Run node's test runner; return its report and whether it is green.

    Whatever the tests leave running ends with it, as it has a process group of its own.
    """
    process = subprocess.Popen(
        [node, "--test", "--test-reporter=spec", *files],
        cwd=CLIENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "COSMO_TEST_PYTHON": sys.executable, "NO_COLOR": "1"},
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        report, _ = process.communicate(timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        report, _ = process.communicate()
        return f"{report}\nnot over after {TIMEOUT_S} s", False
    return report, process.returncode == 0


def what_failed(report):
    """Return the part of a report that tells of the failures; all of it if that is missing."""
    return report.rpartition("✖ failing tests:")[2]


@pytest.mark.parametrize("room", ROOMS)
def test_the_tests_of_a_room_pass(node, room, record_property):
    report, is_green = run_by(node, ROOMS[room])

    assert is_green, what_failed(report)
    counts = {name: int(count) for name, count in COUNT.findall(report)}
    record_property(NODE_TESTS, counts["tests"])
    assert counts["tests"] == counts["pass"] + counts["skipped"] > 0


def test_a_test_that_fails_is_reported_with_its_name(node, tmp_path):
    bad = tmp_path / "bad.test.js"
    bad.write_text(
        "import test from 'node:test'\n"
        "test('the moon is made of stone', () => {})\n"
        "test('the moon is made of cheese', () => { throw new Error('it is not') })\n"
    )
    (tmp_path / "package.json").write_text('{"type": "module"}')

    report, is_green = run_by(node, [bad])

    assert not is_green
    assert "the moon is made of cheese" in what_failed(report)
    assert "it is not" in what_failed(report)
    assert "of stone" not in what_failed(report)
