"""A question that a handler answers: the caller waits on, and gets the real output."""

import asyncio
import threading

import pytest

from cosmonapse import (
    Axon,
    DendriteProtocolError,
    NeedsAnswer,
    Signal,
    SignalType,
    UnencodableValue,
    new_trace_id,
)
from cosmonapse.dendrite.caller import answer_arbiter
from support.processes import TIMEOUT_S, until
from support.watching import kept

pytestmark = pytest.mark.asyncio
CLARIFICATION = SignalType.CLARIFICATION


class Asker:
    """A Neuron that asks until its input has the answer; keeps what it was given."""

    def __init__(self, kind="clarification", **payload):
        self.given = []
        self._kind = kind
        self._payload = payload or {"question": "which?"}

    async def __call__(self, input, context):
        self.given.append(input)
        if self._kind in input or "override" in input:
            return {"answered": input}
        return {f"__{self._kind}__": True, **self._payload}


@pytest.fixture
def asker():
    return Asker()


def ask(caller, **task):
    task = {"neuron": "worker", "input": {"prompt": "go"}, "timeout_s": 10.0, **task}
    return caller.dispatch_and_wait(**task)


# -- at the caller -----------------------------------------------------------------------------


async def test_a_clarification_that_is_answered_leads_to_the_output(asker, serve):
    caller = await serve(asker)
    followed = []

    @caller.on_clarification
    async def answers(sig):
        followed.append(await caller.respond_to_clarification(sig, "this", {"tone": "plain"}))

    trace_id = new_trace_id()
    reply = await ask(caller, trace_id=trace_id)

    assert reply.type is SignalType.AGENT_OUTPUT
    assert (reply.trace_id, reply.parent_id) == (trace_id, followed[0].id)
    assert asker.given == [
        {"prompt": "go"},
        {
            "prompt": "go",
            "tone": "plain",
            "clarification": {"question": "which?", "answer": "this"},
        },
    ]


@pytest.mark.parametrize("verb", ["grant_permission", "deny_permission"])
async def test_a_permission_that_is_decided_leads_to_the_output(verb, serve):
    asker = Asker("permission", action="delete")
    caller = await serve(asker)

    @caller.on_permission
    async def decides(sig):
        await getattr(caller, verb)(sig, reason="so")

    reply = await ask(caller)

    assert reply.output["answered"]["permission"] == {
        "action": "delete",
        "granted": verb == "grant_permission",
        "reason": "so",
    }


async def test_an_escalation_that_is_answered_leads_to_the_output(serve):
    asker = Asker("escalation", reason="too hard")
    caller = await serve(asker)

    @caller.on_escalation
    async def overrides(sig):
        await caller.respond_to_escalation(sig, input={"override": "best effort"})

    reply = await ask(caller)

    assert reply.output == {"answered": {"override": "best effort"}}


async def test_an_escalation_goes_to_the_neuron_that_is_its_target(join, serve):
    caller = await serve(Asker("escalation", reason="too hard", target="senior"))

    async def senior(input, context):
        return {"done": input}

    await join(Axon(neuron_id="senior", neuron_fn=senior), role="worker").start()

    @caller.on_escalation
    async def passes_on(sig):
        await caller.respond_to_escalation(sig)

    reply = await ask(caller)

    assert reply.output == {"done": {"prompt": "go"}}
    assert reply.directed.id == "senior"


async def test_an_escalation_without_anything_new_is_refused_and_comes_to_the_caller(serve):
    caller = await serve(Asker("escalation", reason="too hard"))
    raised = []

    @caller.on_escalation
    async def answers(sig):
        try:
            await caller.respond_to_escalation(sig)
        except DendriteProtocolError as error:
            raised.append(error)

    assert (await ask(caller)).type is SignalType.ESCALATION
    assert len(raised) == 1


async def test_a_question_comes_to_the_caller_if_there_is_no_handler(asker, serve):
    reply = await ask(await serve(asker))

    assert reply.type is CLARIFICATION
    with pytest.raises(NeedsAnswer, match="which"):
        _ = reply.output


async def test_a_question_comes_to_the_caller_if_the_handler_is_for_another_neuron(asker, serve):
    caller = await serve(asker)
    others = kept(caller.on_clarification(neuron="other"))

    assert (await ask(caller)).type is CLARIFICATION
    assert others == []


