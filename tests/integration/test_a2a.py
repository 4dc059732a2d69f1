"""`cosmo serve --a2a`, spoken to by the client of A2A's own SDK, over both of its bindings."""

import asyncio
import signal

import pytest
import pytest_asyncio
from a2a.client.errors import A2AClientError
from a2a.types import CancelTaskRequest, ListTasksRequest, Part, SubscribeToTaskRequest

from cosmonapse import Axon, BlockingDendrite
from cosmonapse.serve.a2a_parts import JSON_TYPE, MAX_DEPTH
from house import source
from support.a2a_neurons import (
    BINDINGS,
    DEPTH,
    LARGE,
    KnownToken,
    Waiting,
    artifact,
    axons,
    code,
    data,
    said,
    search,
    state,
    talking,
    text,
)
from support.gateways import serving
from support.processes import until

pytestmark = pytest.mark.asyncio
WAYS = [(binding, streaming) for binding in BINDINGS for streaming in (True, False)]


@pytest.fixture(scope="module")
def waiting():
    return Waiting()


@pytest.fixture(scope="module")
def gateway(url, waiting):
    flags = ["--a2a", "--a2a-agent", "chat", "--timeout", "30"]
    with serving(url, *axons(waiting), flags=flags) as running:
        yield running


@pytest_asyncio.fixture(params=WAYS, ids=lambda way: f"{way[0]}-{'stream' if way[1] else 'plain'}")
async def way(request, gateway):
    """Talk to an agent in each of the four ways."""
    return lambda neuron: talking(gateway, neuron, *request.param)


# -- each row of the table, in each of the four ways ----------------------------------------------


async def test_an_output_completes_and_whole_numbers_stay_whole(way):
    async with way("echo") as talk:
        task = await talk.say(data({"nights": 2, "share": 2.5}))

    assert state(task) == "COMPLETED"
    assert artifact(task) == [
        {"got": {"nights": 2, "share": 2.5}, "kinds": {"nights": "int", "share": "float"}}
    ]


async def test_thoughts_are_appended_and_an_output_that_repeats_them_is_a_value_alone(way):
    async with way("chat") as talk:
        task = await talk.say(text("count"))

    assert "".join(artifact(task, "text")) == "one two three"
    assert artifact(task) == [{"response": "one two three"}]


async def test_a_question_waits_for_the_next_message_as_often_as_it_is_asked(way):
    async with way("book") as talk:
        first = await talk.say(text("Oslo"))
        assert (state(first), said(first)) == ("INPUT_REQUIRED", "question 1?")
        second = await talk.say(text("three"))
        assert (state(second), said(second)) == ("INPUT_REQUIRED", "question 2?")
        last = await talk.say(data({"answer": 4}))

    assert artifact(last) == [{"city": "Oslo", "said": ["three", 4]}]
    told = ["".join(part.text for part in each.parts) for each in last.history]
    assert told == ["Oslo", "question 1?", "three", "question 2?", ""]


async def test_a_permission_is_granted_by_a_word_and_an_unclear_one_is_asked_for_again(way):
    async with way("erase") as talk:
        asked = await talk.say(text("now"))
        assert (state(asked), said(asked)) == ("AUTH_REQUIRED", "erase all")
        again = await talk.say(text("perhaps"))
        assert state(again) == "AUTH_REQUIRED"
        assert '"yes" or "no"' in said(again)
        granted = await talk.say(text("Yes"))

    assert artifact(granted) == [{"permission": {"action": "erase all", "granted": True}}]


async def test_an_error_has_its_state_and_its_code(way):
    async with way("fail") as talk:
        rejected = await talk.say(text("OVERLOADED"))
        failed = await talk.say(text("MY_OWN"), go_on=False)

    assert (state(rejected), code(rejected), said(rejected)) == (
        "REJECTED",
        "OVERLOADED",
        "as asked",
    )
    assert (state(failed), code(failed), failed.metadata["code"]) == (
        "FAILED",
        "MY_OWN",
        "MY_OWN",
    )


# -- once is enough -------------------------------------------------------------------------------


