"""An uncaught error that is a mistake of the user's set-up: one line instead of a traceback.

A program without a Synapse would end in a dozen frames of asyncio and of this package, with the
reason below them. The line names the place in the user's program. `COSMO_TRACEBACK=1` brings the
traceback back.
"""

from __future__ import annotations

import os
import sys
import sysconfig
import traceback
from pathlib import Path
from types import TracebackType

from ..errors import (
    InsecureBind,
    InvalidCarrier,
    InvalidContext,
    InvalidKey,
    InvalidName,
    InvalidUrl,
    MemoryFileError,
    MissingExtra,
    PortInUse,
    RegistryStoreError,
    SeveralSynapses,
    SynapseRefused,
    SynapseUnreachable,
)
from .environment import TRACEBACK_VARIABLE, value_of
from .printable import printable

MISTAKES = (
    InsecureBind,
    InvalidCarrier,
    InvalidContext,
    InvalidKey,
    InvalidName,
    InvalidUrl,
    MemoryFileError,
    MissingExtra,
    PortInUse,
    RegistryStoreError,
    SeveralSynapses,
    SynapseRefused,
    SynapseUnreachable,
)
_PACKAGES = Path(__file__).parents[2]
_NOT_THE_USERS = (
    f"{_PACKAGES / 'cosmonapse'}{os.sep}",
    f"{_PACKAGES / 'zmq_transport'}{os.sep}",
    f"{sysconfig.get_path('stdlib')}{os.sep}",
)


def shorten_mistakes() -> None:
    """Print such an error as one line if it ends the program.

    A hook that somebody else has set stays in force, here and later.
    """
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _report


def _report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if not isinstance(error, MISTAKES) or value_of(TRACEBACK_VARIABLE) or sys.stderr is None:
        sys.__excepthook__(kind, error, trace)
        return
    sys.stderr.write(f"{_place(trace)}{kind.__name__}: {printable(str(error))}\n")


def _place(trace: TracebackType | None) -> str:
    """Return the file and line of the user's program where the error came out of this package."""
    frames = traceback.extract_tb(trace)
    users = [each for each in frames if not each.filename.startswith(_NOT_THE_USERS)]
    return f"{printable(users[-1].filename)}:{users[-1].lineno}: " if users else ""
