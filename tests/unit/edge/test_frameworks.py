"""What each framework does with what a view returns or raises; without a Synapse."""

import sys
from wsgiref.util import setup_testing_defaults

import pytest
from flask import Flask
from starlette.applications import Starlette

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