async def test_a_question_comes_to_the_caller_when_all_its_handlers_are_through(asker, serve):
    caller = await serve(asker)
    release, through = asyncio.Event(), []
    for wait in (True, False):

        @caller.on_clarification
        async def passes(sig, wait=wait):
            if wait:
                await release.wait()
            through.append(wait)

    asked = asyncio.create_task(ask(caller))
    await until(lambda: through == [False])
    await caller.dispatch_and_wait(neuron="nobody", input={})
    assert not asked.done()
    release.set()

    assert (await asked).type is CLARIFICATION
    assert through == [False, True]


async def test_a_question_comes_to_the_caller_when_its_handler_raises(asker, serve, caplog):
    caller = await serve(asker)

    @caller.on_clarification
    async def raises(sig):
        raise KeyError("no")

    assert (await ask(caller)).type is CLARIFICATION
    assert caller.counts["handler_raised"] == 1
    assert "raises" in caplog.text


async def test_an_answer_that_cannot_travel_raises_in_its_handler(asker, serve):
    caller = await serve(asker)
    raised = []

    @caller.on_clarification
    async def answers(sig):
        try:
            await caller.respond_to_clarification(sig, answer=object())
        except UnencodableValue as error:
            raised.append(error.path)

    assert (await ask(caller)).type is CLARIFICATION
    assert raised == ["payload.input.clarification.answer"]
    assert len(asker.given) == 1


async def test_a_handler_that_hangs_holds_the_caller_at_most_until_its_time_is_over(
    asker, serve, clock
):
    caller = await serve(asker)
    began = asyncio.Event()

    @caller.on_clarification
    async def hangs(sig):
        began.set()
        await asyncio.Event().wait()

    asked = asyncio.create_task(ask(caller, timeout_s=60.0))
    await began.wait()
    clock.advance(60.0)

    with pytest.raises(TimeoutError, match="nobody answered the CLARIFICATION of neuron 'worker'"):
        await asked


async def test_an_answer_after_the_caller_was_told_that_its_time_is_over_runs_nothing(
    asker, serve, clock
):
    caller = await serve(asker)
    began, release, answered = asyncio.Event(), asyncio.Event(), []

    @caller.on_clarification
    async def late(sig):
        began.set()
        await release.wait()
        answered.append(await caller.respond_to_clarification(sig, answer="late"))

    asked = asyncio.create_task(ask(caller, timeout_s=60.0))
    await began.wait()
    clock.advance(60.0)
    with pytest.raises(TimeoutError):
        await asked
    release.set()
    await until(lambda: answered)

    assert answered == [None]
    assert len(asker.given) == 1


async def test_a_caller_that_is_cancelled_takes_its_question_back(asker, serve):
    caller = await serve(asker)
    began, release, answered = asyncio.Event(), asyncio.Event(), []

    @caller.on_clarification
    async def late(sig):
        began.set()
        await release.wait()
        answered.append(await caller.respond_to_clarification(sig, answer="late"))

    asked = asyncio.create_task(ask(caller))
    await began.wait()
    asked.cancel()
    await asyncio.wait([asked])
    release.set()
    await until(lambda: answered)

    assert answered == [None]
    assert len(asker.given) == 1


async def test_a_handler_that_is_taken_off_while_it_waits_its_turn_is_not_waited_for(asker, serve):
    caller = await serve(asker)
    release, seen = asyncio.Event(), []

    @caller.on_clarification
    async def one_by_one(sig):
        seen.append(sig)
        await release.wait()

    first, second = asyncio.create_task(ask(caller)), asyncio.create_task(ask(caller))
    await until(lambda: seen and len(asker.given) == 2)
    await caller.dispatch_and_wait(neuron="nobody", input={})
    caller.off(one_by_one)

    done, _ = await asyncio.wait([first, second], timeout=2.0, return_when="FIRST_COMPLETED")
    assert len(done) == 1  # the call that runs may still answer
    release.set()
    replies = await asyncio.gather(first, second)
    assert [each.type for each in replies] == [CLARIFICATION, CLARIFICATION]
    assert len(seen) == 1


