"""`cosmo dispatch` and `cosmo registry` as processes: what they print, and their exit codes."""

import json
import signal

import pytest

from support.processes import Children, axon

EVIL = "\x1b]0;gone\x07\x9b2J\u202e\nnext"
_DISPATCH = ("dispatch", "--neuron", "worker", "--input")
DISPATCHES = {
    "output": (*_DISPATCH, '{"a": [1, null, "é"]}'),
    "text": ("dispatch", "worker", "Why?"),
    "whole": (*_DISPATCH, "{}", "--json"),
    "by capability": ("dispatch", "--capabilities", "chat,fr", "--input", "7"),
    "evil output": (*_DISPATCH, json.dumps({"evil": EVIL, EVIL: 1})),
    "evil error": (*_DISPATCH, json.dumps({"__error__": True, "code": EVIL, "message": EVIL})),
    "evil question": (*_DISPATCH, json.dumps({"__clarification__": True, "question": EVIL})),
    "error as JSON": (*_DISPATCH, '{"__error__": true, "code": "OWN"}', "--json"),
    "nobody": ("dispatch", "--neuron", "nobody", "--input", "{}"),
    "other namespace": (*_DISPATCH, "{}", "-n", "other"),
    "timeout": ("dispatch", "--neuron", "held", "--input", '{"n": 1}', "--timeout", "0.2"),
    "bad JSON": (*_DISPATCH, "{"),
}
REGISTRIES = {
    "table": ("registry",),
    "lines": ("registry", "--json"),
    "empty": ("registry", "-n", "empty"),
    "all": ("registry", "--all"),
    "all lines": ("registry", "--all", "--json"),
    "bad URL": ("registry", "--url", "cosmo://me:s3cret@host:99999"),
}


class Ran:
    """What a call of `cosmo` printed, and its exit code."""

    def __init__(self, child):
        self.code = child.wait()
        self.out = [line.text for line in child.out]
        self.err = [line.text for line in child.err]


@pytest.fixture(scope="module")
def fabric(url):
    """The environment in which a worker can be reached."""
    with Children() as children:
        chatty = axon("returns", capabilities=["fr", "chat"])
        worker = children.worker(url, "verbs", chatty, axon("held", "held"), id="host")
        worker.env = {"COSMO_URL": url, "COSMO_NAMESPACE": "verbs"}
        yield worker


@pytest.fixture(scope="module")
def ran(fabric):
    """Every call of the two tables, all at the same time."""
    with Children() as children:
        started = {
            name: children.cosmo(*arguments, env=fabric.env)
            for name, arguments in {**DISPATCHES, **REGISTRIES}.items()
        }
        yield {name: Ran(child) for name, child in started.items()}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("output", 0),
        ("text", 0),
        ("whole", 0),
        ("by capability", 0),
        ("evil output", 0),
        ("evil error", 1),
        ("evil question", 1),
        ("error as JSON", 1),
        ("bad JSON", 2),
        ("bad URL", 2),
        ("nobody", 3),
        ("other namespace", 3),
        ("timeout", 4),
        ("table", 0),
        ("lines", 0),
        ("empty", 0),
        ("all", 0),
        ("all lines", 0),
    ],
)
def test_each_end_has_its_exit_code_and_is_no_traceback(name, code, ran):
    assert ran[name].code == code, ran[name].err
    assert not any("Traceback" in line for line in ran[name].err)
    assert bool(ran[name].err) == bool(code)


def test_the_output_is_printed_as_json(ran):
    assert json.loads("\n".join(ran["output"].out)) == {"a": [1, None, "é"]}
    assert json.loads("\n".join(ran["text"].out)) == {"prompt": "Why?"}
    assert json.loads("\n".join(ran["by capability"].out)) == {"value": 7}


