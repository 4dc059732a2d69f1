"""`cosmo answer` as a process: by hand, from a script, and by a tool that speaks JSON."""

import itertools
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from cosmonapse import BlockingDendrite, new_trace_id
from support.processes import TIMEOUT_S, Children, axon

EVIL = "\x1b]0;gone\x07\x9b2J\u202e\nanswer> "
QUESTIONS = {
    "clarification": {"__clarification__": True, "question": "which colour?"},
    "permission": {"__permission__": True, "action": "delete", "reason": "old"},
    "escalation": {"__escalation__": True, "reason": "too hard"},
    "evil": {"__clarification__": True, "question": EVIL},
}


class Office:
    """A namespace with a worker that asks, where `cosmo answer` and callers come and go."""

    numbers = itertools.count(1)

    def __init__(self, worker, dendrite, callers, children):
        self.worker = worker
        self._dendrite = dendrite
        self._callers = callers
        self._children = children

    def answer(self, *arguments):
        """Start `cosmo answer`; return it once it listens."""
        child = self._children.cosmo("answer", *arguments, env=self.worker.env, merge_stderr=True)
        child.line("waiting for questions")
        return child

    def ask(self, kind, timeout_s=TIMEOUT_S):
        """Dispatch a task that leads to this question; return its output, to come."""
        given = {"n": next(self.numbers), "question": QUESTIONS[kind]}
        task = {"neuron": "asks", "input": given, "timeout_s": timeout_s, "answer_elsewhere": True}
        caller = self._callers.submit(lambda: self._dendrite.ask(**task))
        caller.number = given["n"]
        return caller

    def dispatch(self, kind):
        """Start a `cosmo dispatch` that does so."""
        given = {"n": next(self.numbers), "question": QUESTIONS[kind]}
        task = ("dispatch", "--neuron", "asks", "--input", json.dumps(given), "--answer-elsewhere")
        caller = self._children.cosmo(*task, env=self.worker.env)
        caller.number = given["n"]
        return caller


@pytest.fixture(scope="module")
def worker(url):
    with Children() as children:
        worker = children.worker(url, "office", axon("asks", "asks"))
        worker.env = {"COSMO_URL": url, "COSMO_NAMESPACE": "office"}
        yield worker


@pytest.fixture(scope="module")
def dendrite(url):
    with BlockingDendrite(url, namespace="office") as dendrite:
        yield dendrite


@pytest.fixture
def office(worker, dendrite, children):
    with ThreadPoolExecutor() as callers:
        yield Office(worker, dendrite, callers, children)


def output_of(caller):
    """Return the output that a caller gets."""
    return caller.result(TIMEOUT_S)


def in_json(text):
    """Return what a line holds whose first brace was taken off."""
    return json.loads("{" + text)


def test_questions_are_answered_by_hand_one_after_the_other_and_callers_get_outputs(office):
    person = office.answer()
    one = office.dispatch("clarification")
    person.line("CLARIFICATION from asks, trace trc_")
    other = office.ask("permission")

    person.tell("blue")
    person.line("PERMISSION from asks, trace trc_")
    person.tell("perhaps")
    person.tell("n too risky")

    assert one.wait() == 0
    clarification = json.loads("\n".join(line.text for line in one.out))["clarification"]
    assert clarification == {"question": "which colour?", "answer": "blue"}
    decision = {"action": "delete", "granted": False, "reason": "too risky"}
    assert output_of(other)["permission"] == decision
    assert len(person.lines("asks continues with evt_", 2)) == 2
    assert person.line("say y or n")


def test_a_neuron_that_escalates_goes_on_with_what_is_typed(office):
    person = office.answer("--once")
    caller = office.ask("escalation")
    person.line("  reason: too hard")

    person.tell('{"override": "best effort", "n": 1}')

    assert output_of(caller) == {"override": "best effort", "n": 1}
    assert person.wait() == 0


def test_the_questions_of_one_trace_are_chosen_by_what_is_shown_of_its_id(office, dendrite):
    trace = new_trace_id()
    person = office.answer("--trace", trace[:8], "--answer", "blue", "--once")
    office.ask("clarification", timeout_s=0.5)  # of another trace: left to others
    given = {"n": next(office.numbers), "question": QUESTIONS["clarification"]}

    output = dendrite.ask(
        neuron="asks", input=given, trace_id=trace, answer_elsewhere=True, timeout_s=TIMEOUT_S
    )

    assert output["clarification"]["answer"] == "blue"
    assert person.wait() == 0


def test_a_question_steers_no_terminal_and_is_one_line(office):
    person = office.answer("--once")
    office.ask("evil", timeout_s=0.3)

    question = person.line("  question: ").text

    assert question.isprintable()
    assert question.endswith(r"\nanswer>")


def test_an_empty_line_skips_a_question_and_the_end_of_input_ends_it_with_0(office):
    person = office.answer()
    caller = office.ask("clarification", timeout_s=0.5)
    person.line("CLARIFICATION")

    person.tell("")
    person.line("skipped")
    person.hang_up()

    assert person.wait() == 0
    with pytest.raises(TimeoutError, match="nobody answered the CLARIFICATION"):
        output_of(caller)


def test_ctrl_c_ends_it_with_130_also_while_a_question_is_shown(office):
    person, other = office.answer(), office.answer("--json")
    office.ask("permission", timeout_s=0.3)
    person.line("PERMISSION")
    other.line("{")

    for each in (person, other):
        each.send(signal.SIGINT)
        assert each.wait() == 130
        assert each.out[-1].text.endswith("interrupted")


