"""Prism with its token, as processes: beyond loopback always, on loopback when it is asked for."""

import os
import re
import stat
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from cosmonapse.cli import observing
from cosmonapse.http_server.bound_address import BoundAddress
from cosmonapse.prism.server import serve
from support.prism import prism
from support.processes import Children

TOKEN = re.compile(r"\?token=([\w-]{43})$")


@pytest.fixture(scope="module")
def closed(url):
    """A Prism on every interface; its address on loopback, and its token."""
    with Children() as children:
        child, printed = prism(children, url, "closed", "--host", "0.0.0.0")
        child.line("watching")
        yield child, TOKEN.sub("", printed), TOKEN.search(printed).group(1)


def client(address):
    return httpx.Client(base_url=address, trust_env=False, timeout=10.0)


@pytest.mark.parametrize(
    "path", ["", "api/stream", "api/health", "api/signals/1", "static/js/app.js", "nothing"]
)
def test_without_the_token_everything_is_401_with_one_line_on_the_way_in(closed, path):
    _, address, token = closed
    with client(address) as http:
        answer = http.get(path)

    assert answer.status_code == 401
    assert answer.text.count("\n") == 1
    assert "open the address" in answer.text
    assert "content-security-policy" in answer.headers
    assert token not in answer.text


def test_the_token_is_exchanged_for_a_cookie_that_opens_the_rest(closed):
    _, address, token = closed
    with client(address) as http:
        first = http.get("", params={"token": token})
        cookie = first.headers["set-cookie"]
        page, file, health = (http.get(path) for path in ("", "static/js/app.js", "api/health"))
        with http.stream("GET", "api/stream") as stream:
            assert stream.status_code == 200
            assert "event: hello" in next(stream.iter_lines())

    assert first.status_code == 200
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert token not in first.text + cookie
    assert first.headers["referrer-policy"] == "no-referrer"
    assert [each.status_code for each in (page, file, health)] == [200] * 3
    assert token not in page.text


def test_a_program_sends_it_in_a_header(closed):
    _, address, token = closed
    with client(address) as http:
        answers = [
            http.get("api/health", headers={"Authorization": f"Bearer {each}"})
            for each in (token, token[:-1])
        ]

    assert [each.status_code for each in answers] == [200, 401]


def test_a_foreign_name_is_refused_before_the_token_is_looked_at(closed):
    _, address, token = closed
    with client(address) as http:
        answer = http.get("", params={"token": token}, headers={"Host": "evil.example:7071"})

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_the_token_is_printed_with_the_address_and_stands_nowhere_else(closed):
    child, address, token = closed
    with client(address) as http:
        http.get("", params={"token": token})
        http.get("nothing", params={"token": token})
        http.get("", params={"token": token + "x"})
    process = Path("/proc") / str(child.pid)

    shown = [line.text for line in child.out if token in line.text]
    assert shown
    assert all(re.search(rf"http://\S+/\?token={token}$", line) for line in shown)
    assert token not in (process / "cmdline").read_text()
    assert token.encode() not in (process / "environ").read_bytes()


def test_on_loopback_a_token_is_asked_for_when_it_is_wanted(children, url, namespace):
    child, printed = prism(children, url, namespace, "--token")
    child.line("watching")
    address, token = TOKEN.sub("", printed), TOKEN.search(printed).group(1)

    with client(address) as http:
        refused = http.get("")
        entered = http.get("", params={"token": token})
        page = http.get("")

    assert [each.status_code for each in (refused, entered, page)] == [401, 200, 200]


def test_each_start_has_another_token(children, url, namespace, closed):
    _, printed = prism(children, url, namespace, "--token")

    assert TOKEN.search(printed).group(1) != closed[2]


@pytest.mark.parametrize("host", ["::1", "[::1]", "localhost", "127.0.0.2"])
def test_other_names_of_loopback_need_no_token(children, url, namespace, host):
    _, address = prism(children, url, namespace, "--host", host)
    with client(address) as http:
        answer = http.get("api/health")

    assert "token" not in address
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("host", "said"), [("no-such-host.invalid", "--host"), ("192.0.2.1", "cannot assign")]
)
def test_a_host_that_is_none_of_this_machine_is_one_line(children, url, host, said):
    child = children.cosmo("prism", "--url", url, "--host", host, "--no-browser")

    assert child.wait() == 1
    (line,) = child.err
    assert said in line.text


@pytest.mark.asyncio
async def test_beyond_loopback_the_server_does_not_start_without_a_token():
    bound = BoundAddress("0.0.0.0", ("0.0.0.0",), 7071)

    with pytest.raises(ValueError, match="token"):
        await serve(None, [], bound, None, print)


def test_the_browser_is_opened_with_a_file_of_this_user_and_not_with_the_token():
    url = "http://127.0.0.1:7071/?token=secret"
    with ExitStack() as stack:
        opened = observing._as_file(url, stack)
        page = Path(opened.removeprefix("file://"))

        assert "secret" not in opened
        assert url in page.read_text(encoding="utf-8")
        assert stat.S_IMODE(page.stat().st_mode) == 0o600
        assert stat.S_IMODE(page.parent.stat().st_mode) == 0o700
        assert page.stat().st_uid == os.getuid()
    assert not page.exists()
