"""What a program that configures no logging sees of this package, on stderr."""

import logging
import subprocess
import sys

import pytest

from cosmonapse.runtime.log_fallback import FallbackHandler

_FLOOD = """
import logging.config
from cosmonapse.runtime.log_fallback import give_warnings_a_time

give_warnings_a_time()
logging.config.dictConfig({"version": 1, "disable_existing_loggers": False})
for number in range(57):
    logging.getLogger("cosmonapse.flood").error("lost number %d", number)
"""


def test_the_count_of_a_flood_comes_at_the_end_of_the_program_whatever_configured_its_logging():
    ended = subprocess.run([sys.executable, "-c", _FLOOD], capture_output=True, text=True)

    lines = ended.stderr.splitlines()
    assert len(lines) == 11
    assert "lost number 10 (repeated 47 times in " in lines[-1]


@pytest.fixture
def logger():
    made = logging.Logger.manager.getLogger("cosmonapse.fallback")
    made.propagate = False
    yield made
    made.handlers.clear()
    made.propagate = True


def test_what_another_handler_has_taken_is_not_counted_here(logger, capsys):
    fallback = FallbackHandler()
    logger.handlers[:] = [fallback, logging.NullHandler()]
    for _ in range(20):
        logger.warning("taken")

    logger.handlers[:] = [fallback]
    logger.warning("left")
    fallback.close()

    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("WARNING cosmonapse.fallback: left")
