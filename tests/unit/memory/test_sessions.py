"""Sessions: what is kept of a chat, in its file and by a worker."""

import asyncio
import threading

import pytest
import pytest_asyncio

from cosmonapse import (
    Axon,
    Clarification,
    Dendrite,
    MemoryFileError,
    MemorySynapse,
    NeuronError,
    Sessions,
    SqliteMemory,
)

S1 = {"session": "s1", "last": 20}


def user(text):
    return {"role": "user", "content": text}


def assistant(text):
    return {"role": "assistant", "content": text}


@pytest.fixture
def sessions():
    with Sessions(":memory:") as sessions:
        yield sessions


@pytest_asyncio.fixture
async def chat(sessions):
    """Start a worker with a Neuron and sessions; return a caller."""
    synapse = MemorySynapse()
    started = []

    async def start(neuron_fn, fetcher=sessions):
        axon = Axon(neuron_id="chat", neuron_fn=neuron_fn, context_fetcher=fetcher)
        for dendrite in (worker := Dendrite(synapse=synapse)), Dendrite(synapse=synapse):
            if dendrite is worker:
                worker.attach_axon(axon)
                start.worker = worker
            started.append(await dendrite.__aenter__())
        return started[-1]

    yield start
    for each in reversed(started):
        await each.stop(drain_s=0.0)


async def echo(input, context):
    return {"response": f"{input['prompt']} {len(context)}"}


def echo_in_a_thread(input, context):
    return {"response": f"{input['prompt']} {len(context)}"}


async def echo_by_pieces(input, context):
    yield f"{input['prompt']} "
    yield str(len(context))


def echo_by_pieces_in_a_thread(input, context):
    yield f"{input['prompt']} "
    yield str(len(context))


FUNCTIONS = [echo, echo_in_a_thread, echo_by_pieces, echo_by_pieces_in_a_thread]


@pytest.mark.asyncio
@pytest.mark.parametrize("neuron_fn", FUNCTIONS)
async def test_each_turn_is_kept_before_its_answer_goes_out(neuron_fn, chat, sessions):
    caller = await chat(neuron_fn)

    for text, expected in (("a", "a 0"), ("b", "b 2")):
        output = await caller.ask(neuron="chat", input={"prompt": text}, context_ref=S1)
        assert output["response"] == expected

    assert sessions.history("s1") == [user("a"), assistant("a 0"), user("b"), assistant("b 2")]


@pytest.mark.asyncio
async def test_questions_and_their_answers_are_turns(chat, sessions):
    async def book(input, context):
        if "clarification" not in input:
            raise Clarification("Where?")
        return {"response": f"A room in {input['clarification']['answer']}"}

    caller = await chat(book)
    task = {"neuron": "chat", "input": {"prompt": "Book"}, "context_ref": S1}

    @caller.on_clarification()
    async def answer(signal):
        await caller.respond_to_clarification(signal, "Oslo")

    assert (await caller.ask(**task))["response"] == "A room in Oslo"

    assert [each["content"] for each in sessions.history("s1")] == [
        *("Book", "Where?", "Oslo", "A room in Oslo"),
    ]
    assert sessions.counts["turns"] == 2


@pytest.mark.asyncio
async def test_a_task_that_failed_is_no_turn(chat, sessions):
    async def fail(input, context):
        return {"__error__": True, "message": "no"} if "mark" in input else 1 / 0

    caller = await chat(fail)

    for given in ({"prompt": "x"}, {"prompt": "x", "mark": True}):
        with pytest.raises(NeuronError):
            await caller.ask(neuron="chat", input=given, context_ref=S1)

    assert sessions.history("s1") == []


@pytest.mark.asyncio
async def test_an_output_that_cannot_be_sent_is_no_turn(chat, sessions):
    async def broken(input, context):
        return {"response": object()}

    caller = await chat(broken)

    with pytest.raises(NeuronError, match="BAD_OUTPUT"):
        await caller.ask(neuron="chat", input={"prompt": "x"}, context_ref=S1)
    assert sessions.history("s1") == []


