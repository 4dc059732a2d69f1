"""Every Signal type is wherever a type has to be: code, specification, views and pages.

CONTRIBUTING.md, "A Signal type", lists the same places as a recipe.
"""

import json
import re
from functools import cache

from cosmonapse import SignalType
from cosmonapse.payloads import SHAPES, STREAMED
from house import source

# A number without a behaviour yet: it has no payload, no verb and nothing to say about it.
RESERVED = {"DISCOVER"}
# Made by a verb, an Axon or the fabric, so their payload has no row in `payloads.SHAPES`.
MADE_IN = {
    "TASK": "cosmonapse/tasks.py",
    "AGENT_OUTPUT": "cosmonapse/axon.py",
    "CLARIFICATION": "cosmonapse/axon.py",
    "CLARIFICATION_ANSWER": "cosmonapse/dendrite/caller/questions.py",
    "PERMISSION": "cosmonapse/axon.py",
    "PERMISSION_DECISION": "cosmonapse/dendrite/caller/questions.py",
    "REGISTER": "cosmonapse/dendrite/worker/registration.py",
    "HEARTBEAT": "cosmonapse/dendrite/worker/registration.py",
    "DEREGISTER": "cosmonapse/dendrite/worker/registration.py",
    "TASK_OFFER": "cosmonapse/dendrite/verbs/offer.py",
    "TASK_AWARDED": "cosmonapse/dendrite/caller/auction.py",
    "TASK_DECLINED": "cosmonapse/dendrite/caller/auction.py",
    "STOP": "cosmonapse/dendrite/",
    "STOPPED": "cosmonapse/dendrite/",
}
# Watched with `on_signal`: a STOP is an act of the fabric.
WITHOUT_DECORATOR = {"STOP", "STOPPED"}
# Their payload as it stands, cut and masked, says enough.
SHOWN_AS_JSON = {
    *("BID", "CONSENSUS", "CONTEXT_SYNC", "CRITIQUE", "MEMORY_APPEND"),
    *("STOP", "STOPPED", "TASK_AWARDED", "TASK_DECLINED"),
}
SHOWN_AS_JSON_IN_PRISM = SHOWN_AS_JSON | {"PLAN", "TASK_OFFER"}

SPEC, VECTORS = "docs/spec/07-signals.md", "docs/spec/vectors.json"
PAYLOADS, REFERENCE = "cosmonapse/payloads.py", "docs/reference.md"
DECORATORS = "cosmonapse/dendrite/verbs/decorators.py"
EMIT = "cosmonapse/dendrite/verbs/emit.py"
DOPPLER, PRISM = "cosmonapse/doppler/preview.py", "cosmonapse/prism/static/js/types.js"


@cache
def text_of(path):
    """Return the text of a file, or of all modules of a folder."""
    found = source.ROOT / path
    files = sorted(found.rglob("*.py")) if found.is_dir() else [found]
    return "\n".join(each.read_text(encoding="utf-8") for each in files)


def names(path, name):
    """Tell whether the code in a file names a type."""
    return re.search(rf"\bSignalType\.{name}\b", text_of(path)) is not None


def has_row(heading, row):
    """Tell whether a section of the specification has what matches in a row of its table."""
    section = text_of(SPEC).partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.search(row, section, flags=re.MULTILINE) is not None


def has_vector(name):
    return any(each["type"] == name for each in json.loads(text_of(VECTORS))["signals"])


def has_payload(name):
    in_shapes = any(each.value == name for each in SHAPES)
    return in_shapes or (name in MADE_IN and names(MADE_IN[name], name))


def places_without(name, code):
    """Return where a type is missing, as a list of what to do."""
    reserved = name in RESERVED
    emitted = any(each.value == name for each in SHAPES)
    no_decorator = reserved or name in WITHOUT_DECORATOR
    wanted = {
        f"{SPEC}, Types: a cell `| {code} | {name} |`": has_row(
            "Types", rf"\| {code} \| {name} \|"
        ),
        f"{SPEC}, Payloads: a row": reserved or has_row("Payloads", rf"^\| {name} \|"),
        f"{VECTORS}, signals: a Signal of the type": has_vector(name),
        f"{PAYLOADS}, SHAPES: a row": reserved or has_payload(name),
        f"{DECORATORS}: a named decorator": no_decorator or names(DECORATORS, name),
        f"{EMIT}: a named verb": (name in MADE_IN or reserved) or (emitted and names(EMIT, name)),
        f"{DOPPLER}, _SAYS: a line": reserved or name in SHOWN_AS_JSON or names(DOPPLER, name),
        f"{PRISM}, KINDS: a kind and so a colour": kind_in_prism(name),
        f"{PRISM}, SAYS: a line": reserved or name in SHOWN_AS_JSON_IN_PRISM or said_in_prism(name),
        f"{REFERENCE}: a word about it": reserved or is_in_reference(name),
    }
    return [what for what, is_there in wanted.items() if not is_there]


def kind_in_prism(name):
    kinds = text_of(PRISM).partition("const KINDS = ")[2].partition("\n];")[0]
    return f'"{name}"' in kinds


def said_in_prism(name):
    says = text_of(PRISM).partition("const SAYS = ")[2].partition("\n};")[0]
    return re.search(rf"^  {name}: ", says, flags=re.MULTILINE) is not None


def is_in_reference(name):
    return re.search(rf"\b{name}\b", text_of(REFERENCE)) is not None


def test_every_type_is_in_every_place():
    missing = [
        f"{each.value} is missing in {place}"
        for each in SignalType
        for place in places_without(each.value, each.code)
    ]

    assert not missing, "\n".join(["follow the recipe in CONTRIBUTING.md:", *missing])


def test_a_new_type_is_missed_in_each_place():
    places = places_without("ELSEWHERE", 255)

    assert len(places) == 10
    files = {SPEC, VECTORS, PAYLOADS, DECORATORS, EMIT, DOPPLER, PRISM, REFERENCE}
    assert {re.split("[,:]", place)[0] for place in places} == files


def test_a_code_in_another_row_is_found():
    assert places_without("PLAN", 14) == [f"{SPEC}, Types: a cell `| 14 | PLAN |`"]


def test_what_a_neuron_streams_can_be_emitted():
    assert not [each.value for each in STREAMED if not names(EMIT, each.value)]


def test_the_exceptions_are_types():
    known = {each.value for each in SignalType}

    assert RESERVED | MADE_IN.keys() | WITHOUT_DECORATOR | SHOWN_AS_JSON_IN_PRISM <= known


def test_codes_have_no_gap():
    assert [each.code for each in SignalType] == list(range(1, len(SignalType) + 1))
