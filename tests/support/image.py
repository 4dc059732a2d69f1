"""A Dockerfile carried out without a container: its COPY and RUN steps in a folder of their own.

The absolute paths of the image become paths in that folder. What would change the machine, such as
`apt-get`, is a program that does nothing.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from house import source

ROOT = source.ROOT
FOLDER = ROOT / "examples" / "production"
DOCKERFILE = FOLDER / "Dockerfile"
IMAGE_PATHS = ("/opt/venv", "/build", "/app", "/keys", "/run/secrets")
STUBS = ("apt-get", "groupadd", "useradd")
_TIMEOUT_S = 300


def instructions():
    """Return the instructions of the Dockerfile as pairs of name and argument."""
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n", " ", text).splitlines()
    return [tuple(line.split(None, 1)) for line in lines if line.strip()]


def arguments(name):
    """Return the arguments of every instruction of that name."""
    return [argument for each, argument in instructions() if each == name]


class Image:
    """The image, as far as a folder can be one.

    Args:
        root: The folder; new and empty.
    """

    def __init__(self, root):
        self.root = root
        self.environment = {}
        self._folder = root
        (stubs := root / "stubs").mkdir()
        for name in STUBS:
            (stubs / name).write_text("#!/bin/sh\nexit 0\n")
        (stubs / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        for each in stubs.iterdir():
            each.chmod(0o755)
        self._stubs = stubs

    def build(self):
        """Carry out every instruction, in order."""
        for name, argument in instructions():
            carry_out = getattr(self, f"_{name.lower()}", None)
            if carry_out is not None:
                carry_out(argument)
        return self

    def path(self, text):
        """Return a text with the paths of the image as those of the folder."""
        found = rf"(?<![\w.])(?:{'|'.join(map(re.escape, IMAGE_PATHS))})(?![\w-])"
        return re.sub(found, lambda each: f"{self.root}{each[0]}", text)

    def variables(self, **more):
        """Return the whole environment of a process in the image."""
        # What it depends on comes from the environment of the tests, as there may be no index here.
        inherited = {"HOME": str(self.root), "PYTHONPATH": _installed()}
        return {**inherited, **self.environment, **more}

    def _workdir(self, argument):
        self._folder = Path(self.path(argument))
        self._folder.mkdir(parents=True, exist_ok=True)

    def _copy(self, argument):
        *sources, to = shlex.split(argument)
        if sources[0].startswith("--from"):
            return  # both stages are in one folder
        for each in sources:
            _copied(each, self._folder / to)

    def _env(self, argument):
        pairs = (each.split("=", 1) for each in shlex.split(argument))
        self.environment |= {name: self._resolved(value) for name, value in pairs}

    def _resolved(self, value):
        return self.path(value).replace("$PATH", os.environ["PATH"])

    def _run(self, argument):
        path = f"{self._stubs}:{os.environ['PATH']}"
        env = self.variables(PATH=path, COSMO_PURE="1", PIP_NO_BUILD_ISOLATION="0")
        ended = subprocess.run(
            ["/bin/sh", "-ec", self.path(argument)],
            cwd=self._folder,
            env=env,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
        assert ended.returncode == 0, f"{argument}\n{ended.stdout}{ended.stderr}"


def _installed():
    """Return where the packages of this environment are."""
    return next(each for each in sys.path if each.endswith("site-packages"))


def _copied(name, to):
    """Copy a path of the checkout, without what git ignores."""
    for path in source.checkout_files():
        if path.as_posix() == name or path.is_relative_to(name):
            inside = path.relative_to(name) if path.as_posix() != name else path.name
            (target := to / inside).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, target)
