"""The compiled kernels under AddressSanitizer and UBSan: `python -m tools.sanitize [PYTEST ARGS]`.

Builds them in a copy of this checkout with gcc, and runs their tests there: hostile bytes, each
held against the plain twin. `HYPOTHESIS_PROFILE=million` for the long run. A finding ends the run
with its report.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_TESTS = (
    "tests/property/test_kernel_twins_property.py",
    "tests/property/test_signal_twins_property.py",
    "tests/property/test_signal_bytes_property.py",
    "tests/property/test_runs_property.py",
    "tests/property/test_outgoing_property.py",
    "tests/unit/kernel",
    "tests/unit/zmq_transport/kernel",
    "tests/unit/zmq_transport/zmtp",
)
_FLAGS = "-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -O1 -g"
_WHICH = """
import cosmonapse.kernel, zmq_transport.kernel
print(cosmonapse.kernel.COMPILED and zmq_transport.kernel.COMPILED)
print(zmq_transport.kernel.__file__)
"""


def main(arguments: list[str]) -> int:
    """Build, check that the built ones run, and run the tests; return the exit code of pytest."""
    with tempfile.TemporaryDirectory(prefix="sanitize-") as made:
        copy = Path(made)
        _copy_checkout(copy)
        flags = {"CC": "gcc", "CFLAGS": _FLAGS, "LDFLAGS": "-fsanitize=address,undefined"}
        _run(["setup.py", "--quiet", "build_ext", "--inplace"], copy, flags).check_returncode()
        sanitized = {
            "ASAN_OPTIONS": "detect_leaks=0",  # Python itself ends with what it interned
            "COSMO_PURE": "",
            "LD_PRELOAD": _library(),
            "PYTHONMALLOC": "malloc",
            "UBSAN_OPTIONS": "print_stacktrace=1",
        }
        said = _run(["-c", _WHICH], copy, sanitized, stdout=subprocess.PIPE).stdout.split()
        if said != ["True", str(copy / "zmq_transport/kernel/__init__.py")]:
            print(f"the kernels with sanitizers do not run: {said}", file=sys.stderr)
            return 2
        command = ["-m", "pytest", "-q", "-p", "no:cacheprovider", *_TESTS, *arguments]
        return _run(command, copy, sanitized).returncode


def _copy_checkout(copy: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=_ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (_ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(_ROOT / name, copy / name)


def _library() -> str:
    """Return the path of the library that has to be loaded before everything else."""
    asked = ["gcc", "-print-file-name=libasan.so"]
    return subprocess.run(asked, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def _run(
    command: list[str], folder: Path, environment: Mapping[str, str], stdout: int | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env={**os.environ, **environment},
        stdout=stdout,
        text=True,
        check=False,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
