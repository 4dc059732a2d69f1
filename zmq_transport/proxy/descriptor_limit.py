"""The limit of open files: raise it at the start, and tell when it is reached."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable

from ..loggers import logger_of

_LOG = logger_of(__name__)
_DESCRIPTORS = 65_536
_OF_ONE_CLIENT = 3
_WARN_AGAIN_S = 60.0


def raise_descriptor_limit() -> None:
    """Raise the soft limit of open files towards 65,536: each client needs up to three."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(_DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < limit:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
        except (OSError, ValueError) as error:
            _LOG.warning(
                "the limit is %d open files, enough for about %d clients (%s)",
                soft,
                soft // _OF_ONE_CLIENT,
                error,
            )


class DescriptorMonitor:
    """Tells when no descriptor is left for a new connection.

    Args:
        on_none_left: Is called at each look that finds none.
    """

    def __init__(self, on_none_left: Callable[[], None]) -> None:
        self._on_none_left = on_none_left
        self._silent_until_s = 0.0
        self._any = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)

    def look(self, now_s: float) -> None:
        """Count, and warn at most once a minute, that no client more can connect."""
        try:
            os.close(os.dup(self._any))
        except OSError:
            self._on_none_left()
            if now_s >= self._silent_until_s:
                self._silent_until_s = now_s + _WARN_AGAIN_S
                most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
                _LOG.warning(
                    "all %d file descriptors are in use: no client more can connect, connected ones"
                    " go on; raise the limit of open files (ulimit -n)",
                    most,
                )

    def close(self) -> None:
        """Release the descriptor that is copied to find out."""
        os.close(self._any)
