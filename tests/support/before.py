"""The version before this one, as an environment of its own beside that of the tests.

It is made of the history of the checkout, once, and kept in `.cache`: the sources, their kernels
compiled where there is a C compiler, and an interpreter that finds these and the packages of
`.venv-dev`, never this checkout.
"""

import io
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path

import attrs
import pytest

from support.node import CLIENT

# The last commit ahead of metrics, tracing and service units.
BEFORE = "1b4a91bc2e100acff1dea52562c5b4845a18c1b9"
ROOT = Path(__file__).resolve().parents[2]
_PARTS = ("setup.py", "setup.cfg", "pyproject.toml", "README.md", "LICENSE")
_ROOMS = ("zmq_transport", "cosmonapse", "tools", "docs", "clients/javascript")
_BUILD_S = 300.0
_PACKAGES = dict.fromkeys(sysconfig.get_path(each) for each in ("purelib", "platlib"))


@attrs.frozen
class Version:
    """One of the two versions.

    Args:
        name: `before` or `now`.
        folder: Its checkout.
        python: Its interpreter.
        client: Its JavaScript client.
    """

    name: str
    folder: Path
    python: str
    client: Path

    def start(self, children, *command, **options):
        """Start `python ...` of this version."""
        return children.start(*command, program=self.python, cwd=self.folder, **options)

    def cosmo(self, children, *arguments, **options):
        """Start a command of this version."""
        return self.start(children, "-m", "cosmonapse.cli", *arguments, **options)

    def synapse(self, children, port, *options, **more):
        """Start a Synapse at a port; return it once it listens."""
        command = ("synapse", "start", "memory", "--port", port, *options)
        child = self.cosmo(children, *command, **more)
        child.line("Synapse listening on")
        return child


class Installed:
    """An environment of its own, into which now one and now the other version is installed.

    Args:
        folder: A new folder.
        version: The first version.
    """

    def __init__(self, folder, version):
        self.folder = folder
        _run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder.parent)
        self.python = str(folder / "bin" / "python")
        (self._site,) = (folder / "lib").glob("python*/site-packages")
        _write_path(folder, [*map(str, _PACKAGES)])
        self.install(version)

    def install(self, version):
        """Put a version in the place of what is there, whatever runs of it."""
        for room in _ROOMS[:2]:
            shutil.rmtree(self._site / room, ignore_errors=True)
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(version.folder / room, self._site / room, ignore=ignored)

    def cosmo(self, children, *arguments, **options):
        """Start a command of it."""
        command = ("-m", "cosmonapse.cli", *arguments)
        return children.start(*command, program=self.python, **options)


NOW = Version("now", ROOT, sys.executable, CLIENT)


_TAG = sysconfig.get_config_var("SOABI") or sys.implementation.cache_tag
_HOME = ROOT / ".cache" / "before" / f"{BEFORE[:12]}-{_TAG}"


def skip_without_history():
    """Skip a whole module where the history does not reach back to that version."""
    if not _HOME.exists() and _git("cat-file", "-e", f"{BEFORE}^{{commit}}").returncode:
        text = f"the history of this checkout lacks the commit {BEFORE[:12]}"
        pytest.skip(text, allow_module_level=True)


def before():
    """Return the version before, made at the first call."""
    if not _HOME.exists():
        _make(_HOME)
    tree, python = _HOME / "tree", _HOME / "venv" / "bin" / "python"
    _write_path(_HOME / "venv", [str(tree), *_PACKAGES])
    return Version("before", tree, str(python), tree / "clients" / "javascript")


def _make(home):
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent) as made:
        folder = Path(made) / "made"
        tree = folder / "tree"
        tree.mkdir(parents=True)
        packed = _git("archive", "--format=zip", BEFORE, "--", *_PARTS, *_ROOMS)
        packed.check_returncode()
        with zipfile.ZipFile(io.BytesIO(packed.stdout)) as archive:
            archive.extractall(tree)
        _run(sys.executable, "setup.py", "--quiet", "build_ext", "--inplace", cwd=tree)
        shutil.rmtree(tree / "build", ignore_errors=True)
        _run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
        if not home.exists():  # else another run was faster
            folder.rename(home)


def _write_path(venv, folders):
    """Tell an interpreter where to look: again each time, as a checkout may have moved."""
    (site,) = (venv / "lib").glob("python*/site-packages")
    text = "\n".join(folders) + "\n"
    path = site / "before.pth"
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def _git(*arguments):
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, capture_output=True, timeout=_BUILD_S, check=False)


def _run(*command, cwd):
    # A run with the plain twins compiles them as well: what is made here is kept for later runs.
    env = {name: value for name, value in os.environ.items() if name != "COSMO_PURE"}
    ended = subprocess.run(
        [str(each) for each in command],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=_BUILD_S,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
