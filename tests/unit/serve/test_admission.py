"""Who may use a gateway: every case of Host, Origin and token, without a socket."""

import pytest

from cosmonapse.serve.admission import Admission, Admitted, Refusal, cors_headers

TOKEN = "sesame"
LOCAL = Admission()
SECRET = Admission(token=TOKEN, origins={"http://UI.example", "http://localhost:3000"})
FAR = Admission(token=TOKEN, hosts={"Gate.example", "10.0.0.5"}, is_beyond_loopback=True)


def checked(admission, *, method="POST", path="/neurons/a", **headers):
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return admission.check(method, path, raw)


def code_of(outcome):
    return outcome.code if isinstance(outcome, Refusal) else "ok"


@pytest.mark.parametrize(
    ("admission", "host", "code"),
    [
        (LOCAL, "127.0.0.1:8080", "ok"),
        (LOCAL, "LOCALHOST", "ok"),
        (LOCAL, "[::1]:8080", "ok"),
        (LOCAL, "evil.example:8080", "FOREIGN_HOST"),
        (LOCAL, "127.0.0.1.evil.example", "FOREIGN_HOST"),
        (LOCAL, "10.0.0.5", "FOREIGN_HOST"),
        (LOCAL, "", "FOREIGN_HOST"),
        (FAR, "gate.example:443", "ok"),
        (FAR, "192.168.7.7:9000", "ok"),
        (FAR, "[fe80::1]:9000", "ok"),
        (FAR, "evil.example", "FOREIGN_HOST"),
    ],
)
def test_a_host_that_is_not_ours_is_refused(admission, host, code):
    assert code_of(checked(admission, host=host, authorization=f"Bearer {TOKEN}")) == code


def test_a_request_without_a_host_or_with_two_is_refused():
    assert code_of(checked(LOCAL)) == "FOREIGN_HOST"
    assert code_of(LOCAL.check("GET", "/", [(b"host", b"localhost")] * 2)) == "FOREIGN_HOST"


@pytest.mark.parametrize(
    ("admission", "origin", "code"),
    [
        (LOCAL, "http://evil.example", "FOREIGN_ORIGIN"),
        (LOCAL, "null", "FOREIGN_ORIGIN"),
        (LOCAL, "", "FOREIGN_ORIGIN"),
        (LOCAL, "http://localhost:3000", "FOREIGN_ORIGIN"),
        (LOCAL, "http://localhost:8080", "ok"),
        (LOCAL, "file://localhost:8080", "FOREIGN_ORIGIN"),
        (SECRET, "http://localhost:3000", "ok"),
        (SECRET, "http://ui.example", "ok"),
        (SECRET, "https://ui.example", "FOREIGN_ORIGIN"),
        (Admission(token=TOKEN, origins={"*"}), "http://evil.example", "ok"),
    ],
)
def test_an_origin_that_is_not_named_is_refused(admission, origin, code):
    answer = checked(
        admission, host="localhost:8080", origin=origin, authorization=f"Bearer {TOKEN}"
    )

    assert code_of(answer) == code


def test_the_default_port_of_an_origin_is_left_out():
    assert code_of(checked(LOCAL, host="localhost", origin="http://localhost:80")) == "ok"


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        ("Bearer sesame", "ok"),
        ("bearer  sesame", "ok"),
        ("Bearer sesam", "UNAUTHORIZED"),
        ("Bearer sesame2", "UNAUTHORIZED"),
        ("Bearer ", "UNAUTHORIZED"),
        ("Bearer \u00e9", "UNAUTHORIZED"),
        ("Basic sesame", "UNAUTHORIZED"),
        ("sesame", "UNAUTHORIZED"),
    ],
)
def test_the_token_is_asked_for(authorization, code):
    assert code_of(checked(SECRET, host="localhost", authorization=authorization)) == code


@pytest.mark.parametrize("headers", [{}, {"authorization": TOKEN}, {"x_api_key": TOKEN}])
def test_whoever_does_not_say_bearer_is_told_to(headers):
    refusal = checked(SECRET, host="localhost", **headers)

    assert "Authorization: Bearer TOKEN" in refusal.text


CARD = "/a2a/book/.well-known/agent-card.json"


def test_what_is_open_asks_for_no_token_to_be_read():
    assert code_of(checked(SECRET, host="localhost")) == "UNAUTHORIZED"
    assert checked(SECRET, method="GET", path="/healthz").is_open
    assert checked(SECRET, method="HEAD", path="/readyz", host="evil.example").is_open
    assert checked(SECRET, method="GET", path=CARD, host="localhost").is_open
    at_root = CARD.removeprefix("/a2a/book")
    assert checked(SECRET, method="GET", path=at_root, host="localhost").is_open
    foreign = checked(SECRET, method="GET", path=CARD, host="evil.example")
    assert code_of(foreign) == "FOREIGN_HOST"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/healthz"),
        ("POST", CARD),
        ("GET", "/v1/models/echo/.well-known/agent-card.json"),
        ("GET", "/a2a/book/tasks/x/.well-known/agent-card.json"),
        ("GET", "/healthz/"),
        ("GET", "//healthz"),
        ("OPTIONS", "/mcp"),
    ],
)
def test_what_is_beside_an_open_path_asks_for_the_token(method, path):
    assert code_of(checked(SECRET, method=method, path=path, host="localhost")) == "UNAUTHORIZED"


def test_a_preflight_is_answered_for_a_named_origin_alone():
    asks = {"access_control_request_method": "POST", "access_control_request_headers": "x-a"}
    answer = checked(SECRET, method="OPTIONS", host="localhost", origin="http://ui.example", **asks)
    assert (answer.status, answer.headers["access-control-allow-headers"]) == (204, "x-a")
    assert answer.headers["access-control-allow-origin"] == "http://ui.example"

    asks["access_control_request_headers"] = "x-a\r\nset-cookie: b"
    answer = checked(SECRET, method="OPTIONS", host="localhost", origin="http://ui.example", **asks)
    assert "cookie" not in answer.headers["access-control-allow-headers"]

    foreign = checked(SECRET, method="OPTIONS", host="localhost", origin="http://e.example", **asks)
    assert foreign.code == "FOREIGN_ORIGIN"


def test_a_page_may_read_whether_to_send_a_request_again():
    exposed = cors_headers("http://ui.example")["access-control-expose-headers"].split(", ")

    assert {"x-should-retry", "retry-after", "x-request-id"} <= set(exposed)


def test_the_answer_names_the_origin_that_may_read_it():
    named = checked(LOCAL, host="localhost:1", origin="http://localhost:1")

    assert named == Admitted("http://localhost:1")
    assert "sesame" not in repr(SECRET)