async def test_two_answers_at_the_same_instant_run_one_follow_up(asker, serve):
    caller = await serve(asker)
    given = []
    for number in range(2):

        @caller.on_clarification
        async def answers(sig, number=number):
            given.append(await caller.respond_to_clarification(sig, answer=number))

    reply = await ask(caller)
    await until(lambda: len(given) == 2)

    assert reply.type is SignalType.AGENT_OUTPUT
    assert sorted(each is None for each in given) == [False, True]
    assert len(asker.given) == 2
    assert caller.counts["drop.second_answer"] == 1


async def test_a_question_may_be_answered_after_the_caller_has_it(asker, serve):
    caller = await serve(asker)
    outputs = kept(caller.on_agent_output)
    question = await ask(caller)

    task = await caller.respond_to_clarification(question, answer="now")
    await until(lambda: outputs)

    assert outputs[0].parent_id == task.id
    assert outputs[0].output["answered"]["clarification"]["answer"] == "now"


async def test_several_questions_in_a_row_are_each_answered(serve):
    async def asks_thrice(input, context):
        known = len(input.get("clarifications", [input][: "clarification" in input]))
        if known < 3:
            return {"__clarification__": True, "question": str(known)}
        return input

    caller = await serve(asks_thrice)

    @caller.on_clarification
    async def answers(sig):
        await caller.respond_to_clarification(sig, answer=int(sig.payload["question"]))

    reply = await ask(caller)

    assert [each["answer"] for each in reply.output["clarifications"]] == [0, 1, 2]


async def test_a_plain_def_may_answer_from_its_thread(asker, serve):
    caller = await serve(asker)
    loop = asyncio.get_running_loop()

    @caller.on_clarification
    def answers(sig):
        assert threading.current_thread() is not threading.main_thread()
        work = caller.respond_to_clarification(sig, answer="from a thread")
        asyncio.run_coroutine_threadsafe(work, loop).result(TIMEOUT_S)

    assert (await ask(caller)).type is SignalType.AGENT_OUTPUT


async def test_the_answer_is_a_signal_that_everybody_sees(asker, serve, join):
    caller = await serve(asker)
    watcher = join(dendrite_id="watcher")
    theirs = kept(watcher.on_clarification_answer)
    await watcher.start()
    ours = kept(caller.on_clarification_answer)

    @caller.on_clarification
    async def answers(sig):
        await caller.respond_to_clarification(sig, answer="this")

    reply = await ask(caller)
    await until(lambda: ours and theirs)

    assert ours == theirs
    assert ours[0].payload == {"answer": "this"}
    assert ours[0].trace_id == reply.trace_id


async def test_a_stop_ends_a_caller_that_waits_for_an_answer(asker, serve):
    caller = await serve(asker)
    asked = []

    @caller.on_clarification
    async def hangs(sig):
        asked.append(sig)
        await asyncio.Event().wait()

    waiting = asyncio.create_task(ask(caller))
    await until(lambda: asked)
    await caller.stop()

    with pytest.raises(DendriteProtocolError, match="stopped"):
        await waiting


async def test_a_wrong_kind_of_answer_is_refused(asker, serve):
    caller = await serve(asker)
    question = await ask(caller)

    with pytest.raises(DendriteProtocolError, match="expected a PERMISSION"):
        await caller.grant_permission(question)
    with pytest.raises(DendriteProtocolError, match="expected a ESCALATION"):
        await caller.respond_to_escalation(question, input={})


async def test_a_decision_can_be_awaited(serve):
    caller = await serve(Asker("permission", action="delete"))
    question = await ask(caller)
    waiting = asyncio.create_task(caller.await_decision(question, timeout_s=5.0))
    await asyncio.sleep(0)
    await caller.deny_permission(question)

    decision = await waiting

    assert decision.payload == {"granted": False}
    assert await caller.await_decision(question, timeout_s=5.0) == decision


async def test_a_decision_that_does_not_come_is_a_timeout(asker, serve):
    caller = await serve(asker)
    question = await ask(caller)

    with pytest.raises(TimeoutError, match=f"nobody answered the CLARIFICATION {question.id}"):
        await caller.await_decision(question, timeout_s=0.02)

    assert caller.off(lambda sig: None) == 0


# -- elsewhere ---------------------------------------------------------------------------------


