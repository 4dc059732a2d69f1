"""An Engram over the fabric: verbs of a Dendrite and of a context, with stores of several kinds."""

import math
from collections import Counter

import pytest
import pytest_asyncio

from cosmonapse import (
    Axon,
    Dendrite,
    MemorySynapse,
    NeuronError,
    RetryStrategy,
    SqliteMemory,
    engram,
)
from cosmonapse.memory_ops import INPUT_SCHEMA


class Vectors:
    """A store of the user's: texts as counts of their letters, compared by their angle."""

    def __init__(self):
        self.entries = {}

    async def imprint(self, id, text, *, space, data):
        self.entries[space, id] = (text, data, Counter(text))

    async def recall(self, query, *, space, limit):
        asked = Counter(query)
        hits = [
            {"id": id, "text": text, "data": data, "score": _cosine(asked, letters)}
            for (home, id), (text, data, letters) in self.entries.items()
            if home == space
        ]
        return sorted(hits, key=lambda hit: -hit["score"])[:limit]

    async def forget(self, id, *, space):
        there = [key for key in self.entries if key[0] == space and id in (None, key[1])]
        for key in there:
            del self.entries[key]
        return len(there)


def _cosine(one, other):
    length = math.sqrt(one.total() * other.total()) or 1.0
    return sum(one[each] * other[each] for each in one) / length


@pytest_asyncio.fixture
async def caller():
    async with Dendrite(synapse=MemorySynapse()) as dendrite:
        yield dendrite


stores = pytest.mark.parametrize("store", [lambda: SqliteMemory(":memory:"), Vectors])


@pytest.mark.asyncio
@stores
async def test_a_memory_keeps_finds_and_forgets(store, caller):
    await caller.add_axon(engram("memory", store()))

    assert await caller.imprint("Zoe owns the cafe", space="u1", id="x1", data={"n": 1}) == "x1"
    new = await caller.imprint("Ben likes tea", space="u1")
    hits = await caller.recall("cafe zoe", space="u1", limit=1)

    assert [(h["id"], h["text"], h["data"]) for h in hits] == [
        ("x1", "Zoe owns the cafe", {"n": 1}),
    ]
    assert hits[0]["score"] > 0
    assert await caller.recall("cafe") == []
    assert await caller.forget(new, space="u1") == 1
    assert await caller.forget(None, space="u1") == 1


@pytest.mark.asyncio
async def test_one_memory_of_several_is_named(caller):
    for name in ("one", "two"):
        await caller.add_axon(engram(name, SqliteMemory(":memory:")))

    await caller.imprint("text", neuron="one", id="x")

    assert len(await caller.recall("text", neuron="one")) == 1
    assert await caller.recall("text", neuron="two") == []


@pytest.mark.asyncio
async def test_a_neuron_asks_a_memory_from_the_loop_and_from_a_thread(caller):
    async def on_loop(input, context):
        id = await context.imprint("Zoe owns the cafe", id="x")
        hits = await context.recall("cafe")
        return {"ids": [id, *(h["id"] for h in hits)], "forgotten": await context.forget("x")}

    def in_thread(input, context):
        id = context.imprint("Zoe owns the cafe", id="x")
        hits = context.recall("cafe")
        return {"ids": [id, *(h["id"] for h in hits)], "forgotten": context.forget("x")}

    await caller.add_axon(engram("memory", SqliteMemory(":memory:")))
    for function in (on_loop, in_thread):
        await caller.add_axon(Axon(neuron_id=function.__name__, neuron_fn=function))
        output = await caller.ask(neuron=function.__name__, input={})
        assert output == {"ids": ["x", "x"], "forgotten": 1}


@pytest.mark.asyncio
async def test_a_memory_that_cannot_write_is_an_error_with_a_code_and_one_line_of_the_log(
    caller, tmp_path, caplog
):
    path = tmp_path / "mem.db"
    with SqliteMemory(path) as memory:
        memory.imprint("a", "what there is")
        with memory._file.reading() as file:
            file.execute("PRAGMA max_page_count = 1")  # as on a full disk
        await caller.add_axon(engram("memory", memory))

        with pytest.raises(NeuronError, match="cannot be used: database or disk is full") as caught:
            await caller.imprint("text " * 9_000)
        assert [hit["id"] for hit in await caller.recall("there")] == ["a"]

    assert (caught.value.code, caught.value.recoverable) == ("MEMORY_FAILED", True)
    assert "mem.db" not in str(caught.value)
    (logged,) = [each for each in caplog.records if str(path) in each.getMessage()]
    assert "disk is full; make room" in logged.getMessage()
    assert not logged.exc_info


