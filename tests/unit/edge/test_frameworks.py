"""What each framework does with what a view returns or raises; without a Synapse."""

import asyncio
import json
import sys
from unittest import mock
from wsgiref.util import setup_testing_defaults

import httpx
import pytest
from flask import Flask
from starlette.applications import Starlette
from starlette.routing import Route

from cosmonapse import DendriteProtocolError, MissingExtra, NeuronError
from cosmonapse.edge import fastapi as fastapi_edge
from cosmonapse.edge import flask as flask_edge
from cosmonapse.edge import wsgi as wsgi_edge


@pytest.fixture
def app():
    made = Flask(__name__)
    flask_edge.Cosmo(made)
    return made


def get(application, **environ):
    """Call a WSGI application; return status line, headers and body."""
    setup_testing_defaults(environ)
    told = []
    body = b"".join(application(environ, lambda *head: told.append(head)))
    return told[0][0], dict(told[0][1]), body


def raising(error):
    def view(*_):
        raise error

    return view


def test_flask_answers_what_a_view_raises(app):
    app.add_url_rule("/", view_func=raising(NeuronError("NO_GOOD", "why")))

    answer = app.test_client().get("/")

    assert (answer.status_code, answer.json["code"]) == (502, "NO_GOOD")


@pytest.mark.parametrize("error", [TimeoutError("of a database"), ZeroDivisionError("mine")])
def test_flask_keeps_for_itself_what_is_not_ours(error, app):
    app.add_url_rule("/", view_func=raising(error))

    answer = app.test_client().get("/")

    assert (answer.status_code, answer.mimetype) == (500, "text/html")
    assert app.test_client().get("/nowhere").status_code == 404


OURS = ExceptionGroup("unhandled errors", [NeuronError("NO_GOOD", "one"), NeuronError("BAD", "2")])
MIXED = ExceptionGroup("unhandled errors", [ExceptionGroup("inner", [KeyError("SECRET")])])


def asgi_get(error):
    """Return the answer of a Starlette app to a view that raises an error."""

    async def view(request):
        raise error

    app = Starlette(routes=[Route("/", view)])
    fastapi_edge.Cosmo(app)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)

    async def ask():
        async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
            return await client.get("/")

    return asyncio.run(ask())


def test_a_group_of_outcomes_is_answered_by_each_framework(app):
    app.add_url_rule("/", view_func=raising(OURS))
    flask_answer = app.test_client().get("/")
    asgi_answer = asgi_get(OURS)
    status, _, body = get(wsgi_edge.Cosmo().application(raising(OURS)))

    assert flask_answer.status_code == asgi_answer.status_code == int(status.split()[0]) == 502
    assert flask_answer.json == asgi_answer.json() == json.loads(body)
    assert flask_answer.json["error"] == "one; 2"


def test_a_group_with_a_fault_is_500_and_its_leaves_are_in_the_log(caplog):
    status, _, body = get(wsgi_edge.Cosmo().application(raising(MIXED)))

    assert asgi_get(MIXED).status_code == 500
    assert status == "500 Internal Server Error"
    assert b"SECRET" not in body
    assert "could not be served: KeyError('SECRET')" in caplog.text


@pytest.fixture
def streaming():
    """A WSGI app that streams a task, which is refused as soon as it is sent."""
    cosmo = wsgi_edge.Cosmo()
    cosmo._mine.stream = mock.Mock(side_effect=NeuronError("NO_GOOD", "it was sent"))
    return cosmo.application(lambda environ: cosmo.stream(environ, input={}))


def test_a_wsgi_stream_is_empty_for_one_who_has_read_its_end(streaming):
    assert get(streaming, HTTP_LAST_EVENT_ID="end-trc_1") == ("204 No Content", {}, b"")


@pytest.mark.parametrize("environ", [{}, {"HTTP_LAST_EVENT_ID": "7"}], ids=str)
def test_a_wsgi_stream_is_sent_for_all_others(environ, streaming):
    assert get(streaming, **environ)[0] == "502 Bad Gateway"


def test_flask_finds_the_extension_and_makes_responses_by_hand(app):
    with app.test_request_context():
        answer = flask_edge.respond(TimeoutError("late"))

    assert isinstance(app.extensions["cosmonapse"], flask_edge.Cosmo)
    assert (answer.status_code, answer.json["error"]) == (504, "late")


def test_a_wsgi_view_may_return_an_output_or_an_answer_of_its_own():
    cosmo = wsgi_edge.Cosmo()

    output = get(cosmo.application(lambda environ: {"n": 1}))
    own = get(cosmo.application(lambda environ: wsgi_edge.HttpAnswer(404, {"error": "no"})))

    headers = {"Content-Type": "application/json", "Content-Length": "8"}
    assert output == ("200 OK", headers, b'{"n": 1}')
    assert own[0] == "404 Not Found"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NeuronError("CANCELLED", "gone"), "499 Client Closed Request"),
        (ZeroDivisionError("SECRET"), "500 Internal Server Error"),
    ],
)
def test_whatever_a_wsgi_view_raises_becomes_json(error, status):
    told, headers, body = get(wsgi_edge.Cosmo().application(raising(error)))

    assert (told, headers["Content-Type"]) == (status, "application/json")
    assert b"SECRET" not in body


@pytest.mark.parametrize("length", ["x", "-1", str(wsgi_edge.MAX_BODY_BYTES + 1)])
def test_a_wsgi_body_of_a_length_that_makes_no_sense_is_refused(length):
    view = wsgi_edge.Cosmo().application(lambda environ: wsgi_edge.json_body(environ))

    status, _, _ = get(view, CONTENT_LENGTH=length, CONTENT_TYPE="application/json")

    assert status == "400 Bad Request"


def test_fastapi_says_when_its_app_does_not_run():
    with pytest.raises(DendriteProtocolError, match="starts with the app"):
        _ = fastapi_edge.Cosmo(Starlette()).dendrite


@pytest.mark.parametrize(
    ("module", "package", "extra"),
    [("flask", "flask", "flask"), ("fastapi", "starlette.applications", "fastapi")],
)
def test_a_framework_that_is_not_installed_is_named_with_its_extra(
    module, package, extra, monkeypatch
):
    monkeypatch.delitem(sys.modules, f"cosmonapse.edge.{module}")
    monkeypatch.setitem(sys.modules, package, None)

    with pytest.raises(MissingExtra, match=rf"\[{extra}\]"):
        __import__(f"cosmonapse.edge.{module}")
