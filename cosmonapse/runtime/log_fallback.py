"""The level of this package in a program that gives it none, and warnings with a time, on stderr.

Python prints such records as bare texts. A line of a worker that says that the Synapse is away is
of little use without the moment at which it happened.
"""

from __future__ import annotations

import atexit
import logging
import sys

from .repeat_filter import RepeatFilter

PACKAGE = "cosmonapse"
"""The logger above all loggers of this package, those of its connections included."""
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class FallbackHandler(logging.Handler):
    """Prints a record unless the program has configured logging, in which case it does nothing."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.setFormatter(logging.Formatter(_FORMAT))
        self._repeats = RepeatFilter()
        self.addFilter(self._repeats)
        # Python closes a handler at the end unless a `dictConfig` was there, such as uvicorn's.
        atexit.register(self._repeats.flush)

    def handle(self, record: logging.LogRecord) -> bool:
        """Print a record that nobody else handles; what somebody does is not counted here."""
        return not self._is_handled(record.name) and super().handle(record)

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record."""
        if sys.stderr is None:
            return
        try:
            sys.stderr.write(f"{self.format(record)}\n")
        except Exception:  # noqa: BLE001  # as in every handler: a log ends no program
            self.handleError(record)

    def close(self) -> None:
        """Tell what was counted, and end."""
        self._repeats.flush()
        super().close()

    def _is_handled(self, name: str) -> bool:
        logger: logging.Logger | None = logging.getLogger(name)
        while logger is not None:
            if any(each is not self for each in logger.handlers):
                return True
            logger = logger.parent if logger.propagate else None
        return False


def give_warnings_a_time() -> None:
    """Let warnings of this package have a time where the program has not configured logging."""
    logger = logging.getLogger(PACKAGE)
    if not any(isinstance(each, FallbackHandler) for each in logger.handlers):
        logger.addHandler(FallbackHandler())


def be_quiet() -> None:
    """Say nothing below WARNING unless the program has given this package a level of its own.

    A program that shows INFO of everything means what it says itself.
    """
    logger = logging.getLogger(PACKAGE)
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.WARNING)


be_quiet()
