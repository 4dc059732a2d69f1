"""The store as A2A's SDK uses it."""

import pytest
from a2a.server.context import ServerCallContext
from a2a.types import ListTasksRequest, Task, TaskState, TaskStatus
from a2a.utils.errors import InvalidParamsError

from cosmonapse.serve.a2a_store import NEURON, NeuronTaskStore
from cosmonapse.serve.a2a_tasks import BoundedTasks
from cosmonapse.signals import Signal, SignalType

pytestmark = pytest.mark.asyncio
TASK = Signal(type=SignalType.TASK, payload={"input": {"n": 2}})
QUESTION = TASK.reply(SignalType.CLARIFICATION, payload={"question": "?"})


def of(neuron):
    return ServerCallContext(state={NEURON: neuron})


def task(number, state=TaskState.TASK_STATE_COMPLETED, context_id="c"):
    made = Task(id=f"t{number}", context_id=context_id, status=TaskStatus(state=state))
    made.status.timestamp.FromSeconds(number)
    return made


@pytest.fixture
def store():
    return NeuronTaskStore(BoundedTasks())


async def test_a_task_comes_back_as_a_copy(store):
    await store.save(kept := task(1), of("a"))
    kept.context_id = "changed"

    found = await store.get("t1", of("a"))

    assert found.context_id == "c"
    assert found is not await store.get("t1", of("a"))


async def test_a_task_of_another_agent_is_not_found(store):
    await store.save(task(1), of("a"))

    assert await store.get("t1", of("b")) is None
    assert not (await store.list(ListTasksRequest(), of("b"))).tasks


async def test_a_deleted_task_is_gone(store):
    await store.save(task(1), of("a"))
    await store.delete("t1", of("a"))

    assert await store.get("t1", of("a")) is None


async def test_a_question_survives_the_executor(store):
    await store.save(task(1, TaskState.TASK_STATE_WORKING), of("a"))
    store.remember("a", "t1", (TASK, QUESTION))
    await store.save(task(1, TaskState.TASK_STATE_INPUT_REQUIRED), of("a"))

    assert store.asking("a", "t1") == (TASK, QUESTION)
    store.remember("a", "t1", None)
    assert store.asking("a", "t1") is None
    assert store.asking("a", "t2") is None


async def test_a_question_that_comes_before_its_task_waits_for_it(store):
    store.remember("a", "t1", (TASK, QUESTION))
    assert await store.get("t1", of("a")) is None

    await store.save(task(1, TaskState.TASK_STATE_INPUT_REQUIRED), of("a"))

    assert store.asking("a", "t1") == (TASK, QUESTION)


async def test_pages_follow_each_other_without_gap_or_repeat(store):
    for number in range(5):
        await store.save(task(number), of("a"))

    seen, token = [], ""
    while True:
        page = await store.list(ListTasksRequest(page_size=2, page_token=token), of("a"))
        seen += [each.id for each in page.tasks]
        token = page.next_page_token
        if not token:
            break

    assert seen == ["t4", "t3", "t2", "t1", "t0"]
    assert page.total_size == 5


async def test_a_list_is_narrowed_by_conversation_state_and_time(store):
    await store.save(task(1), of("a"))
    await store.save(task(2, TaskState.TASK_STATE_FAILED), of("a"))
    await store.save(task(3, context_id="d"), of("a"))
    since = ListTasksRequest()
    since.status_timestamp_after.FromSeconds(2)

    async def found(request):
        return {each.id for each in (await store.list(request, of("a"))).tasks}

    assert await found(ListTasksRequest(context_id="d")) == {"t3"}
    assert await found(ListTasksRequest(status=TaskState.TASK_STATE_FAILED)) == {"t2"}
    assert await found(since) == {"t2", "t3"}


async def test_a_page_token_of_another_is_refused(store):
    with pytest.raises(InvalidParamsError, match="no page token"):
        await store.list(ListTasksRequest(page_token="x1"), of("a"))
