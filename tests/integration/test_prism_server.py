"""The Prism server over real HTTP: what tabs get, what is refused, what it survives."""

import contextlib
import json
import re
import signal
import socket
import time

import httpx
import pytest

from cosmonapse.prism.tabs import MOST_TABS
from support.prism import Tab, prism
from support.processes import TIMEOUT_S, Children, axon, closed_port, until

SECRET = "s3cret-value"


def get(address, path="", method="GET", **headers):
    with httpx.Client(trust_env=False, timeout=10.0) as client:
        request = client.build_request(method, address + path, headers=headers)
        return client.send(request)


def dispatch(children, url, namespace, neuron="worker", **input):
    """Send a TASK by `cosmo dispatch`, and wait for its end."""
    arguments = ("--url", url, "-n", namespace, "--neuron", neuron, "--input", json.dumps(input))
    return children.cosmo("dispatch", *arguments).wait()


@pytest.fixture(scope="module")
def shown(url):
    """A Prism with a past of one task, which all tests of this page read."""
    with Children() as children:
        child, address = prism(children, url, "shown", verb=("doppler", "--prism"))
        child.line("watching")
        children.worker(url, "shown", axon(capabilities=["chat"]), id="host")
        with Tab(address) as tab:
            text = {"long": "x" * 5_000}
            dispatch(children, url, "shown", api_key=SECRET, headers={"Cookie": SECRET}, **text)
            tab.until(lambda: "AGENT_OUTPUT" in tab.types())
        yield address


def test_a_tab_that_opens_later_is_greeted_and_sees_the_past(shown, url):
    with Tab(shown) as tab:
        tab.until(lambda: len(tab.types()) == 2)
        tab.newest("state", lambda state: state["dendrites"])
        tab.newest("now")

    assert tab.events[0][0] == "hello"
    hello = tab.events[0][1]
    assert {"run", "namespace", "url", "version", "kept", "first", "last"} <= hello.keys()
    assert (hello["mode"], hello["replay"]) == ("live", None)
    assert (hello["namespace"], hello["url"], hello["kept"]) == ("shown", url, 10_000)
    asked, answer = (e for e in tab.records if e["type"] in ("TASK", "AGENT_OUTPUT"))
    assert tab.records[0]["n"] == hello["first"]
    assert answer["parent_id"] == asked["id"]
    assert answer["trace_id"] == asked["trace_id"]
    assert (asked["neuron"], answer["neuron"]) == ("worker", "worker")
    assert asked["caller"] == answer["caller"]
    assert asked["worker"] == answer["worker"]


def test_secrets_leave_the_server_masked_and_long_texts_cut(shown):
    with Tab(shown) as tab:
        tab.until(lambda: len(tab.types()) == 2)
    asked = next(each for each in tab.records if each["type"] == "TASK")
    whole = get(shown, f"api/signals/{asked['n']}")

    assert SECRET not in json.dumps(tab.events)
    assert asked["payload"]["input"]["api_key"] == "•••"
    assert asked["payload"]["input"]["headers"] == {"Cookie": "•••"}
    assert asked["cut"] is True
    assert len(asked["payload"]["input"]["long"]) == 2_001
    assert SECRET not in whole.text
    assert whole.json()["payload"]["input"]["long"] == "x" * 5_000
    assert whole.json()["directed"]["id"] == "worker"


def test_the_state_names_dendrites_and_their_neurons(shown, url):
    with Tab(shown) as tab:
        state = tab.newest("state", lambda state: state["dendrites"])

    assert state["synapse"]["connected"] is True
    assert state["synapse"]["url"] == url
    assert state["synapse"]["counters"]["uptime_s"] > 0
    assert (state["missed"], state["evicted"]) == (0, 0)
    host = next(each for each in state["dendrites"] if each["dendrite_id"] == "host")
    (neuron,) = host["neurons"]
    assert (neuron["neuron_id"], neuron["capabilities"]) == ("worker", ["chat"])
    assert (neuron["state"], neuron["reason"], neuron["open"]) == ("alive", None, 0)


