"""Whatever happens, a client gets a status and JSON; whatever is said, an event is one event."""

import json

from hypothesis import given
from hypothesis import strategies as st

from cosmonapse import errors
from cosmonapse.edge.outcomes import answer_of
from cosmonapse.edge.sse import event_of
from cosmonapse.neurons.sse import EventParser
from cosmonapse.signals import Signal, SignalType

TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | TEXTS | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
CLASSES = [
    each
    for each in vars(errors).values()
    if isinstance(each, type) and issubclass(each, BaseException)
]


def bare(kind):
    """Return an error of a class without caring what its constructor wants."""
    made = kind.__new__(kind)
    BaseException.__init__(made, "why")
    for name in ("code", "message"):
        setattr(made, name, "NO_GOOD")
    made.recoverable = False
    made.signal = Signal(type=SignalType.CLARIFICATION, payload={"question": "?"})
    return made


@given(kind=st.sampled_from([*CLASSES, TimeoutError, OSError, ValueError, KeyboardInterrupt]))
def test_every_class_of_error_has_a_status_and_a_json_body(kind):
    answer = answer_of(bare(kind))

    assert 400 <= answer.status < 600
    body = json.loads(answer.content)
    assert body["error"]
    assert body["code"]
    assert body["retry"] in (True, False)


@given(code=st.sampled_from(list(errors.CODES)) | TEXTS, message=TEXTS, recoverable=st.booleans())
def test_every_code_of_error_has_a_status_and_a_json_body(code, message, recoverable):
    payload = {"code": code, "message": message, "recoverable": recoverable}

    answer = answer_of(Signal(type=SignalType.ERROR, payload=payload))

    assert 400 <= answer.status < 600
    assert json.loads(answer.content)["retry"] is recoverable


@given(output=st.dictionaries(TEXTS, VALUES, max_size=4))
def test_every_output_is_json_and_one_event_that_holds_the_same(output):
    signal = Signal(type=SignalType.AGENT_OUTPUT, payload={"output": output})

    content = answer_of(signal).content

    ((data, _),) = EventParser(1 << 20).feed(event_of(signal))
    assert json.loads(content) == json.loads(data)
    assert set(json.loads(data)) == set(output)


@given(delta=TEXTS)
def test_every_text_arrives_as_it_was_said(delta):
    signal = Signal(type=SignalType.THOUGHT_DELTA, payload={"delta": delta, "seq": 0})

    ((data, _),) = EventParser(1 << 20).feed(event_of(signal))

    assert json.loads(data) == {"delta": delta, "seq": 0}
