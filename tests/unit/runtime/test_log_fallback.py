"""What a program that configures no logging sees of this package, on stderr."""

import subprocess
import sys

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