def test_a_tab_that_comes_back_gets_only_what_is_new(shown):
    with Tab(shown) as tab:
        records = tab.until(lambda: tab.records[:2] if len(tab.types()) == 2 else None)
    with Tab(shown, since=records[0]["n"]) as again:
        again.until(lambda: len(again.types()) == 2)
    with Tab(shown, since=17) as stranger:
        stranger.until(lambda: len(stranger.types()) == 2)

    assert again.records[0]["n"] == records[1]["n"]
    assert stranger.records[0]["n"] == records[0]["n"]


@pytest.mark.parametrize(
    "path", ["", "static/nothing.js", "api/health", "api/signals/1", "nothing"]
)
def test_every_answer_has_the_headers_of_a_strict_page(shown, path):
    answer = get(shown, path)

    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "access-control-allow-origin" not in answer.headers
    assert "server" not in answer.headers


def test_it_says_that_it_is_well(shown):
    assert get(shown, "api/health").json() == {"ok": True}


@pytest.mark.parametrize("number", ["1", "9999999999999999999", "0"])
def test_a_signal_that_is_not_kept_is_404_with_a_hint(shown, number):
    answer = get(shown, f"api/signals/{number}")

    assert answer.status_code == 404
    assert f"Signal {number} is" in answer.json()["error"]


@pytest.mark.parametrize("number", ["9" * 20, "9" * 5_000, "-1", "1.5", "x", "٣"])
def test_what_is_no_number_of_a_signal_is_404(shown, number):
    answer = get(shown, f"api/signals/{number}")

    assert answer.status_code == 404
    assert "19 digits" in answer.json()["error"]


@pytest.mark.parametrize("path", ["", "api/stream", "api/signals/1", "static/app.js"])
def test_a_foreign_host_or_origin_is_refused_with_a_hint(shown, path):
    foreign = [
        get(shown, path, Host="evil.example"),
        get(shown, path, Host="127.0.0.1:1"),
        get(shown, path, Origin="http://evil.example"),
        get(shown, path, Origin="null"),
    ]

    assert [answer.status_code for answer in foreign] == [403] * 4
    assert all(f"open {shown.rstrip('/')}" in answer.text for answer in foreign)
    assert all(answer.text.count("\n") == 1 for answer in foreign)
    assert all("content-security-policy" in answer.headers for answer in foreign)


def test_this_machine_is_answered_under_all_of_its_names(shown):
    port = shown.rstrip("/").rpartition(":")[2]
    names = ("127.0.0.1", "localhost", "[::1]")

    answers = [get(shown, "api/health", Host=f"{name}:{port}") for name in names]

    assert [answer.status_code for answer in answers] == [200] * 3


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", ["", "api/stream", "api/signals/1", "static/app.js"])
def test_nothing_can_be_changed(shown, method, path):
    answer = get(shown, path, method)

    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"


def test_a_look_at_the_stream_alone_does_not_hang(shown):
    answer = get(shown, "api/stream", "HEAD")

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"].startswith("text/event-stream")


@pytest.mark.parametrize("since", ["x", "-1", "1.5", "9" * 20, "9" * 30, "٣"])
def test_a_number_that_is_none_is_told(shown, since):
    answer = get(shown, f"api/stream?since={since}")

    assert answer.status_code == 400
    assert "since" in answer.text


def test_no_file_outside_of_the_static_ones_is_served(shown):
    host, port = shown.removeprefix("http://").rstrip("/").split(":")
    answers = []
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static//etc/passwd", "/static/"):
        with socket.create_connection((host, int(port)), 5) as line:
            line.sendall(
                f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode()
            )
            answers.append(b"".join(iter(lambda line=line: line.recv(65_536), b"")))

    assert all(b" 404 " in answer.split(b"\r\n")[0] for answer in answers)


def test_many_tabs_share_one_subscription(children, url, namespace):
    _, address = prism(children, url, namespace)

    def connections(tab):
        return tab.newest("state")["synapse"]["counters"]["subscriptions"]

    with Tab(address) as first:
        before = first.newest("state", lambda s: "subscriptions" in s["synapse"]["counters"])
        with Tab(address) as second, Tab(address) as third:
            states = [
                each.newest("state", lambda s: s["at"] > before["at"])["synapse"]["counters"]
                for each in (second, third)
            ]
            dispatch(children, url, namespace, neuron="nobody")
            for tab in (first, second, third):
                tab.until(lambda tab=tab: tab.types() == ["TASK", "ERROR"])

    assert len({each["n"] for tab in (first, second, third) for each in tab.records}) == 2
    counts = {each["subscriptions"] for each in (before["synapse"]["counters"], *states)}
    assert len(counts) == 1


