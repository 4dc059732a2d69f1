"""What the caller of a memory reads when its file cannot be used, and what the log says."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from ..errors import MemoryFileError, NeuronError

_LOG = logging.getLogger(__name__)
MEMORY_FAILED = "MEMORY_FAILED"
"""The code of the ERROR."""


@contextlib.contextmanager
def told_to_callers() -> Iterator[None]:
    """Raise an error of the file for the caller, without its path; log one line with the path."""
    try:
        yield
    except MemoryFileError as error:
        _LOG.error("%s", error)  # it says what to do, and where
        text = f"the memory cannot be used: {error.reason}; {error.hint}"
        raise NeuronError(MEMORY_FAILED, text, recoverable=error.may_pass) from None
