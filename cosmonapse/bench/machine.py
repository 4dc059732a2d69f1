"""The machine of a measurement, recorded with each result."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ..synapse.kernels import kernel_text

_PACKAGES = ("cosmonapse", "pyzmq", "msgpack")


def machine(*more: str) -> dict[str, str]:
    """Return the machine, the versions, and which kernel runs.

    Args:
        more: Packages of use to this measurement alone.
    """
    total = os.cpu_count() or 1
    used = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else total
    facts = {
        "cores": f"{used} of {total}",
        "processor": _processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
    }
    for package in (*_PACKAGES, *more):
        with suppress(PackageNotFoundError):
            facts[package] = version(package)
    facts["kernel"] = kernel_text()
    return facts


def _processor() -> str:
    """Return the name of the processor, as far as the system has it."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"
