"""A compiled kernel that was made from other sources does not run, and that is told once."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import cosmonapse.kernel
import zmq_transport.kernel
from zmq_transport import kernel_sources

ROOT = Path(__file__).parents[3]
PROGRAM = """
import zmq_transport.kernel as below, cosmonapse.kernel as above
from cosmonapse.synapse.kernels import kernel_text
print(below.COMPILED, above.COMPILED, kernel_text(), sep="; ")
"""
IS_COMPILED = zmq_transport.kernel.COMPILED and cosmonapse.kernel.COMPILED


def test_any_other_byte_of_a_source_is_another_number(tmp_path):
    for name in ("_compiled.pyx", "a.pxi"):
        (tmp_path / name).write_text("1")
    numbers = [kernel_sources.number_of(tmp_path)]
    for name in ("_compiled.pyx", "a.pxi"):
        (tmp_path / name).write_text("2")
        numbers.append(kernel_sources.number_of(tmp_path))

    assert len(set(numbers)) == 3
    assert all(0 < number < 2**60 for number in numbers)


def test_where_no_source_is_there_is_no_number(tmp_path):
    assert kernel_sources.number_of(tmp_path) is None


@pytest.fixture
def copy(tmp_path):
    """Return a folder with both packages as they are here, compiled modules too."""
    for each in ("zmq_transport", "cosmonapse"):
        shutil.copytree(ROOT / each, tmp_path / each, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def told(folder, **variables):
    """Import both kernels there; return what is told of them, and the lines of stderr."""
    inherited = {name: value for name, value in os.environ.items() if name != "COSMO_PURE"}
    env = inherited | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"} | variables
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return ran.stdout.strip(), ran.stderr.splitlines()


@pytest.mark.skipif(not IS_COMPILED, reason="no kernel was compiled")
@pytest.mark.parametrize(
    ("source", "compiled"),
    [
        (None, "True; True; compiled"),
        ("zmq_transport/kernel/entries.pxi", "False; False; pure Python (the compiled kernel is"),
        ("cosmonapse/kernel/runs.pxi", "True; False; pure Python (the compiled kernel is"),
    ],
)
def test_a_kernel_of_other_sources_does_not_run_and_one_line_says_so(copy, source, compiled):
    if source is not None:
        with (copy / source).open("a") as file:
            file.write("# another commit\n")

    said, lines = told(copy)

    assert said.startswith(compiled)
    assert len(lines) == (source is not None), lines
    assert all("install anew" in line for line in lines)
    assert told(copy, COSMO_PURE="1")[1] == []


@pytest.mark.skipif(not IS_COMPILED, reason="no kernel was compiled")
def test_an_installed_kernel_needs_no_sources(copy):
    for path in copy.glob("*/kernel/*.p[xy][xi]"):
        path.unlink()

    assert told(copy) == ("True; True; compiled", [])


@pytest.mark.skipif(not IS_COMPILED, reason="no kernel was compiled")
def test_a_module_that_cannot_be_loaded_is_told_too(copy):
    (module,) = (copy / "cosmonapse" / "kernel").glob("_compiled*.so")
    shutil.copy(next((copy / "zmq_transport" / "kernel").glob("_compiled*.so")), module)

    said, lines = told(copy)

    assert said.startswith("True; False")
    assert len(lines) == 1