async def test_an_escalation_goes_on_at_the_neuron_that_it_names(gateway):
    async with talking(gateway, "climb") as talk:
        asked = await talk.say(text("up"))
        assert (state(asked), said(asked)) == ("INPUT_REQUIRED", "too hard")
        done = await talk.say(data({"help": 1}))

    assert artifact(done)[0]["got"] == {"help": 1}


async def test_a_text_goes_into_the_one_text_field_of_the_card(gateway):
    async with talking(gateway, "search") as talk:
        task = await talk.say(text("cosmos"))

    assert artifact(task) == [{"query": "cosmos"}]


async def test_text_and_data_become_one_input(gateway):
    async with talking(gateway, "echo") as talk:
        task = await talk.say(text("a"), text("b"), data({"n": 1}))

    assert artifact(task)[0]["got"] == {"prompt": "a\nb", "n": 1}


async def test_a_file_is_rejected_with_what_to_send(gateway):
    async with talking(gateway, "echo") as talk:
        task = await talk.say(Part(url="http://localhost/a.png"))

    assert (state(task), code(task)) == ("REJECTED", "BAD_REQUEST")
    assert "send text and data parts" in said(task)


async def test_large_numbers_travel_exactly_as_json_in_a_text_part(gateway):
    async with talking(gateway, "large") as talk:
        task = await talk.say(text("go"))
    rounded, exact = artifact(task)
    async with talking(gateway, "echo") as talk:
        back = await talk.say(text(exact, JSON_TYPE))

    assert exact == f'{{"number": {LARGE}}}'
    assert rounded == {"number": float(LARGE)}
    assert str(LARGE) in artifact(back)[-1]


async def test_a_value_as_deep_as_a_data_part_may_be_comes_back_and_a_deeper_one_as_json(gateway):
    value = {}
    for _ in range(MAX_DEPTH - 2):
        value = {"in": value}
    async with talking(gateway, "echo") as talk:
        task = await talk.say(data(value))
    async with talking(gateway, "deep") as talk:
        deep = await talk.say(text("go"))

    assert artifact(task)[0]["got"] == value
    assert artifact(deep)[0].count("in") == DEPTH


async def test_a_chat_like_output_has_its_text_too(gateway):
    async with talking(gateway, "bare") as talk:
        task = await talk.say(text("you"))

    assert artifact(task) == ["hello you", {"response": "hello you"}]


@pytest.mark.parametrize(
    ("request_id", "text", "number", "said"),
    [
        (b'"\xff"', b"a", -32700, "it is not in UTF-8, at byte 24"),
        (b"NaN", b"a", -32700, "it has NaN, which is no number of JSON"),
        (rb'"\ud800"', b"a", -32600, r"holds half of a surrogate pair: '\ud800'"),
        (b"1", rb"\ud800", -32600, r"holds half of a surrogate pair: '\ud800'"),
    ],
)
async def test_a_body_that_json_cannot_be_is_told_to_its_client_and_only_counted(
    gateway, request_id, text, number, said
):
    params = (
        b'{"message": {"messageId": "1", "role": "ROLE_USER", "parts": [{"text": "%s"}]}}' % text
    )
    request = b'{"jsonrpc":"2.0", "id":%s, "method": "SendMessage", "params": %s}'
    bodies = {"": request % (request_id, params), "/message:send": b'{"id": %s}' % request_id}
    if text != b"a":
        bodies["/message:send"] = params
    lines = len(gateway.process.err)

    with gateway.client(headers={**gateway.headers, "A2A-Version": "1.0"}) as http:
        answers = [http.post(f"/a2a/echo{path}", content=bodies[path]) for path in bodies]

    rpc, rest = (each.json()["error"] for each in answers)
    assert (rpc["code"], answers[1].status_code) == (number, 400)
    assert said in rpc["message"]
    assert said.partition(", at byte")[0] in rest["message"]
    assert len(gateway.process.err) == lines


async def test_a_conversation_is_one_workflow(gateway):
    async with talking(gateway, "trace") as talk:
        first = await talk.say(text("a"), go_on=False)
        again = await talk.say(text("b"), context_id=first.context_id, go_on=False)
        mine = await talk.say(text("c"), context_id="my-own", go_on=False)
        mine_again = await talk.say(text("d"), context_id="my-own", go_on=False)
    traces = [artifact(each)[0]["trace_id"] for each in (first, again, mine, mine_again)]

    assert traces[0] == traces[1] == first.context_id
    assert traces[2] == traces[3] != traces[0]
    assert first.metadata["trace_id"] == traces[0]


