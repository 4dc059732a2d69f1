"""The past that a Prism tells: asked at its address, and refused where it shows something else."""

import contextlib
import http.server
import threading

import pytest

from cosmonapse.recordings.lines import header_line
from cosmonapse.recordings.prism_memory import NoMemory, past_of
from support.observed import observed
from support.processes import closed_port
from support.recorded import BEGAN_TS, header, heard

URL = "cosmo://host:7070"


@contextlib.contextmanager
def answering(*lines, status=200, start=None):
    """Answer every request with a recording of these lines; yield the address and the requests."""
    asked = []
    body = "".join((header_line(header()) if start is None else start, *lines)).encode()

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, self.headers.get("Authorization")))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *unused):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", asked
        finally:
            server.shutdown()
            thread.join()


def test_the_signals_come_with_their_times():
    seen = [observed(payload={"n": n}) for n in range(2)]
    lines = [heard(n, each) for n, each in enumerate(seen)]

    with answering(lines[0], "nothing\n", lines[1], "cut") as (address, asked):
        past = past_of(address, "shown", URL)

    assert past == [(BEGAN_TS, seen[0]), (BEGAN_TS + 1, seen[1])]
    assert asked == [("/api/recording", None)]


def test_a_token_is_sent_as_a_header():
    with answering() as (address, asked):
        past_of(f"{address.removeprefix('http://')}/?token=abc", "shown", URL)

    assert asked == [("/api/recording", "Bearer abc")]


@pytest.mark.parametrize(("namespace", "url"), [("other", URL), ("shown", "cosmo://host:9")])
def test_a_prism_that_shows_something_else_is_refused(namespace, url):
    with answering() as (address, _), pytest.raises(NoMemory, match="shows 'shown' at"):
        past_of(address, namespace, url)


@pytest.mark.parametrize(
    ("status", "start", "said"),
    [
        (401, None, "wants its token: give the address that it printed"),
        (404, None, "it answers 404"),
        (200, "<html>\n", "it is no recording"),
        (200, "", "it is no recording"),
    ],
)
def test_what_is_no_answer_is_said(status, start, said):
    answer = answering(status=status, start=start)
    with answer as (address, _), pytest.raises(NoMemory, match=said):
        past_of(address, "shown", URL)


def test_where_nobody_listens_the_text_says_what_to_do():
    with pytest.raises(NoMemory, match=r"no Prism answers at .+ \(Connection refused\).+--from"):
        past_of(f"http://127.0.0.1:{closed_port()}", "shown", URL)


@pytest.mark.parametrize(
    "address", ["", "http://", "ftp://host", "https://host", "http://h:x", "["]
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(NoMemory, match="such as http://127"):
        past_of(address, "shown", URL)
