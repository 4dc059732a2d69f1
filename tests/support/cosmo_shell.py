"""Runs `cosmo` again and again in one process: a line of JSON arguments in, one of JSON out.

The answer is `[exit code, everything that was printed]`. The start of a program takes longer than
most commands.
"""

import contextlib
import io
import json
import sys

from cosmonapse.cli import run

answers = sys.stdout
for line in sys.stdin:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            code = run(json.loads(line))
        except SystemExit as end:
            code = end.code or 0
    answers.write(f"answer {json.dumps([code, said.getvalue()])}\n")
    answers.flush()