async def test_the_deadline_of_a_message_ends_its_task(gateway, waiting):
    async with talking(gateway, "wait") as talk:
        task = await talk.say(text("a"), metadata={"timeout_s": 0.3})
        wrong = await talk.say(text("a"), metadata={"timeout_s": "soon"}, go_on=False)

    assert (state(task), code(task)) == ("FAILED", "EXPIRED")
    assert (state(wrong), code(wrong)) == ("REJECTED", "BAD_REQUEST")


async def started(talk, waiting):
    """Send a message that its Neuron works on, and hang up."""
    before = waiting.started
    sending = asyncio.create_task(talk.say(text("a")))
    await until(lambda: waiting.started > before and talk.task is not None)
    sending.cancel()
    await asyncio.wait([sending])


@pytest.mark.parametrize("binding", BINDINGS)
async def test_a_hang_up_lets_the_task_go_on_and_a_cancel_ends_it(gateway, waiting, binding):
    async with talking(gateway, "wait", binding, True) as talk:
        before = waiting.cancelled
        await started(talk, waiting)
        task = await talk.again()
        assert (state(task), waiting.cancelled) == ("WORKING", before)

        follower = aiter(talk.client.subscribe(SubscribeToTaskRequest(id=task.id)))
        first = await anext(follower)
        cancelled = await talk.client.cancel_task(CancelTaskRequest(id=task.id))

        await until(lambda: waiting.cancelled > before)
        assert state(first.task) == "WORKING"
        assert state(cancelled) == state(await talk.again()) == "CANCELED"
        async for _ in follower:
            pass


async def test_a_task_that_waits_for_an_answer_can_be_cancelled(gateway):
    async with talking(gateway, "book") as talk:
        task = await talk.say(text("Oslo"))
        cancelled = await talk.client.cancel_task(CancelTaskRequest(id=task.id))

    assert state(cancelled) == "CANCELED"


async def test_tasks_are_listed_for_their_agent_alone(gateway):
    async with talking(gateway, "plain") as talk:
        task = await talk.say(text("a"))
        listed = await talk.client.list_tasks(ListTasksRequest(context_id=task.context_id))
    async with talking(gateway, "chat") as other:
        elsewhere = await other.client.list_tasks(ListTasksRequest(context_id=task.context_id))

    assert [each.id for each in listed.tasks] == [task.id]
    assert not elsewhere.tasks


async def test_a_neuron_that_is_gone_has_no_card_and_its_calls_are_rejected(gateway):
    short = Axon(neuron_id="short", neuron_fn=search, description="Soon gone")
    settings = {"namespace": gateway.namespace, "dendrite_id": "short", "axons": [short]}
    path = "/a2a/short/.well-known/agent-card.json"
    with gateway.client() as http:
        with BlockingDendrite(gateway.url, **settings):
            await until(lambda: http.get(path).status_code == 200)
        await until(lambda: http.get(path).status_code == 404)
        gone = http.get(path).json()
        message = {"messageId": "1", "role": "ROLE_USER", "parts": [{"text": "a"}]}
        answer = http.post(
            "/a2a/short/message:send", json={"message": message}, headers={"A2A-Version": "1.0"}
        )

    assert gone["code"] == "NO_SUCH_NEURON"
    assert answer.json()["task"]["status"]["state"] == "TASK_STATE_REJECTED"
    assert answer.json()["task"]["status"]["message"]["metadata"]["code"] == "NO_SUCH_NEURON"


async def test_errors_of_the_protocol_have_its_form_and_leave_no_traceback(gateway):
    version = {"A2A-Version": "1.0"}
    with gateway.client(headers={**gateway.headers, **version}) as http:
        no_json = http.post("/a2a/echo", content="{")
        no_method = http.post("/a2a/echo", json={"jsonrpc": "2.0", "id": 1, "method": "Nope"})
        no_params = {"jsonrpc": "2.0", "id": 1, "method": "GetTask", "params": {"id": 1}}
        bad_params = http.post("/a2a/echo", json=no_params)
        no_task = http.get("/a2a/echo/tasks/nope")
        bad_body = http.post("/a2a/echo/message:send", content="{")

    assert no_json.json()["error"]["code"] == -32700
    assert no_method.json()["error"]["code"] == -32601
    assert bad_params.json()["error"]["code"] == -32602
    assert no_task.status_code == 404
    assert no_task.json()["error"]["status"] == "NOT_FOUND"
    assert bad_body.status_code == 400
    assert not any("Traceback" in line.text for line in gateway.process.err)


