"""`cosmo dispatch --stream` as a process: pieces as they come, whole Signals, and every end."""

import json
import signal
import sys

import pytest

from support.processes import Children, axon

EVIL = "\x1b]0;gone\x07\x9b2J\u202e"
STREAM = ("dispatch", "--stream", "--neuron")
CALLS = {
    "pieces": (*STREAM, "stream", "--input", '{"count": 3}'),
    "whole": (*STREAM, "stream", "--input", '{"count": 3}', "--json"),
    "silent": (*STREAM, "returns", "--input", '{"a": 1}'),
    "error": (*STREAM, "fails", "--input", '{"why": "bad luck"}'),
    "question": (*STREAM, "asks", "--input", '{"question": {"__clarification__": true}}'),
    "nobody": (*STREAM, "nobody", "--input", "{}"),
    "timeout": (*STREAM, "held", "--input", '{"n": 1}', "--timeout", "0.2"),
    "bad JSON": (*STREAM, "stream", "--input", "{"),
}


@pytest.fixture(scope="module")
def worker(url):
    with Children() as children:
        names = ("stream", "drips", "returns", "fails", "asks", "held")
        worker = children.worker(url, "stream", *(axon(name, name) for name in names))
        worker.env = {"COSMO_URL": url, "COSMO_NAMESPACE": "stream"}
        yield worker


@pytest.fixture(scope="module")
def ran(worker):
    """Every call of the table, all at the same time: exit code, stdout and stderr."""
    with Children() as children:
        started = {name: children.cosmo(*call, env=worker.env) for name, call in CALLS.items()}
        yield {
            name: (child.wait(), [line.text for line in child.out], [one.text for one in child.err])
            for name, child in started.items()
        }


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("pieces", 0),
        ("whole", 0),
        ("silent", 0),
        ("error", 1),
        ("question", 1),
        ("nobody", 3),
        ("timeout", 4),
        ("bad JSON", 2),
    ],
)
def test_each_end_has_the_exit_code_that_it_has_without_a_stream(name, code, ran):
    ended, _, err = ran[name]

    assert ended == code, err
    assert bool(err) == bool(code)
    assert not any("Traceback" in line for line in err)


def test_the_pieces_are_printed_one_after_the_other_and_end_with_their_line(ran):
    assert ran["pieces"][1] == ["0 1 2 "]


def test_a_neuron_that_says_nothing_meanwhile_gets_its_output_printed(ran):
    assert json.loads("\n".join(ran["silent"][1])) == {"a": 1}


def test_as_json_every_signal_is_an_object_on_a_line_and_the_outcome_is_the_last(ran):
    signals = [json.loads(line) for line in ran["whole"][1]]

    assert [each["type"] for each in signals] == ["THOUGHT_DELTA"] * 3 + ["AGENT_OUTPUT"]
    assert [each["payload"].get("delta") for each in signals[:3]] == ["0 ", "1 ", "2 "]
    assert {each["neuron"] for each in signals} == {"stream"}
    assert len({each["trace_id"] for each in signals}) == 1


def test_a_piece_is_printed_while_the_neuron_still_works_and_steers_no_terminal(worker, children):
    given = json.dumps({"n": 7, "pieces": [f"first {EVIL}\n", "last"]})
    streaming = children.cosmo(*STREAM, "drips", "--input", given, env=worker.env)

    first = streaming.line("first")
    still_works = streaming.out[1:] == []
    worker.tell("let go")

    assert still_works
    assert first.text.isprintable()
    assert streaming.wait() == 0
    assert streaming.out[1].text == "last"


def test_ctrl_c_ends_a_stream_with_130_and_cancels_the_task_at_the_neuron(url, children):
    worker = children.worker(url, "stream-c", axon("drips", "drips"))
    env = {"COSMO_URL": url, "COSMO_NAMESPACE": "stream-c"}
    given = json.dumps({"n": 8, "pieces": ["said\n", "never"]})
    streaming = children.cosmo(*STREAM, "drips", "--input", given, env=env)
    streaming.line("said")
    worker.line("dripping 8")

    streaming.send(signal.SIGINT)

    assert streaming.wait() == 130
    worker.line("cancelled 8")
    assert [line.text for line in streaming.err if line.text] == ["interrupted"]


def test_when_its_reader_goes_away_it_ends_without_a_word(worker, children):
    endless = ("dispatch --stream --neuron stream --input", "'{\"count\": 1000000000}'")
    piped = f"{sys.executable} -m cosmonapse.cli {' '.join(endless)} | head -c 3"

    shell = children.start("-c", f"import os; os.system({piped!r})", env=worker.env)

    assert shell.wait() == 0
    assert [line.text for line in shell.out] == ["0 1"]
    assert [line.text for line in shell.err] == []