async def flooded(address, dendrite, count):
    """Publish many Signals; return what a tab that reads saw of them, and was told as missed."""
    with Tab(address) as quick:
        quick.newest("state")
        for n in range(count):
            await dendrite.emit_plan(steps=[n, "x" * 800])
            if n % 1_000 == 999:  # no faster than the fabric carries it
                await until(lambda n=n: len(quick.records) > n - 2_000, TIMEOUT_S)
        await until(lambda: len(quick.records) == count, TIMEOUT_S)
        return [each["payload"]["steps"][0] for each in quick.records], quick.of("missed")


@pytest.mark.asyncio
async def test_a_slow_tab_loses_its_oldest_and_is_told_and_another_loses_nothing(
    join, children, url, namespace
):
    child, address = prism(children, url, namespace)
    child.line("watching")
    host, port = address.removeprefix("http://").rstrip("/").split(":")
    count, text = 50_000, bytearray()

    with socket.create_connection((host, int(port)), TIMEOUT_S) as slow:
        slow.sendall(f"GET /api/stream HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        async with join() as dendrite:
            seen, missed = await flooded(address, dendrite, count)
        while f'"steps":[{count - 1},'.encode() not in text[-8_000_000:]:
            text += slow.recv(2**22)

    assert (seen, missed) == (list(range(count)), [])
    told = sum(map(int, re.findall(rb'"count":(\d+)', text)))
    got = [int(number) for number in re.findall(rb'"steps":\[(\d+),', text)]
    assert told > 0
    assert told + len(got) == count
    assert got == sorted(got)


def raw_tab(address):
    """Ask for the stream and read how its answer begins; what follows stays unread."""
    host, port = address.removeprefix("http://").rstrip("/").split(":")
    line = socket.create_connection((host, int(port)), TIMEOUT_S)
    line.sendall(f"GET /api/stream HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
    return line, line.recv(1_000)


@pytest.mark.asyncio
async def test_tabs_that_close_make_room_also_in_the_middle_of_a_long_past(
    join, children, url, namespace
):
    child, address = prism(children, url, namespace)
    child.line("watching")
    async with join() as dendrite:
        await flooded(address, dendrite, 10_000)

    for _ in range(MOST_TABS + 5):
        line, said = raw_tab(address)
        line.close()
        assert said.startswith(b"HTTP/1.1 200")

    with Tab(address) as tab:
        await until(lambda: len(tab.records) == 10_000, TIMEOUT_S)


def test_one_tab_too_many_makes_the_oldest_end_with_a_word(children, url, namespace):
    _, address = prism(children, url, namespace)
    with contextlib.ExitStack() as stack:
        oldest = stack.enter_context(Tab(address))
        oldest.newest("state")
        for _ in range(MOST_TABS - 1):
            line, said = raw_tab(address)
            stack.callback(line.close)
            assert said.startswith(b"HTTP/1.1 200")

        newest = stack.enter_context(Tab(address))
        newest.newest("state", lambda s: s["synapse"]["counters"].get("prism.displaced_tabs"))
        oldest.until(lambda: oldest.of("displaced"))

    assert oldest.of("displaced") == [{"most": MOST_TABS}]


def test_a_killed_worker_is_gone_with_a_reason_and_its_task_is_an_error(children, url, namespace):
    _, address = prism(children, url, namespace)
    worker = children.worker(url, namespace, axon("held"), id="host")
    waiting = children.cosmo(
        "dispatch", "--url", url, "-n", namespace, "--neuron", "worker", "--input", '{"n": 1}'
    )
    worker.line("holding")

    def neurons(state):
        return [each for d in state["dendrites"] for each in d["neurons"]]

    with Tab(address) as tab:
        running = tab.newest("now", lambda now: now["tasks"])
        tab.newest("state", lambda s: [n["open"] for n in neurons(s)] == [1])
        worker.kill()
        gone = tab.newest("state", lambda s: [n["state"] for n in neurons(s)] == ["gone"])
        failed = tab.newest("now", lambda now: now["causes"])
    waiting.wait()

    assert running["tasks"][0]["neuron"] == "worker"
    assert "vanished" in neurons(gone)[0]["reason"]
    assert failed["causes"][0]["code"] == "WORKER_LOST"
    assert failed["causes"][0]["trace_id"] == running["tasks"][0]["trace_id"]
    assert failed["tasks"] == []


def test_a_prism_that_stood_still_says_that_it_is_behind_and_then_that_it_is_not(
    children, url, namespace
):
    shown, address = prism(children, url, namespace)
    with Tab(address) as tab:
        tab.newest("state", lambda state: state["behind"] is None)
        shown.send(signal.SIGSTOP)
        time.sleep(1.5)  # what is stopped sends nothing that could be waited for
        shown.send(signal.SIGCONT)

        late = tab.newest("state", lambda state: state["behind"])
        tab.newest("state", lambda state: state["behind"] is None and state["at"] > late["at"])

    assert late["behind"]["seconds"] >= 1.0


def test_prism_waits_for_a_synapse_and_survives_its_restart(children, namespace):
    port = closed_port()
    url = f"cosmo://127.0.0.1:{port}"
    child, address = prism(children, url, namespace)
    said = child.line("waiting for").text
    with Tab(address) as tab:
        away = tab.newest("state", lambda s: not s["synapse"]["connected"])
        synapse, _ = children.synapse("--host", "127.0.0.1", port=port)
        child.line("watching")
        tab.newest("state", lambda s: s["synapse"]["connected"])
        dispatch(children, url, namespace, neuron="nobody")
        tab.until(lambda: tab.types() == ["TASK", "ERROR"])
        synapse.kill()
        lost = tab.newest("state", lambda s: not s["synapse"]["connected"] and s is not away)
        children.synapse(port=port)
        tab.newest("state", lambda s: s["synapse"]["connected"] and s["at"] > lost["at"])
        dispatch(children, url, namespace, neuron="nobody")
        tab.until(lambda: tab.types() == ["TASK", "ERROR"] * 2)

    assert "cosmo synapse start" in said
    assert away["synapse"]["reason"]
    assert lost["synapse"]["reason"]
    assert not tab.ended or len(tab.records) == 4


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_it_ends_at_once_with_tabs_open(children, url, namespace, number, code):
    child, address = prism(children, url, namespace)
    with Tab(address) as tab:
        tab.newest("state")
        child.send(number)

        assert child.wait(5) == code
        tab.until(lambda: tab.ended)
    assert "Traceback" not in child.said


def test_a_port_that_is_taken_is_one_line_that_says_what_to_do(children, url, namespace):
    _, address = prism(children, url, namespace)
    port = address.rstrip("/").rpartition(":")[2]

    second = children.cosmo("prism", "--url", url, "-n", namespace, "--port", port, "--no-browser")

    assert second.wait() == 1
    (line,) = second.err
    assert "--port" in line.text
    assert f"http://127.0.0.1:{port}" in line.text


def test_a_missing_extra_is_one_line_that_names_it(children, url, tmp_path):
    (tmp_path / "uvicorn.py").write_text("raise ImportError('not there')\n")

    child = children.cosmo("prism", "--url", url, env={"PYTHONPATH": str(tmp_path)})

    assert child.wait() == 1
    (line,) = child.err
    assert "[prism]" in line.text


def test_a_namespace_that_is_not_served_is_one_line(children):
    _, url = children.synapse("--namespace", "other")

    child = children.cosmo("prism", "--url", url, "--port", 0, "--no-browser")

    assert child.wait() == 1
    assert "other" in child.err[-1].text


def test_prism_changes_nothing_on_the_bus(children, url, namespace):
    _, address = prism(children, url, namespace)
    with Tab(address) as tab:
        tab.newest("state")
        listed = children.cosmo("registry", "--url", url, "-n", namespace, "--json")

        assert listed.wait() == 0
        assert listed.out == []
        assert tab.records == []