async def test_cards_are_open_and_the_rest_needs_the_token(gateway):
    with gateway.client(headers={}) as http:
        card = http.get("/a2a/search/.well-known/agent-card.json")
        root = http.get("/.well-known/agent-card.json")
        listed = http.get("/a2a")
        call = http.post("/a2a/echo", json={})

    assert card.json()["version"] == "7"
    assert card.json()["securitySchemes"]
    assert root.json()["name"] == "chat"
    assert (listed.status_code, call.status_code) == (401, 401)


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("binding", BINDINGS)
async def test_the_sdk_sends_the_token_by_the_scheme_of_the_card(gateway, binding, streaming):
    known = KnownToken(gateway.token)
    async with talking(gateway, "book", binding, streaming, known) as talk:
        asked = await talk.say(text("Oslo"))
        cancelled = await talk.client.cancel_task(CancelTaskRequest(id=asked.id))
    async with talking(gateway, "book", binding, streaming, KnownToken("wrong")) as talk:
        with pytest.raises(A2AClientError, match="401"):
            await talk.say(text("Oslo"))

    assert (state(asked), state(cancelled)) == ("INPUT_REQUIRED", "CANCELED")


async def test_a_gateway_without_a_token_declares_no_scheme_and_gets_none(url):
    with serving(url, Axon(neuron_id="search", neuron_fn=search), flags=["--a2a"], token="") as own:
        async with talking(own, "search", credentials=KnownToken("not asked for")) as talk:
            task = await talk.say(data({"query": "a"}))
        with own.client() as http:
            card = http.get("/a2a/search/.well-known/agent-card.json").json()

    assert state(task) == "COMPLETED"
    assert "securitySchemes" not in card
    assert "securityRequirements" not in card


async def test_the_list_names_every_neuron(gateway):
    with gateway.client() as http:
        listed = http.get("/a2a").json()["agents"]

    assert {"bare", "chat", "search"} <= {each["id"] for each in listed}
    assert listed[0]["url"].startswith(gateway.base_url)


async def test_a_stop_ends_open_streams_within_a_second(url, waiting):
    with serving(url, *axons(waiting), flags=["--a2a", "--base-url", "https://a.example/"]) as own:
        async with own.async_client() as http:
            card = (await http.get("/a2a/wait/.well-known/agent-card.json")).json()
            assert card["supportedInterfaces"][0]["url"] == "https://a.example/a2a/wait"
            message = {"messageId": "1", "role": "ROLE_USER", "parts": [{"text": "a"}]}
            asked = http.stream(
                "POST",
                "/a2a/wait/message:stream",
                json={"message": message},
                headers={"A2A-Version": "1.0"},
            )
            async with asked as answer:
                lines = answer.aiter_lines()
                async for line in lines:
                    if "begun" in line:
                        break
                before = waiting.cancelled
                own.process.send(signal.SIGTERM)
                async with asyncio.timeout(8.0):  # far below the grace of 10 s
                    rest = [line async for line in lines]

        assert await asyncio.to_thread(own.process.wait) == 0
        assert any("TASK_STATE_CANCELED" in line or "TASK_STATE_FAILED" in line for line in rest)
        await until(lambda: waiting.cancelled > before)


async def test_the_program_on_the_page_prints_what_the_neuron_says(gateway, monkeypatch, capsys):
    monkeypatch.setenv("COSMO_TOKEN", gateway.token)
    page = (source.ROOT / "docs" / "gateways.md").read_text()
    section = page.partition("\n## A2A\n")[2].partition("\n## ")[0]
    program = section.partition("```python\n")[2].partition("```")[0]
    program = program.replace("http://127.0.0.1:8080", gateway.base_url)

    await asyncio.to_thread(exec, compile(program, "gateways.md", "exec"), {})

    assert capsys.readouterr().out == "one two three"