def test_a_script_answers_every_question_of_its_kind_and_leaves_the_others_alone(office):
    script = office.answer("--answer", "red", "--grant")
    callers = [office.ask("clarification"), office.ask("permission")]
    left = office.ask("escalation", timeout_s=0.5)

    outputs = [output_of(each) for each in callers]

    assert outputs[0]["clarification"]["answer"] == "red"
    assert outputs[1]["permission"] == {"action": "delete", "granted": True}
    assert script.line("skipped")
    assert isinstance(left.exception(TIMEOUT_S), TimeoutError)


def test_once_and_for_one_neuron_only(office):
    elsewhere = office.answer("--deny", "--neuron", "other", "--timeout", "0.5")
    script = office.answer("--deny", "--neuron", "asks", "--once")

    caller = office.ask("permission")

    assert output_of(caller)["permission"]["granted"] is False
    assert script.wait() == 0
    assert elsewhere.wait() == 4
    assert elsewhere.out[-1].text == "cosmo: no question within 0.5 s"


def test_a_tool_gets_questions_as_lines_of_json_and_answers_them_in_any_order(office):
    tool = office.answer("--json")
    one, other = office.ask("clarification"), office.ask("permission")
    asked = {each["type"]: each for each in map(in_json, tool.lines("{", 2))}

    tool.tell(json.dumps({"id": asked["PERMISSION"]["id"], "granted": True, "ttl_ms": 10}))
    tool.tell(json.dumps({"id": asked["CLARIFICATION"]["id"], "answer": {"hue": 240}}))

    assert output_of(other)["permission"]["ttl_ms"] == 10
    assert output_of(one)["clarification"]["answer"] == {"hue": 240}
    became = [in_json(each) for each in tool.lines("{", 4)[2:]]
    assert [each["id"] for each in became] == [
        asked["PERMISSION"]["id"],
        asked["CLARIFICATION"]["id"],
    ]
    assert all(each["task"].startswith("evt_") and not each["caller_gone"] for each in became)
    assert {each["neuron"] for each in asked.values()} == {"asks"}


def test_a_tool_is_told_what_is_wrong_with_its_lines_and_goes_on(office):
    tool = office.answer("--json")
    caller = office.ask("permission")
    id_ = in_json(tool.lines("{", 1)[0])["id"]
    wrong = ["no JSON", "[]", {"id": "evt_1", "granted": True}, {"id": id_}]
    wrong += [{"id": id_, "granted": "yes"}, {"id": id_, "granted": True, "nonsense": 1}]

    for each in wrong:
        tool.tell(each if isinstance(each, str) else json.dumps(each))
    told = [in_json(each)["error"] for each in tool.lines("{", 7)[1:7]]
    tool.tell(json.dumps({"id": id_, "granted": True}))

    assert output_of(caller)["permission"]["granted"] is True
    assert "invalid JSON" in told[0]
    assert "expected an object" in told[1]
    assert "no open question has this id" in told[2]
    assert told[3:] == [
        "a PERMISSION needs 'granted'",
        "granted must be true or false, not 'yes'",
        "a PERMISSION accepts granted, reason, ttl_ms, not nonsense",
    ]
    tool.hang_up()
    assert tool.wait() == 0


def test_of_two_who_are_asked_the_first_answers_and_the_other_is_told(office):
    people = [office.answer(), office.answer()]
    caller = office.ask("clarification")
    for each in people:
        each.line("CLARIFICATION")

    people[0].tell("blue")

    assert output_of(caller)["clarification"]["answer"] == "blue"
    assert people[0].line("asks continues with evt_")
    assert people[1].line("another peer has answered it")
    assert office.worker.lines(f"answered {caller.number}", 1) == [""]


def test_an_answer_after_its_caller_was_killed_still_runs_and_says_that_nobody_waits(office):
    person = office.answer("--once")
    caller = office.dispatch("clarification")
    person.line("CLARIFICATION")
    caller.kill()

    person.tell("blue")

    assert person.wait() == 0
    assert person.out[-1].text.endswith("its caller is gone and does not wait")
    assert office.worker.line(f"answered {caller.number}")


def test_what_a_pipe_holds_waits_for_its_question(office):
    piped = office.answer("--once")
    piped.tell("green")
    piped.hang_up()

    caller = office.ask("clarification")

    assert output_of(caller)["clarification"]["answer"] == "green"
    assert piped.wait() == 0


class Terminal:
    """`cosmo answer` on a terminal of its own."""

    def __init__(self, env):
        self._said = ""
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "cosmonapse.cli", "answer"],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, **env},
        )
        os.close(slave)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self._process.kill()
        self._process.wait()
        os.close(self._master)

    def until(self, text):
        """Wait until the terminal shows a text."""
        end_s = time.monotonic() + TIMEOUT_S
        while text not in self._said:
            left_s = end_s - time.monotonic()
            assert select.select([self._master], [], [], max(0.0, left_s))[0], self._said
            self._said += os.read(self._master, 4096).decode()

    def type(self, text):
        """Type a text."""
        os.write(self._master, text.encode())

    def wait(self):
        """Wait until the command ends; return its exit code."""
        return self._process.wait(TIMEOUT_S)


def test_on_a_terminal_what_was_typed_before_a_question_answers_nothing(office):
    with Terminal(office.worker.env) as terminal:
        terminal.until("waiting for questions")
        terminal.type("y typed too early\n")
        terminal.until("typed too early")
        caller = office.ask("permission")
        terminal.until("grant? ")

        terminal.type("n\n")

        assert output_of(caller)["permission"]["granted"] is False
        terminal.until("asks continues with evt_")
        terminal.type("\x04")  # the end of input, as typed
        assert terminal.wait() == 0
