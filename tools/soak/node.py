"""Which processes of a soak are written in JavaScript, and the node that runs them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from .processes import PYTHON, SoakError

_ROOT = Path(__file__).resolve().parents[2]
_PROGRAMS = _ROOT / "clients" / "javascript" / "subject"
_ODD: Mapping[str, bool] = {"caller": True, "worker": False, "extra": True}
"""Of each kind of process: whether those with an odd number are the ones, or those with an even."""
CARRIERS = ("zmtp", "libzmq")


def node() -> str:
    """Return the node that `make` found or installed, else the one on the PATH.

    Raises:
        SoakError: There is none.
    """
    folder = _ROOT / os.environ.get("COSMO_TEST_NODE", _ROOT / ".venv-dev" / "node")
    found = shutil.which("node", path=str(folder)) or shutil.which("node")
    if found is None:
        raise SoakError("no node: `make check-js` installs one")
    return found


def program_of(name: str, module: str, carrier: str) -> Sequence[str]:
    """Return the program of a process, with its first arguments.

    Args:
        name: The name of the process: its kind and its number.
        module: Its module of this package.
        carrier: That of the processes written in JavaScript; empty if there are none.
    """
    kind, _, number = name.partition("-")
    if not carrier or kind not in _ODD or (int(number) % 2 == 1) != _ODD[kind]:
        return (*PYTHON, f"tools.soak.{module}")
    return node(), str(_PROGRAMS / f"soak-{module}.js"), carrier
