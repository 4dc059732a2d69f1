"""`python -m cosmonapse.worker_runner.load_check TARGET...`: can a worker run these from here?

A process of its own, as a program may do anything while it is imported. It says why not in one
line of JSON, and who asks compares nothing else of its output.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence

from .load_failure import failure_of
from .targets import axons_of

MARK = "cosmonapse.load_check "


def main(targets: Sequence[str]) -> int:
    """Load the targets; print why they cannot be, or the ids of their Axons."""
    try:
        told: dict[str, object] = {"ids": [each.neuron_id for each in axons_of(targets)]}
    except BaseException as error:  # noqa: BLE001  # the last door: told in one line
        told = {"reason": failure_of(error, (os.getcwd(),)).reason}
    sys.stdout.write(f"\n{MARK}{json.dumps(told)}\n")
    sys.stdout.flush()
    os._exit(0)  # a thread of the program may not end


if __name__ == "__main__":
    main(sys.argv[1:])