async def test_an_answer_from_elsewhere_reaches_the_caller_that_waits_for_it(asker, serve, join):
    caller = await serve(asker)
    other = join(dendrite_id="other")
    followed = []

    @other.on_clarification
    async def answers(sig):
        followed.append(await other.respond_to_clarification(sig, answer="from elsewhere"))

    await other.start()

    reply = await ask(caller, answer_elsewhere=True)
    await until(lambda: followed)

    assert reply.output["answered"]["clarification"]["answer"] == "from elsewhere"
    assert reply.parent_id == followed[0].id
    assert len(asker.given) == 2


async def test_an_answer_that_no_question_takes_is_dropped_and_the_next_one_counts(
    asker, serve, join
):
    caller = await serve(asker)
    other = join(dendrite_id="other")
    asked = kept(other.on_clarification)
    await other.start()
    waiting = asyncio.create_task(ask(caller, answer_elsewhere=True))
    await until(lambda: asked)
    odd = asked[0].reply(SignalType.PERMISSION_DECISION, payload={"granted": True})

    async with asyncio.timeout(TIMEOUT_S):
        while not caller.counts.get("drop.bad_answer"):  # until the caller listens
            await other.emit(odd)
            await other.find_neurons()
    await other.respond_to_clarification(asked[0], answer="right")

    assert (await waiting).output["answered"]["clarification"]["answer"] == "right"


async def test_two_dendrites_that_both_answer_run_one_follow_up(asker, serve, join):
    caller = await serve(asker)
    given = []
    for name in ("one", "other"):
        orchestrator = join(dendrite_id=name)

        @orchestrator.on_clarification
        async def answers(sig, orchestrator=orchestrator):
            work = orchestrator.respond_to_clarification(sig, answer=orchestrator.dendrite_id)
            given.append(await work)

        await orchestrator.start()

    reply = await ask(caller, answer_elsewhere=True)
    await until(lambda: len(given) == 2)

    assert reply.type is SignalType.AGENT_OUTPUT
    assert sorted(each is None for each in given) == [False, True]
    assert len(asker.given) == 2


def later(send):
    """Return a `send` that takes longer to begin than two timers are apart."""

    async def sends(*arguments):
        for _ in range(100):
            await asyncio.sleep(0)
        await send(*arguments)

    return sends


async def test_whoever_answers_a_caller_that_is_gone_lets_the_work_go_on_once(
    asker, serve, join, monkeypatch
):
    monkeypatch.setattr(answer_arbiter, "_WAITS_S", (0.01, 0.02))
    monkeypatch.setattr(answer_arbiter, "_RIVAL_S", 0.2)
    caller = await serve(asker)
    question = await ask(caller)
    await caller.stop()
    dendrites = [join(dendrite_id=name) for name in ("one", "other")]
    outputs = kept(dendrites[0].on_agent_output)
    for each in dendrites:
        await each.start()
        monkeypatch.setattr(each._dispatcher, "send", later(each._dispatcher.send))

    tasks = await asyncio.gather(
        *(
            each.respond_to_clarification(question, answer=each.dendrite_id)
            for each in dendrites * 2
        )
    )
    again = await dendrites[0].respond_to_clarification(question, answer="again")
    await until(lambda: outputs)

    assert [each is None for each in tasks].count(False) == 1
    assert again is None
    assert len(asker.given) == 2
    assert outputs[0].trace_id == question.trace_id


async def test_a_question_that_another_has_answered_is_left_to_it(asker, serve, join, monkeypatch):
    monkeypatch.setattr(answer_arbiter, "_WAITS_S", (0.01,))
    caller = await serve(asker)
    first, later = await ask(caller), await ask(caller)
    await caller.stop()
    one, other = [await join(dendrite_id=name).__aenter__() for name in ("one", "other")]
    answers = kept(other.on_clarification_answer)
    assert await other.respond_to_clarification(first, answer="other")  # it listens from here on

    assert await one.respond_to_clarification(later, answer="one")
    await until(lambda: answers)
    await until(lambda: len(asker.given) == 4)
    await one.stop()

    assert await other.respond_to_clarification(later, answer="other") is None
    assert len(asker.given) == 4


async def test_a_question_of_a_caller_that_is_gone_must_tell_what_was_asked(join, monkeypatch):
    monkeypatch.setattr(answer_arbiter, "_WAITS_S", (0.01,))
    dendrite = await join().__aenter__()
    question = Signal(type=CLARIFICATION, payload={"question": "which?"})

    with pytest.raises(DendriteProtocolError, match="does not carry the input"):
        await dendrite.respond_to_clarification(question, answer="this")