@pytest.mark.asyncio
async def test_what_no_retry_mends_is_not_recoverable(caller):
    memory = SqliteMemory(":memory:")
    memory.close()
    await caller.add_axon(engram("memory", memory))

    with pytest.raises(NeuronError, match="it is closed; make a new one") as caught:
        await caller.recall("x")

    assert (caught.value.code, caught.value.recoverable) == ("MEMORY_FAILED", False)


@pytest.mark.asyncio
async def test_a_further_attempt_keeps_the_same_entry(caller):
    class Shaky(SqliteMemory):
        failed = False

        def imprint(self, *values, **named):
            super().imprint(*values, **named)
            if not self.failed:
                self.failed = True
                raise NeuronError("AWAY", "the first time", recoverable=True)

    memory = Shaky(":memory:")
    await caller.add_axon(engram("memory", memory))

    await caller.ask(
        neuron="memory",
        input={"op": "imprint", "text": "once"},
        retry=RetryStrategy(max_attempts=2, backoff=0.0),
    )

    assert memory.counts["entries"] == 1


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "given",
    [
        {},
        [],
        {"op": "drop"},
        {"op": "recall"},
        {"op": "imprint", "id": "x"},
        {"op": "forget"},
        {"op": "recall", "query": "x", "limit": 101},
        {"op": "imprint", "text": "x", "id": ""},
    ],
)
async def test_an_input_of_another_form_is_bad_input(given, caller):
    await caller.add_axon(engram("memory", SqliteMemory(":memory:")))

    with pytest.raises(NeuronError, match="BAD_INPUT"):
        await caller.ask(neuron="memory", input=given)


@pytest.mark.asyncio
async def test_null_stands_for_what_is_left_out(caller):
    await caller.add_axon(engram("memory", SqliteMemory(":memory:")))

    given = {"op": "recall", "query": "x", "space": None, "limit": None}

    assert await caller.ask(neuron="memory", input=given) == {"hits": []}


HIT = {"id": "a", "text": "x", "data": None, "score": 1}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("found", "words"),
    [
        (None, "and returned a NoneType"),
        ([("a", "x", 1.0)], "and a hit is a tuple"),
        ("text", "and a hit is a str"),
        ([{**HIT}, {"id": "a", "text": "x", "score": 1}], "and a hit has no data"),
    ],
)
async def test_what_a_store_finds_in_another_form_is_named(found, words, caller):
    class Odd(Vectors):
        def recall(self, query, *, space, limit):
            return found

    await caller.add_axon(engram("memory", Odd()))

    with pytest.raises(
        NeuronError, match=f"BAD_OUTPUT: recall of Odd must return a list .*{words}"
    ):
        await caller.recall("x")


@pytest.mark.asyncio
async def test_a_value_of_another_form_is_refused_before_it_is_sent(caller):
    with pytest.raises(ValueError, match="limit must be a number from 1 to 100"):
        await caller.recall("x", limit=0)
    with pytest.raises(ValueError, match="text has"):
        await caller.imprint("x" * 70_000)


@pytest.mark.asyncio
async def test_without_a_memory_the_error_names_the_capability(caller):
    with pytest.raises(NeuronError, match=r"NO_CAPABLE_NEURON.*memory"):
        await caller.recall("x", timeout_s=5.0)


@pytest.mark.asyncio
async def test_its_card_says_what_it_takes(caller):
    await caller.add_axon(engram("memory", SqliteMemory(":memory:"), version="1"))

    card = await caller.card("memory")

    assert card.capabilities == ("memory",)
    assert card.input["properties"]["op"] == INPUT_SCHEMA["properties"]["op"]
    assert "recall" in card.description


def test_a_store_without_a_method_is_refused():
    with pytest.raises(TypeError, match="recall is missing"):
        engram("memory", type("Half", (), {"imprint": print})())


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("imprint", r"\(id, text, \*, space, data\)"),
        ("recall", r"\(query, \*, space, limit\)"),
        ("forget", r"\(id, \*, space\)"),
    ],
)
def test_a_method_that_takes_other_arguments_is_refused(name, form):
    store = type("Short", (Vectors,), {name: lambda self, first: None})()

    with pytest.raises(TypeError, match=f"must accept {form}: "):
        engram("memory", store)


def test_a_class_is_no_store():
    with pytest.raises(TypeError, match=r"give SqliteMemory\(\.\.\.\)"):
        engram("memory", SqliteMemory)


def test_it_checks_its_inputs_itself_without_a_package():
    with SqliteMemory(":memory:") as memory:
        contract = engram("memory", memory).contract

    assert not contract.is_unchecked
    with pytest.raises(NeuronError, match="input: limit must be a number from 1 to 100"):
        contract.given({"op": "recall", "query": "x", "limit": 999})
