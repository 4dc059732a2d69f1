"""A transport of another distribution joins: by its scheme and its harness, nothing else."""

import ast
import re
from pathlib import Path

import pytest

import cosmonapse.testing.conformance

pytest_plugins = ["pytester"]

SUITE = "cosmonapse.testing.conformance"
FILES = sorted(Path(cosmonapse.testing.conformance.__file__).parent.glob("*.py"))
PAGE = Path(__file__).parents[2] / "docs" / "spec" / "08-port.md"
(HARNESS,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
BROKEN = """
from acme.harness import Acme
from cosmonapse import MemorySynapse
from cosmonapse.transport import Outcome


class Forgetful(MemorySynapse):
    def transport(self, *arguments):
        made = super().transport(*arguments)
        made.send_reply = lambda *_, **__: Outcome.SENT
        return made


class Broken(Acme):
    def __init__(self, namespaces=(), *, mortal=False, **limits):
        self._synapse = Forgetful("broken", namespaces, **limits)

    def synapse(self):
        return self._synapse

    def stop(self):
        pass
"""
STRICT = ("-Werror", "--strict-markers", "-o", "asyncio_default_fixture_loop_scope=function")


@pytest.fixture
def run(pytester, monkeypatch):
    """Install the distribution `acme` beside an empty project; run the suite there."""
    site = pytester.mkdir("site")
    info = site / "acme-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[cosmonapse.synapses]\nacme = acme.harness:synapse\n")
    (site / "acme").mkdir()
    (site / "acme" / "__init__.py").write_text("")
    (site / "acme" / "harness.py").write_text(HARNESS)
    (site / "acme" / "broken.py").write_text(BROKEN)
    monkeypatch.setenv("PYTHONPATH", str(site))
    return lambda *arguments: pytester.runpytest_subprocess(*STRICT, "--pyargs", *arguments)


def test_the_suite_runs_for_another_transport_and_names_its_skips(run):
    result = run(
        *(f"{SUITE}.{each}" for each in ("test_tasks", "test_opening", "test_loops")),
        *("-rs", "--cosmo-harness", "acme.harness:Acme"),
    )

    outcomes = result.parseoutcomes()
    assert set(outcomes) == {"passed", "skipped"}
    assert outcomes["passed"] > 30
    result.stdout.fnmatch_lines_random(
        ["*Acme does not offer crash", "*Acme does not offer fall_silent"]
    )


def test_a_transport_that_loses_replies_fails(run):
    result = run(f"{SUITE}.test_tasks", "-x", "--cosmo-harness", "acme.broken:Broken")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*AssertionError: 101 on_replies did not come true*"])


def test_the_harness_may_stand_in_the_configuration(run, pytester):
    pytester.makeini("[pytest]\ncosmo_harness = acme.harness:Acme\n")

    result = run(f"{SUITE}.test_loops")

    result.assert_outcomes(passed=3)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [((), "name a harness"), (("--cosmo-harness", "acme.nothing:Acme"), "acme.nothing")],
)
def test_without_a_harness_the_suite_says_how_to_name_one(run, arguments, says):
    result = run(f"{SUITE}.test_loops", *arguments)

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*{says}*--cosmo-harness module:Class*"])


def test_the_suite_reads_no_private_attribute():
    private = [
        f"{path.name}:{node.lineno}: {ast.unparse(node)}"
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.startswith("__")
        and not (isinstance(node.value, ast.Name) and node.value.id == "self")
    ]

    assert len(FILES) > 10
    assert not private