@pytest.mark.asyncio
async def test_without_a_session_nothing_is_kept(chat, sessions):
    caller = await chat(echo)

    await caller.ask(neuron="chat", input={"prompt": "a"})
    listed = await caller.ask(neuron="chat", input={"prompt": "b"}, context_ref=[1, 2])

    assert listed["response"] == "b 2"
    assert sessions.counts["sessions"] == 0


@pytest.mark.asyncio
async def test_a_reference_that_names_no_session_is_bad_input(chat):
    caller = await chat(echo)

    with pytest.raises(NeuronError, match=r"BAD_INPUT.*session"):
        await caller.ask(neuron="chat", input={"prompt": "a"}, context_ref={"room": 1})


@pytest.mark.asyncio
async def test_an_answer_that_cannot_be_kept_is_sent_and_counted(chat, sessions, caplog):
    class Full(Sessions):
        def remember(self, task, reply):
            raise MemoryFileError("chat.db", "disk is full", "make room")

    with Full(":memory:") as full:
        caller = await chat(echo, full)
        output = await caller.ask(neuron="chat", input={"prompt": "a"}, context_ref=S1)

    assert output == {"response": "a 0"}
    assert chat.worker.counts["remember_failed"] == 1
    (told,) = [each for each in caplog.records if "could not be remembered" in each.getMessage()]
    assert "disk is full; make room" in told.getMessage()
    assert not told.exc_info


@pytest.mark.asyncio
async def test_a_file_that_cannot_be_read_is_an_error_with_a_code(chat, caplog):
    closed = Sessions(":memory:")
    closed.close()
    caller = await chat(echo, closed)

    with pytest.raises(NeuronError, match="it is closed; make a new one") as caught:
        await caller.ask(neuron="chat", input={"prompt": "a"}, context_ref=S1)

    assert (caught.value.code, caught.value.recoverable) == ("MEMORY_FAILED", False)
    assert "cannot use the memory :memory:" in caplog.text


@pytest.mark.asyncio
@pytest.mark.parametrize("in_thread", [True, False])
async def test_an_answer_waits_for_no_more_than_half_of_its_time_until_it_is_kept(chat, in_thread):
    goes_on = threading.Event()

    class Stuck(Sessions):
        def remember(self, task, reply):
            goes_on.wait(30.0)

    class StuckOnLoop(Sessions):
        async def remember(self, task, reply):
            await asyncio.sleep(30.0)

    with (Stuck if in_thread else StuckOnLoop)(":memory:") as stuck:
        caller = await chat(echo, stuck)
        output = await caller.ask(
            neuron="chat", input={"prompt": "a"}, context_ref=S1, timeout_s=1.0
        )
        goes_on.set()

    assert output == {"response": "a 0"}
    assert chat.worker.counts["remember_failed"] == 1


@pytest.mark.asyncio
async def test_turns_of_one_session_at_once_stay_whole(chat, sessions):
    async def slow(input, context):
        await asyncio.sleep(0)
        return {"response": f"to {input['prompt']}"}

    caller = await chat(slow)
    asked = [caller.ask(neuron="chat", input={"prompt": str(n)}, context_ref=S1) for n in range(20)]
    await asyncio.gather(*asked)

    contents = [each["content"] for each in sessions.history("s1", last=100)]
    pairs = list(zip(contents[::2], contents[1::2], strict=True))
    assert len(pairs) == 20
    assert all(answer == f"to {question}" for question, answer in pairs)


@pytest.mark.asyncio
async def test_a_fetcher_of_the_users_own_keeps_answers_too(chat):
    kept = []

    class Own:
        async def __call__(self, reference):
            return [reference]

        async def remember(self, task, reply):
            kept.append((task.payload["input"], reply.output))

    caller = await chat(echo, Own())
    output = await caller.ask(neuron="chat", input={"prompt": "a"}, context_ref=7)

    assert kept == [({"prompt": "a"}, output)]


