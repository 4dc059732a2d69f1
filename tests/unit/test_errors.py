"""The tree of errors, and the table of codes."""

import copy
import pickle
import re
from pathlib import Path

import pytest

from cosmonapse import CODES, NeedsAnswer, NeuronError, Signal, errors
from cosmonapse.errors import CosmonapseError, LocalError, RemoteError, facts_of

PAGE = Path(__file__).resolve().parents[2] / "docs/spec/07-signals.md"
ALL = [
    each
    for each in vars(errors).values()
    if isinstance(each, type) and issubclass(each, CosmonapseError)
]


def test_every_error_is_ours_or_theirs_and_never_both():
    for each in ALL:
        if each not in (CosmonapseError, LocalError, RemoteError):
            assert issubclass(each, LocalError) != issubclass(each, RemoteError)


def test_the_tree_at_the_top_of_the_module_is_the_tree():
    drawn = re.findall(r"^[│├└─ ]*(\w+)", errors.__doc__.split("\n\n")[1], flags=re.MULTILINE)

    assert set(drawn) == {each.__name__ for each in ALL}


def test_the_codes_are_those_of_the_specification():
    rows = re.findall(
        r"^\| `(\w+)` \| (yes|no) \| (\d+) \| (\d+) \|",
        PAGE.read_text(encoding="utf-8"),
        flags=re.MULTILINE,
    )

    assert {code: (again == "yes", int(http), int(exit_)) for code, again, http, exit_ in rows} == {
        code: (facts.recoverable, facts.http_status, facts.exit_code)
        for code, facts in CODES.items()
    }


def test_the_table_of_codes_cannot_be_changed():
    with pytest.raises(TypeError):
        CODES["MY_OWN"] = CODES["EXPIRED"]


def test_a_code_of_a_neurons_own_has_plain_facts():
    facts = facts_of("MY_OWN")

    assert (facts.recoverable, facts.http_status, facts.exit_code) == (False, 502, 1)


@pytest.mark.parametrize(
    ("code", "given", "recoverable"),
    [
        ("OVERLOADED", None, True),
        ("OVERLOADED", False, False),
        ("MY_OWN", None, False),
        ("MY_OWN", True, True),
    ],
)
def test_whether_to_try_again_comes_from_the_table_unless_it_is_said(code, given, recoverable):
    assert NeuronError(code, "no", given).recoverable is recoverable


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (None, None),
        (0, 0.0),
        (1.5, 1.5),
        (10**400, 30 * 86_400.0),
        (float("inf"), 30 * 86_400.0),
        (-1, None),
        (float("nan"), None),
        (True, None),
        ("7", None),
    ],
)
def test_the_wait_before_a_retry_is_a_number_of_seconds_or_none(given, kept):
    assert NeuronError("X", "no", retry_after_s=given).retry_after_s == kept


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (errors.InvalidName("neuron_id", "a b"), "neuron_id must be"),
        (errors.InvalidUrl("cosmo:/x", "no host"), "cosmo:/x"),
        (errors.UnencodableValue("payload.a", "it is of type set"), "payload.a cannot be sent"),
        (errors.SignalTooLarge(2_000_000, 1_000_000), "2,000,000 bytes, the limit is 1,000,000"),
        (errors.MissingExtra("httpx", "llm"), "'.[llm]'"),
        (errors.SynapseUnreachable("cosmo://h:1", "nobody", "start one"), "nobody; start one"),
        (errors.SynapseRefused("cosmo://h:1", "full"), "full"),
        (NeuronError("MY_OWN", "no"), "MY_OWN: no"),
    ],
)
def test_an_error_says_what_is_wrong(error, says):
    assert says in str(error)


@pytest.mark.parametrize(
    ("error", "base"),
    [
        (errors.InvalidName, ValueError),
        (errors.InvalidUrl, ValueError),
        (errors.UnencodableValue, TypeError),
        (errors.SignalTooLarge, ValueError),
        (errors.DendriteProtocolError, RuntimeError),
        (errors.MissingExtra, ImportError),
        (errors.SynapseUnreachable, ConnectionError),
        (errors.SynapseRefused, ConnectionError),
        (errors.BadSignal, ValueError),
    ],
)
def test_an_error_can_be_caught_as_what_python_calls_it(error, base):
    assert issubclass(error, base)


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (NeuronError("no such file"), "NEURON_ERROR", "no such file"),
        (NeuronError("no such file", code="NO_FILE"), "NO_FILE", "no such file"),
        (NeuronError("NO_FILE", "no such file"), "NO_FILE", "no such file"),
        (NeuronError("NO_FILE", message="no such file"), "NO_FILE", "no such file"),
        (NeuronError(code="NO_FILE", message="no such file"), "NO_FILE", "no such file"),
        (NeuronError(message="no such file"), "NEURON_ERROR", "no such file"),
        (NeuronError("NO_FILE", "no such file", True), "NO_FILE", "no such file"),
    ],
)
def test_one_positional_argument_of_a_neuron_error_is_its_message_and_two_begin_with_its_code(
    error, code, message
):
    assert (error.code, error.message, str(error)) == (code, message, f"{code}: {message}")


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ((), {}),
        (("a", "b", True, "c"), {}),
        (("a", "b"), {"code": "c"}),
        (("a",), {"recovrable": True}),
        ((), {"code": "c"}),
    ],
)
def test_a_neuron_error_that_is_made_wrongly_says_how_it_is_made(given, named):
    with pytest.raises(TypeError, match="a message and perhaps code="):
        NeuronError(*given, **named)


def test_a_neuron_error_survives_pickle_and_copy():
    error = NeuronError("MY_OWN", "later", recoverable=True)

    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (str(twin), twin.__dict__) == (str(error), error.__dict__)


def test_a_question_is_told_in_its_own_words():
    asked = NeedsAnswer(Signal(type="PERMISSION", payload={"action": "delete it all"}))

    assert "PERMISSION" in str(asked)
    assert "delete it all" in str(asked)
