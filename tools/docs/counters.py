"""The page of counters, made from the two tables in the code.

python -m tools.docs.counters           exit 1 if docs/counters.md is not as the tables say
python -m tools.docs.counters --write   rewrite it
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from cosmonapse import counters as of_dendrite
from zmq_transport import counters as of_transport

PAGE = Path(__file__).resolve().parents[2] / "docs" / "counters.md"
COMMAND = "python -m tools.docs.counters --write"

# The first word of a counter -> the meaning that all counters with it share.
KINDS: Mapping[str, str] = {
    "bounce": "The Synapse returned a message to its sender. The word after the dot is the reason.",
    "bounced": "A TASK of this caller came back. The word after the dot is the reason.",
    "connection": "Connections of the Synapse, from the first packet to the end.",
    "cut": "The Synapse ended a connection. The word after the dot is the reason.",
    "drop": "A message was not passed on. The rest of the name is the reason.",
    "failover": "Which of several Synapses leads has changed.",
    "full": "A message found no room for its bytes. It is refused as busy.",
    "gap": "Messages are missing in a sequence of numbers.",
    "ignored": "The Synapse ignored a subscription.",
    "later": "A message waits until its receiver has room. It is not lost.",
    "lost": "A task ended without a reply because of a failure.",
    "refused": "A request was refused, and its sender knows the reason.",
    "resync": "Tasks that were compared after a reconnect or a restart of the Synapse.",
    "unexpected": "An event that the state of the connection does not expect.",
}
OTHERS = "others"

HEAD = f"""# Counters

<!-- made by `{COMMAND}` -->

Each part of a fabric counts its events by name. A count starts at zero and never goes down. A
name that is absent has the count zero. Look at the growth of a count, not at its value.

| place | command or attribute |
|---|---|
| the Synapse | `cosmo check -v`, `cosmo check --json`, `(await dendrite.synapse_state()).counts` |
| a Synapse in this process | `SynapseServer.counts`, `MemorySynapse.counts` |
| a Dendrite | `Dendrite.counts`: its own counters and those of its connection |
| an observer | the messages of `cosmo doppler` about missed Signals, and the view Fabric of Prism |

[Troubleshooting](troubleshooting.md#by-counter) names causes and remedies.
"""

PARTS: tuple[tuple[str, str, Mapping[str, str]], ...] = (
    (
        "A Dendrite",
        "`Dendrite.counts` holds them.",
        of_dendrite.COUNTERS,
    ),
    (
        "The transport",
        "The Synapse counts most of them. A Dendrite counts those about its own connection.",
        of_transport.COUNTERS,
    ),
)


def page() -> str:
    """Return the whole page."""
    parts = ["\n".join(part(*each)) for each in PARTS]
    return "\n".join([HEAD, *parts])


def part(title: str, lead: str, table: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines about one table of counters, one heading for each kind."""
    yield from (f"## {title}", "", lead, "")
    for kind, rows in sorted(by_kind(table).items(), key=lambda item: (item[0] == OTHERS, item[0])):
        yield f"### {title}: {f'`{kind}.`' if kind in KINDS else kind}"
        yield ""
        if kind in KINDS:
            yield from (KINDS[kind], "")
        yield from ("| counter | meaning |", "|---|---|")
        yield from (f"| `{name}` | {meaning} |" for name, meaning in sorted(rows.items()))
        yield ""


def by_kind(table: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return a table of counters as one table for each kind.

    Raises:
        KeyError: The first word of a dotted name has no description in `KINDS`.
    """
    kinds: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for name, meaning in table.items():
        kind, dot, _ = name.partition(".")
        if dot and kind not in KINDS:
            raise KeyError(f"describe {kind!r}, the first word of {name}, in KINDS")
        kinds[kind if dot else OTHERS][name] = meaning
    return dict(kinds)


def main() -> int:
    """Compare or write the page; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.docs.counters")
    parser.add_argument("--write", action="store_true", help="rewrite the page")
    text = page().rstrip() + "\n"
    if parser.parse_args().write:
        PAGE.write_text(text)
        return 0
    if not PAGE.is_file() or PAGE.read_text() != text:
        print(f"{PAGE.name} differs from the tables: {COMMAND}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
