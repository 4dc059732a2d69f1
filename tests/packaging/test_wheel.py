"""The wheel: what it holds, what it asks for, and that it runs without the checkout."""

import email
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from house import source

# Everything in the wheel that is neither a module nor a page.
DATA_FILES = {"zmq_transport/py.typed", "cosmonapse/py.typed"}
KERNELS = ("zmq_transport.kernel", "cosmonapse.kernel")
PAGES_OF_THE_DEMO = {"cosmonapse/_docs/concepts.md", "cosmonapse/_docs/glossary.md"}
CORE = {"attrs>=23.2", "click>=8.1", "msgpack>=1.0.8", "pyzmq>=26", "tenacity>=8.2"}
TEST = {
    *("build", "celery", "cython", "django", "fastapi", "flask", "gevent", "gunicorn", "httpx"),
    *("hypothesis", "opentelemetry-api", "opentelemetry-sdk", "playwright", "prometheus-client"),
    *("pytest", "pytest-asyncio", "pyyaml", "setuptools", "uvicorn", "uvloop", "watchfiles"),
    *("nats-py", "nkeys", "zeroconf"),
    *("a2a-sdk", "jsonschema", "mcp", "msgspec", "openai", "pydantic"),
}
EXTRAS = {
    "llm": {"httpx"},
    "flask": {"flask"},
    "lan": {"zeroconf"},
    "fastapi": {"fastapi", "uvicorn"},
    "bench": {"nats-py", "nkeys", "redis"},
    "metrics": {"prometheus-client"},
    "nats": {"nats-py", "nkeys"},
    "otel": {"opentelemetry-api"},
    "docs": {"mkdocstrings-python", "zensical"},
    "prism": {"starlette", "uvicorn"},
    "schema": {"pydantic", "msgspec", "jsonschema"},
    "serve": {"starlette", "uvicorn"},
    "mcp": {"mcp", "starlette", "uvicorn"},
    "a2a": {"a2a-sdk", "starlette", "uvicorn"},
    "speed": {"uvloop"},
    "test": TEST,
    "dev": TEST | {"mypy", "ruff"},
}
QUIET_PIP = ["pip", "--quiet", "--disable-pip-version-check"]


