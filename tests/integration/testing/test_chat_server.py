"""The stand-in provider, asked over real sockets."""

import http.client
import json

import pytest

from cosmonapse.testing import ChatServer
from cosmonapse.testing.chat_manners import BEHAVIOURS

BODY = {"model": "m", "messages": [{"role": "user", "content": "What is a Synapse?"}]}
STREAMED = {**BODY, "stream": True}


class Answer:
    """What came back: `status`, `headers`, `text`."""

    def __init__(self, server, body, path):
        host = server.url.removeprefix("http://")
        connection = http.client.HTTPConnection(host, timeout=5.0)
        try:
            text = body if isinstance(body, str) else json.dumps(body)
            connection.request("POST", path, text, {"X-Who": "me"})
            response = connection.getresponse()
            self.status, self.headers = response.status, response.headers
            self.text = response.read().decode()
        finally:
            connection.close()

    @property
    def content(self):
        """The text of a whole answer."""
        return json.loads(self.text)["choices"][0]["message"]["content"]

    @property
    def events(self):
        """The data of a streamed answer."""
        return [
            line.removeprefix("data: ") for line in self.text.split("\n") if line[:5] == "data:"
        ]

    @property
    def streamed(self):
        """The text of a streamed answer, and how often it was sent in pieces."""
        documents = [json.loads(each) for each in self.events if each[0] == "{"]
        return [each["choices"][0]["delta"].get("content", "") for each in documents]


def post(server, body=BODY, path="/v1/chat/completions"):
    return Answer(server, body, path)


def test_it_answers_with_what_it_was_asked(cosmo_chat_server):
    answer = post(cosmo_chat_server)

    assert (answer.status, answer.content) == (200, "echo: What is a Synapse?")


def test_it_answers_token_by_token_when_it_is_asked_to(cosmo_chat_server):
    answer = post(cosmo_chat_server, STREAMED)

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.streamed == ["echo: ", "What ", "is ", "a ", "Synapse?", ""]
    assert answer.events[-1] == "[DONE]"


def test_it_keeps_what_it_was_asked(cosmo_chat_server):
    post(cosmo_chat_server)

    (request,) = cosmo_chat_server.requests
    assert (request.path, request.json, request.headers["x-who"]) == (
        "/v1/chat/completions",
        BODY,
        "me",
    )


def test_a_script_is_followed_line_by_line_and_then_all_is_as_before(cosmo_chat_server):
    cosmo_chat_server.answers("Hello you.").behaves("500").answers("Again.")

    answers = [post(cosmo_chat_server) for _ in range(4)]

    assert [each.status for each in answers] == [200, 500, 200, 200]
    assert [each.content for each in answers if each.status == 200] == [
        "Hello you.",
        "Again.",
        "echo: What is a Synapse?",
    ]


def test_a_scripted_text_is_streamed_in_words(cosmo_chat_server):
    cosmo_chat_server.answers("Hello you.")

    answer = post(cosmo_chat_server, STREAMED)

    assert answer.streamed == ["Hello ", "you.", ""]


@pytest.mark.parametrize("name", ["400", "401", "404", "429", "500", "503", "529"])
def test_it_refuses_as_providers_do(cosmo_chat_server, name):
    cosmo_chat_server.behaves(name)

    answer = post(cosmo_chat_server)

    assert answer.status == int(name)
    assert json.loads(answer.text)


def test_a_429_says_when_to_come_back_and_nothing_else_does():
    with ChatServer(retry_after_s=7).behaves("429", "503") as server:
        limited, loading = post(server), post(server)

    assert limited.headers["retry-after"] == "7"
    assert "retry-after" not in loading.headers


def test_a_behaviour_may_be_named_by_the_model_or_the_last_prompt(cosmo_chat_server):
    by_model = post(cosmo_chat_server, {**BODY, "model": "401"})
    by_prompt = post(cosmo_chat_server, {"messages": [{"role": "user", "content": "404"}]})

    assert (by_model.status, by_prompt.status) == (401, 404)


@pytest.mark.parametrize("body", [BODY, STREAMED], ids=["whole", "streamed"])
def test_an_answer_may_be_cut_off_in_the_middle(body):
    with ChatServer("cut-off") as server, pytest.raises(http.client.IncompleteRead) as caught:
        post(server, body)

    assert b"choices" in caught.value.partial


def test_an_answer_may_be_no_json():
    with ChatServer("malformed") as server:
        answer = post(server)

    assert answer.status == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.text)


def test_a_slow_answer_is_over_when_the_server_closes():
    with ChatServer("slow", delay_s=60.0) as server:
        host = server.url.removeprefix("http://")
        connection = http.client.HTTPConnection(host, timeout=5.0)
        connection.request("POST", "/", json.dumps(STREAMED))
        head = connection.getresponse()

    assert head.status == 200
    with pytest.raises(http.client.IncompleteRead):
        head.read()
    connection.close()


def test_messages_are_answered_in_their_own_dialect(cosmo_chat_server):
    answer = post(cosmo_chat_server, STREAMED, "/v1/messages")

    types = [json.loads(each)["type"] for each in answer.events]
    assert (types[0], types[-1]) == ("message_start", "message_stop")


@pytest.mark.parametrize("body", ["{", "[1]", "null"])
def test_a_request_that_is_no_json_object_is_refused(cosmo_chat_server, body):
    answer = post(cosmo_chat_server, body)

    assert answer.status == 400
    assert "no JSON object" in answer.text


def test_a_behaviour_that_is_none_is_told_with_those_there_are():
    with pytest.raises(ValueError, match="unknown behaviour 'fast'; there are ok, slow"):
        ChatServer("fast")
    with ChatServer() as server, pytest.raises(ValueError, match="unknown behaviour"):
        server.behaves("ok", "fast")


def test_every_behaviour_stands_in_the_help():
    missing = [name for name in BEHAVIOURS if f"`{name}`" not in ChatServer.__doc__]

    assert not missing
