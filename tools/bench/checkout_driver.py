"""Run the fabric of the checkout on PYTHONPATH, and obey orders: lines of JSON on stdin.

Started by `systems.beside`: `checkout_driver.py running|fanning COUNT`. It says how many processes
can be asked; then come `["begin", number, verb, ...]` and `["end", number, timeout_s]`.
"""

from __future__ import annotations

import importlib
import json
import sys

import attrs


def main(running: str, count: int) -> None:
    """Start it and obey until stdin ends."""
    ours = importlib.import_module("tools.bench.systems.ours")
    with getattr(ours, running)(count) as asked:
        print(json.dumps(len(asked)), flush=True)
        for line in sys.stdin:
            order, number, *words = json.loads(line)
            if order == "begin":
                # An older checkout publishes in bursts of 50 and has no argument for it.
                verb, *arguments = words
                asked[number].begin(verb, *(arguments[:1] if verb == "publish" else arguments))
            else:
                print(json.dumps(attrs.asdict(asked[number].end(*words))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