# -- alone -----------------------------------------------------------------------------------------


def test_the_last_turns_come_oldest_first(sessions):
    for number in range(5):
        sessions.append("s1", "user", str(number))

    assert sessions({"session": "s1", "last": 2}) == [user("3"), user("4")]
    assert sessions("s2") == []


def test_a_session_that_is_full_drops_its_oldest_turns(tmp_path):
    with Sessions(tmp_path / "chat.db", max_turns=2) as sessions:
        for number in range(5):
            sessions.append("s1", "user", str(number))
        sessions.append("s2", "user", "other")

        assert sessions.history("s1") == [user("3"), user("4")]
        assert sessions.counts == {"sessions": 2, "turns": 3, "cut_turns": 0, "dropped_turns": 3}


def test_of_too_many_sessions_the_longest_silent_is_dropped():
    with Sessions(":memory:", max_sessions=2) as sessions:
        for name in ("a", "b", "a", "c"):
            sessions.append(name, "user", "hi")

        assert (len(sessions("a")), sessions("b"), len(sessions("c"))) == (2, [], 1)
        assert sessions.counts["sessions"] == 2


def test_turns_that_are_too_old_are_gone():
    now = [1000.0]
    with Sessions(":memory:", max_age_s=60, clock=lambda: now[0]) as sessions:
        sessions.append("s1", "user", "old")
        now[0] += 61
        assert sessions("s1") == []
        sessions.append("s2", "user", "new")
        assert sessions.counts["dropped_turns"] == 1


def test_a_long_turn_is_cut_and_counted():
    with Sessions(":memory:", max_turn_bytes=1024) as sessions:
        sessions.append("s1", "user", "x" * 5000)

        assert sessions("s1")[0]["content"].endswith("x…")
        assert sessions.counts["cut_turns"] == 1


def test_a_forgotten_session_is_gone(sessions):
    sessions.append("s1", "user", "a")

    assert sessions.forget("s1") == 1
    assert sessions.forget("s1") == 0
    assert sessions.counts["sessions"] == 0


def test_a_session_may_have_any_name(sessions):
    for name in ("'; drop table turns; --", "\x00", "🎉", "a b"):
        sessions.append(name, "user", name)
        assert sessions(name) == [user(name)]


@pytest.mark.parametrize(
    "bound",
    [
        {"max_turns": 0},
        {"max_sessions": 0},
        {"max_turn_bytes": 1023},
        {"max_age_s": 0},
    ],
)
def test_a_bound_below_its_least_value_is_refused(bound):
    with pytest.raises(ValueError, match=next(iter(bound))):
        Sessions(":memory:", **bound)


@pytest.mark.parametrize(
    ("message", "what"),
    [
        (("s1", "system", "x"), "role"),
        (("s1", "user", 5), "a message is a text, not a int"),
        (("s1", "user", "\ud800"), "surrogate"),
        (("\ud800", "user", "x"), "surrogate"),
        (("", "user", "x"), "1 to 256 characters"),
        (("s" * 257, "user", "x"), "1 to 256 characters"),
    ],
)
def test_a_message_of_another_form_is_refused(sessions, message, what):
    with pytest.raises(ValueError, match=what):
        sessions.append(*message)
    assert sessions.counts["turns"] == 0


def test_a_memory_is_no_file_of_sessions(tmp_path):
    SqliteMemory(tmp_path / "x.db").close()

    with pytest.raises(MemoryFileError, match="another program"):
        Sessions(tmp_path / "x.db")


def test_two_processes_worth_of_sessions_share_a_file(tmp_path):
    path = tmp_path / "chat.db"
    with Sessions(path) as one, Sessions(path) as other:

        def work(sessions):
            for number in range(25):
                sessions.append("s1", "user", str(number))

        threads = [threading.Thread(target=work, args=(each,)) for each in (one, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(one.history("s1", last=100)) == 50
