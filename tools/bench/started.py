"""The Synapse as people start it: `cosmo synapse start`, and nothing of the bench in its memory."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Final

import attrs

from cosmonapse.bench.children import BenchError, rss_kib

from . import orphans

_LISTENING = "Synapse listening on "
_ROUTING = "Synapse on "
_NO_VARIABLES: Final[Mapping[str, str]] = MappingProxyType({})


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
def synapse(
    *options: str, checkout: Path | None = None, variables: Mapping[str, str] = _NO_VARIABLES
) -> Iterator[tuple[int, str]]:
    """Run `cosmo synapse start`, with more options; yield its pid and its URL.

    Args:
        options: Of the command.
        checkout: Run that of another checkout, without its kernels, which may not be compiled.
        variables: More variables of its environment.
    """
    folder = {} if checkout is None else {"PYTHONPATH": str(checkout), "COSMO_PURE": "1"}
    more = {**folder, **variables}
    with _started(_LISTENING, "--port", "0", *options, folder=checkout, variables=more) as at:
        yield at


@contextmanager
def router(url: str) -> Iterator[tuple[int, str]]:
    """Run `cosmo synapse start` on a nats-server; yield its pid and its URL."""
    with _started(_ROUTING, url, folder=None, variables=_NO_VARIABLES) as at:
        yield at


@contextmanager
def _started(
    says: str, *options: str, folder: Path | None, variables: Mapping[str, str]
) -> Iterator[tuple[int, str]]:
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "cosmonapse.cli", "synapse", "start", "--quiet", *options],
        cwd=folder,
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        preexec_fn=orphans.end_with_parent,
    ) as process:
        try:
            lines = process.stdout or ()
            url = next((line for line in lines if line.startswith(says)), "")
            if not url:
                raise BenchError("the Synapse did not start")
            yield process.pid, url.removeprefix(says).strip()
        finally:
            process.terminate()