def run_python(*arguments, cwd, **environment):
    """Run this interpreter with nothing but `environment` to find modules by; return its output."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    ended = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd,
        env=inherited | environment,
        capture_output=True,
        text=True,
        timeout=300,  # a build compiles, and others may use the cores
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def build(kind, copy, **environment):
    """Build out of a copy, so that the checkout stays clean and lends no leftovers.

    Args:
        kind: `wheel` or `sdist`.
        copy: A new folder.
        environment: What the build sees beside the usual.

    Returns:
        The path of what was built.
    """
    for path in source.checkout_files():
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source.ROOT / path, copy / path)
    options = [f"--{kind}", "--no-isolation", "--skip-dependency-check"]
    run_python("-m", "build", *options, "--outdir", copy / "out", copy, cwd=copy, **environment)
    (built,) = (copy / "out").iterdir()
    return built


def can_compile():
    """Tell whether a kernel can be compiled here."""
    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]
    header = Path(sysconfig.get_path("include")) / "Python.h"
    return shutil.which(compiler) is not None and header.is_file()


def compiled_files():
    """Return the C modules of a wheel of this Python."""
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    return {f"{room.replace('.', '/')}/_compiled{suffix}" for room in KERNELS}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    with zipfile.ZipFile(build("wheel", tmp_path_factory.mktemp("copy"))) as archive:
        yield archive


@pytest.fixture(scope="module")
def metadata(wheel):
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return email.message_from_bytes(wheel.read(name))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    target = tmp_path_factory.mktemp("installed")
    options = ["install", "--no-deps", "--no-index", "--target", target]
    run_python("-m", *QUIET_PIP, *options, wheel.filename, cwd=target)
    return target


def requirements(metadata, extra=None):
    """Return the requirements of `extra`, or of the bare package, without their markers."""
    wanted = [Requirement(line) for line in metadata.get_all("Requires-Dist")]
    of_extra = [
        need
        for need in wanted
        if (need.marker is None) == (extra is None)
        and (extra is None or need.marker.evaluate({"extra": extra}))
    ]
    return {need.name: f"{need.name}{need.specifier}" for need in of_extra}


def test_it_holds_the_modules_the_pages_and_nothing_else(wheel):
    modules = {path.relative_to(source.ROOT).as_posix() for path in source.module_paths().values()}
    pages = {f"cosmonapse/_docs/{page.name}" for page in (source.ROOT / "docs").glob("*.md")}

    static = {
        path.as_posix()
        for path in source.checkout_files()
        if path.as_posix().startswith(("cosmonapse/prism/static/", "cosmonapse/cli/starters/"))
    }

    found = {name for name in wheel.namelist() if ".dist-info/" not in name}

    compiled = compiled_files() if can_compile() else set()
    assert found == modules | pages | static | compiled | DATA_FILES


def test_it_holds_the_pages_that_the_demo_reads(wheel):
    assert set(wheel.namelist()) >= PAGES_OF_THE_DEMO


def test_the_bare_package_needs_five_others(metadata):
    assert set(requirements(metadata).values()) == CORE


def test_the_extras_are_as_promised(metadata):
    assert set(metadata.get_all("Provides-Extra")) == set(EXTRAS)
    assert {extra: set(requirements(metadata, extra)) for extra in EXTRAS} == EXTRAS


def test_it_asks_for_a_python_that_is_new_enough_and_carries_the_license(wheel, metadata):
    assert metadata["Name"] == "cosmonapse"
    assert metadata["Requires-Python"] == ">=3.11"
    assert any(name.endswith("LICENSE") for name in wheel.namelist())


def test_it_brings_the_command(wheel):
    (name,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))

    assert "cosmo = cosmonapse.cli:main" in wheel.read(name).decode()


def test_it_runs_installed_and_away_from_the_checkout(installed, tmp_path):
    program = "import cosmonapse; print(cosmonapse.__file__)"

    where = run_python("-P", "-c", program, cwd=tmp_path, PYTHONPATH=str(installed))
    printed = run_python(
        "-P", "-m", "cosmonapse.cli", "--help", cwd=tmp_path, PYTHONPATH=str(installed)
    )

    assert where.startswith(str(installed))
    assert "Usage" in printed


def test_a_machine_without_a_compiler_gets_a_wheel_of_plain_python(tmp_path):
    built = build("wheel", tmp_path, CC="/nonexistent/cc")

    with zipfile.ZipFile(built) as archive:
        names = archive.namelist()
    assert "zmq_transport/kernel/__init__.py" in names
    assert not [name for name in names if Path(name).suffix in {".c", ".pyd", ".so"}]


def test_an_install_that_is_told_to_be_pure_is_for_every_machine(tmp_path):
    built = build("wheel", tmp_path, COSMO_PURE="1")

    assert built.name.endswith("-py3-none-any.whl")


def test_whoever_has_the_sdist_needs_no_cython(tmp_path):
    built = build("sdist", tmp_path)

    with tarfile.open(built) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for room in KERNELS:
        folder = room.replace(".", "/")
        assert {f"{folder}/_compiled.c", f"{folder}/_compiled.pyx"} <= names
    assert "zmq_transport/kernel/octets.pxi" in names


@pytest.mark.parametrize("room", KERNELS)
def test_the_kernel_of_the_checkout_runs_where_it_can_be_compiled(room, tmp_path):
    program = f"import {room} as kernel; print(kernel.COMPILED)"

    by_default = run_python("-c", program, cwd=source.ROOT, COSMO_PURE="")
    forced = run_python("-c", program, cwd=source.ROOT, COSMO_PURE="1")

    assert by_default.strip() == str(can_compile()), "make builds it: make .venv-dev/.installed"
    assert forced.strip() == "False"
