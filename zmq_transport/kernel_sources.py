"""Tells whether a compiled kernel was made from the sources that stand beside it.

A checkout that moves to another commit keeps its compiled modules. One whose names are all there
may still take other arguments, so the number of its sources is compiled into it. An installed
package has no such sources: what is in it was made together. setup.py runs this file by itself.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
from pathlib import Path

_SHARED = Path(__file__).parent / "kernel"  # each kernel includes some of its files


def number_of(folder: Path) -> int | None:
    """Return the number of the sources of a kernel, 60 bits of a digest; None if none are there.

    Args:
        folder: The folder of the kernel.
    """
    if not (folder / "_compiled.pyx").is_file():
        return None
    import hashlib  # here, since only a checkout needs it

    digest = hashlib.sha256()
    for each in (_SHARED, folder):
        for path in sorted(each.glob("*.p[xy][xi]")):
            body = path.read_bytes()
            digest.update(f"{path.name} {len(body)} ".encode() + body)
    return int(digest.hexdigest()[:15], 16)


def is_stale(package: str, folder: str) -> bool:
    """Return whether a kernel has a compiled module that must not run; one line of the log says so.

    Args:
        package: The name of its package.
        folder: Its folder.
    """
    name = f"{package}._compiled"
    found = None
    try:
        found = importlib.import_module(name).SOURCES
    except (ImportError, AttributeError):  # it is older than what it needs, or than the number
        if importlib.util.find_spec(name) is None:
            return False
    if number_of(Path(folder)) in (None, found):
        return False
    _tell()
    return True


@functools.cache
def _tell() -> None:
    """Say it once for all kernels."""
    from .loggers import logger_of  # here, as the set-up of the package runs this file alone

    logger_of(__name__).warning(
        "the compiled kernel in this checkout was made from other sources, and plain Python runs "
        "in its place: install anew, as by 'pip install --editable .'"
    )
