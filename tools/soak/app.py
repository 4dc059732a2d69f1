"""The program that `cosmo worker` runs in a soak, and reloads: a Neuron that no other one serves.

The harness writes it into a folder of its own, with another number each time.
"""

from __future__ import annotations

import atexit
import os
from pathlib import Path
from typing import Any

from cosmonapse import Axon

from .log import Log
from .observed import Observed
from .sampling import counting_tasks
from .worker import Work

NAME = "reloaded"
"""The Neuron, and the name in the logs of the process that serves it."""
MODULE = "soak_app"
TARGET = f"{MODULE}:served"
LOG_FILE = "SOAK_LOG"
_TEXT = '''"""Version {number}."""

from tools.soak.app import hosted

served = hosted()
'''


def write(folder: Path, number: int) -> None:
    """Write a version of the program: at once, so that nobody reads half of it."""
    folder.mkdir(exist_ok=True)
    half = folder / f"{MODULE}.half"
    half.write_text(_TEXT.format(number=number))
    half.replace(folder / f"{MODULE}.py")


def hosted() -> list[Axon]:
    """Return the Axon of this process."""
    log = Log(Path(os.environ[LOG_FILE]), NAME)
    observed = Observed(log)
    atexit.register(observed.tell)
    work = Work(log)
    count_tasks = counting_tasks(log)

    async def serve(asked: dict[str, Any], context: Any) -> dict[str, Any]:
        count_tasks()
        return await work.work(asked, context)

    return [Axon(neuron_id=NAME, neuron_fn=serve)]
