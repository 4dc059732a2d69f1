"""The Synapse as people start it: `cosmo synapse start`, and nothing of the bench in its memory."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs

from cosmonapse.bench.children import BenchError, rss_kib

from . import orphans

_LISTENING = "Synapse listening on "


@attrs.frozen
class Taken:
    """The resources of a process at one moment.

    Args:
        rss_kib: Resident memory.
        descriptors: Open files and connections.
    """

    rss_kib: int
    descriptors: int


def taken(pid: int) -> Taken:
    """Look at a process; on Linux only."""
    return Taken(rss_kib(pid), len(list((Path("/proc") / str(pid) / "fd").iterdir())))


@contextmanager
def synapse(*options: str, checkout: Path | None = None) -> Iterator[tuple[int, str]]:
    """Run `cosmo synapse start`, with more options; yield its pid and its URL.

    With `checkout` it is that of another checkout, without its kernels, which may not be compiled.
    """
    start = ("synapse", "start", "--port", "0", "--quiet", *options)
    folder = {} if checkout is None else {"PYTHONPATH": str(checkout), "COSMO_PURE": "1"}
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "cosmonapse.cli", *start],
        cwd=checkout,
        env=os.environ | folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        preexec_fn=orphans.end_with_parent,
    ) as process:
        try:
            lines = process.stdout or ()
            url = next((line for line in lines if line.startswith(_LISTENING)), "")
            if not url:
                raise BenchError("the Synapse did not start")
            yield process.pid, url.removeprefix(_LISTENING).strip()
        finally:
            process.terminate()
