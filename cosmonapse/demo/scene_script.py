"""The script of the scene: who is there, who asks whom, what goes wrong and when. Pure."""

from __future__ import annotations

import attrs

NAMESPACE = "scene"
CALLERS = ("web", "jobs", "nightly")
OUTAGE_S = 8.0
"""For so long a killed Synapse stays away."""
QUIET_IN_A_PROCESS = 60
"""So many quiet Neurons share a worker."""
WORKERS = {
    "replica-1": ("assistant", "librarian", "search"),
    "replica-2": ("assistant", "librarian", "search"),
    "replica-3": ("assistant", "search"),
    "models": ("writer", "translate", "echo"),
    "office": ("payments", "invoices", "report", "archive"),
    "batch": ("digest",),
    "thumbs": ("thumbnails",),
    "imports": ("importer",),
}
"""The workers with their Neurons, by dendrite_id."""
MISSING = "ocr"
"""The Neuron that nobody serves; `report` asks `archive`, which asks it."""


@attrs.frozen
class Asked:
    """What a caller asks, again and again.

    Args:
        caller: Who asks.
        neuron: Who is asked.
        prompt: The question.
        first_s: Seconds after the start of the caller.
        every_s: Seconds to the next time; None: it asks once.
        timeout_s: How long it waits.
        attempts: How often it tries, each time.
    """

    caller: str
    neuron: str
    prompt: str
    first_s: float
    every_s: float | None = None
    timeout_s: float = 30.0
    attempts: int = 1


@attrs.frozen
class Mishap:
    """Something that goes wrong.

    Args:
        at_s: Seconds after the callers have begun.
        verb: `kill` ends the process of a worker at once; `flap` does so again and again, and
            starts it anew; `outage` kills the Synapse and starts it again 8 s later.
        who: The worker.
        says: What it is, for people.
        every_s: Seconds to the next time; None: once.
    """

    at_s: float
    verb: str
    who: str
    says: str
    every_s: float | None = None


ASKED = (
    Asked("web", "assistant", "What is a Dendrite?", 0.0, 2.5),
    Asked("web", "writer", "Write a short note about what a Synapse does", 0.5, 4.0),
    Asked("web", "echo", "Are you there?", 0.2, 0.5),
    Asked("web", "translate", "Translate the terms of use", 2.0),
    Asked("jobs", "search", "How do replicas share the work?", 0.1, 0.4),
    Asked("jobs", "payments", "Pay the invoice of October", 1.0, 3.0, attempts=3),
    Asked("jobs", "digest", "Sum up the day", 0.5, 1.5, timeout_s=600.0),
    Asked("jobs", "thumbnails", "Make a small picture of page 4", 0.3, 0.7),
    Asked("nightly", "report", "Make the monthly report", 1.2, 2.0),
    Asked("nightly", "invoices", "Check row 7", 1.5, 4.0),
    Asked("nightly", "importer", "Read the old customers in", 3.0, timeout_s=900.0),
)
STEPS = (
    Mishap(6.0, "flap", "thumbs", "the worker 'thumbs' is killed and comes back", every_s=9.0),
    Mishap(12.0, "kill", "replica-3", "one of three replicas is killed with kill -9"),
    Mishap(45.0, "outage", "Synapse", "the Synapse is killed", every_s=120.0),
)


def asked_by(caller: str) -> tuple[Asked, ...]:
    """Return what one caller asks."""
    return tuple(each for each in ASKED if each.caller == caller)


def quiet_workers(count: int) -> dict[str, tuple[str, ...]]:
    """Return the workers of so many Neurons that are only there, up to 60 in each."""
    names = [f"quiet-{number:03}" for number in range(1, count + 1)]
    starts = range(0, count, QUIET_IN_A_PROCESS)
    return {
        f"quiet-{number}": tuple(names[start : start + QUIET_IN_A_PROCESS])
        for number, start in enumerate(starts, 1)
    }


def times(step: Mishap, until_s: float) -> list[float]:
    """Return when a step happens, in seconds after the start."""
    if step.every_s is None:
        return [step.at_s] if step.at_s <= until_s else []
    count = int((until_s - step.at_s) // step.every_s) + 1
    return [step.at_s + turn * step.every_s for turn in range(max(0, count))]


def timeline(minutes: float, *, steady: bool = False) -> list[tuple[float, Mishap]]:
    """Return all that happens within so many minutes, in order; `steady` spares the Synapse."""
    steps = [step for step in STEPS if not (steady and step.verb == "outage")]
    moments = [(at_s, step) for step in steps for at_s in times(step, minutes * 60)]
    return sorted(moments, key=lambda moment: moment[0])