def test_the_whole_signal_is_printed_on_one_line(ran):
    (line,) = ran["whole"].out
    signal_ = json.loads(line)

    assert signal_["type"] == "AGENT_OUTPUT"
    assert signal_["payload"] == {"output": {}}
    assert signal_["directed"]["id"] == "worker"
    assert signal_["meta"].keys() == {"dendrite", "queued_ms", "ran_ms"}
    assert signal_["meta"]["dendrite"] == "host"


def test_an_error_as_json_is_printed_and_told(ran):
    (line,) = ran["error as JSON"].out

    assert json.loads(line)["payload"]["code"] == "OWN"
    assert ran["error as JSON"].err == ["cosmo: OWN: "]


def test_a_timeout_is_told_with_neuron_and_time(ran):
    (line,) = ran["timeout"].err

    assert line.startswith("cosmo: no reply from neuron 'held' on trace trc_")
    assert line.endswith("within 0.2 s")


def test_what_is_mistyped_is_told_in_words(ran):
    assert "invalid JSON" in ran["bad JSON"].err[-1]
    assert "99999" in ran["bad URL"].err[-1]
    assert "s3cret" not in ran["bad URL"].err[-1]


def test_an_output_steers_no_terminal(ran):
    printed = ran["evil output"].out

    assert all(line.isascii() and line.isprintable() for line in printed)
    assert json.loads("\n".join(printed)) == {"evil": EVIL, EVIL: 1}


@pytest.mark.parametrize("name", ["evil error", "evil question"])
def test_an_error_or_question_of_a_neuron_steers_no_terminal_and_is_one_line(name, ran):
    (line,) = ran[name].err

    assert line.isprintable()


def test_the_table_has_titles_and_a_row_for_each_axon_in_columns(ran):
    titles, *rows = ran["table"].out

    assert titles.split()[:3] == ["NEURON", "STATE", "OPEN"]
    assert sorted(row.split()[0] for row in rows) == ["held", "worker"]
    assert {row[titles.index("STATE") :].split()[0] for row in rows} == {"alive"}
    assert {row[titles.index("DENDRITE") :].split()[0] for row in rows} == {"host"}
    assert any(row[titles.index("CAPABILITIES") :] == "chat, fr" for row in rows)


def test_as_json_each_axon_is_an_object_on_a_line(ran):
    records = [json.loads(line) for line in ran["lines"].out]

    assert sorted(each["neuron_id"] for each in records) == ["held", "worker"]
    assert all(each["role"] == "worker" and each["state"] == "alive" for each in records)


def test_all_dendrites_follow_the_axons_with_what_they_do(ran):
    titles = next(line for line in ran["all"].out if line.startswith("DENDRITE"))
    rows = ran["all"].out[ran["all"].out.index(titles) + 1 :]
    objects = [json.loads(line) for line in ran["all lines"].out]
    host = next(each for each in objects if each.get("does") == "worker")

    assert ran["all"].out[0].startswith("NEURON")
    assert any(row.split()[:4] == ["host", "alive", "worker", "2"] for row in rows)
    assert (host["dendrite_id"], host["axons"], host["open"]) == ("host", 2, 0)
    assert {each["dendrite_id"] for each in objects if "does" in each} >= {"host", "cosmo"}


def test_an_empty_namespace_says_what_to_do(ran):
    (line,) = ran["empty"].out

    assert line.startswith("no Axon is in namespace empty: start a worker")


def test_watching_and_waiting_end_at_ctrl_c_with_130_and_cancel_the_task(fabric, children):
    subscriptions = children.cosmo("registry", "--watch", "--json", env=fabric.env)
    waiting = children.cosmo("dispatch", "--neuron", "held", "--input", '{"n": 2}', env=fabric.env)
    subscriptions.lines("{", 4)  # two Axons, twice
    fabric.line("holding 2")

    for each in (subscriptions, waiting):
        each.send(signal.SIGINT)
        assert each.wait() == 130
        assert [line.text for line in each.err if line.text] == ["interrupted"]
    fabric.line("cancelled 2")
