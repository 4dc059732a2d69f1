"""The findings of `cosmo doctor`, one check at a time."""

import os
import resource
import socket
import subprocess
import threading
import time
from types import SimpleNamespace

import pytest

from cosmonapse import (
    InvalidKey,
    MissingExtra,
    NeuronRecord,
    SynapseRefused,
    SynapseState,
    SynapseUnreachable,
)
from cosmonapse.cli import local_checks, network_checks
from cosmonapse.cli.findings import BAD, OK, WARNING, Finding, found_by, text_of
from cosmonapse.cli.network_checks import Where
from cosmonapse.configuration import Setting
from cosmonapse.keys import SECRET_PREFIX
from cosmonapse.synapse.kernels import STALE_TEXT
from support.processes import closed_port

SECRET = SECRET_PREFIX + "a" * 58


def at(url, namespace="default"):
    return Where(Setting.of(url, "argument"), Setting.of(namespace, "default"), None)


def bound(path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


def levels(findings):
    return [(each.topic, each.level) for each in findings]


# -- rows ------------------------------------------------------------------------------------------


def test_findings_are_aligned_with_what_to_do_below():
    text = text_of([Finding("a", OK, "well"), Finding("a topic", BAD, "ill", "cure it")])

    assert text.splitlines() == [
        "ok   a        well",
        "bad  a topic  ill",
        "              -> cure it",
        "",
        "1 bad of 2 things",
    ]


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ([OK, OK], "all 2 things are as they should be"),
        ([OK, WARNING], "1 warning of 2 things"),
        ([BAD, BAD, WARNING, WARNING], "2 bad, 2 warnings of 4 things"),
    ],
)
def test_the_last_line_sums_up(found, says):
    assert text_of([Finding("a", each, "b") for each in found]).splitlines()[-1] == says


def test_no_row_has_a_secret_or_controls_the_terminal():
    finding = Finding("key", BAD, f"{SECRET} \x1b[2J", f"rm {SECRET}")

    assert SECRET not in text_of([finding])
    assert "\x1b" not in text_of([finding])


@pytest.mark.parametrize(
    ("error", "level", "says"),
    [
        (InvalidKey("a.key", "others may read it"), BAD, "cannot use a.key: others may read it"),
        (SynapseUnreachable("cosmo://a", "nobody", "start it"), BAD, "no Synapse at cosmo://a"),
        (ZeroDivisionError("oh"), WARNING, "it could not be examined: ZeroDivisionError: oh"),
    ],
)
def test_a_check_that_fails_is_a_finding_and_keeps_what_it_found(error, level, says):
    def check():
        yield Finding("first", OK, "found")
        raise error

    first, second = found_by("topic", check)

    assert first.topic == "first"
    assert (second.topic, second.level) == ("topic", level)
    assert second.says.startswith(says)


# -- this machine ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "level"), [("v20.1.0\n", OK), ("v18.19.1\n", WARNING), ("", WARNING)]
)
def test_a_node_that_is_too_old_is_a_warning(said, level, monkeypatch):
    monkeypatch.setattr(local_checks.shutil, "which", lambda name: "/usr/bin/node")
    ran = subprocess.CompletedProcess([], 0, said, "")
    monkeypatch.setattr(local_checks.subprocess, "run", lambda *_, **__: ran)

    assert levels(local_checks.node()) == [("node", level)]


def test_no_node_is_no_fault(monkeypatch):
    monkeypatch.setattr(local_checks.shutil, "which", lambda name: None)

    assert levels(local_checks.node()) == [("node", OK)]


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("compiled", OK),
        ("pure Python (COSMO_PURE=1)", WARNING),
        ("one half compiled", WARNING),
        (STALE_TEXT, WARNING),
    ],
)
def test_another_kernel_than_the_compiled_one_is_a_warning(text, level, monkeypatch):
    monkeypatch.setattr(local_checks, "kernel_text", lambda: text)

    (found,) = local_checks.kernel()

    assert found.level == level
    assert bool(found.fix) == (level == WARNING)


@pytest.mark.parametrize(
    ("hard", "level"), [(resource.RLIM_INFINITY, OK), (65_536, OK), (1024, WARNING)]
)
def test_a_low_limit_of_open_files_is_a_warning(hard, level, monkeypatch):
    monkeypatch.setattr(local_checks.resource, "getrlimit", lambda _: (1024, hard))

    assert levels(local_checks.descriptors()) == [("open files", level)]


@pytest.mark.parametrize(
    ("jump_s", "ts", "level", "says"),
    [
        (0.0, 1_800_000_000.0, OK, "steady"),
        (3600.0, 1_800_000_000.0, WARNING, "it jumped by +3600000 ms"),
        (-2.0, 1_800_000_000.0, WARNING, "it jumped by -2000 ms"),
        (0.0, 1_000.0, WARNING, "1970"),
    ],
)
def test_a_clock_that_jumps_or_cannot_be_right_is_a_warning(jump_s, ts, level, says, monkeypatch):
    now_s = [0.0]
    walls = iter([ts, ts + local_checks._CLOCK_S + jump_s])
    monkeypatch.setattr(time, "sleep", lambda took_s: now_s.__setitem__(0, took_s))
    monkeypatch.setattr(time, "monotonic", lambda: now_s[0])
    monkeypatch.setattr(time, "time", lambda: next(walls))

    (found,) = local_checks.clock()

    assert found.level == level
    assert says in found.says


def test_a_variable_that_nothing_reads_is_told_with_the_one_that_was_meant(monkeypatch):
    for name in [each for each in os.environ if each.startswith("COSMO_")]:
        monkeypatch.delenv(name)
    for name, value in {"COSMO_KEY": "", "COSMO_URLL": SECRET, "COSMO_ZEBRA": "1"}.items():
        monkeypatch.setenv(name, value)

    known, near, far = local_checks.variables()

    assert known.says == "COSMO_KEY (empty)"
    assert (near.says, near.fix) == ("nothing reads COSMO_URLL", "did you mean COSMO_URL?")
    assert far.fix == "unset it, if it should do something here"


# -- the way to the Synapse ------------------------------------------------------------------------


def test_of_several_places_one_that_can_be_reached_is_enough():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        here = list(network_checks.reachable(at(f"cosmo://127.0.0.1:{port}")))
        several = f"cosmo://127.0.0.1:{closed_port()},127.0.0.1:{port}"
        both = list(network_checks.reachable(at(several)))
    gone = list(network_checks.reachable(at(f"cosmo://127.0.0.1:{closed_port()}")))

    port = gone[1].says.partition(":")[2].partition(":")[0]
    assert f"run 'cosmo synapse start --port {port}'" in gone[1].fix
    assert levels(here) == [("name", OK), ("port", OK), ("port", WARNING), ("port", WARNING)]
    assert [level for _, level in levels(both)].count(BAD) == 0
    assert levels(gone) == [("name", OK), ("port", BAD)]


def test_a_name_server_that_does_not_answer_is_told_soon(monkeypatch):
    end = threading.Event()
    monkeypatch.setattr(network_checks, "_LOOKUP_S", 0.05)
    monkeypatch.setattr(network_checks, "lookup", lambda host, port: end.wait() and [])

    (found,) = network_checks.reachable(at("cosmo://somewhere"))

    (waiting,) = [each for each in threading.enumerate() if each.name == "lookup of somewhere"]
    end.set()
    assert waiting.daemon  # so that the program can end
    assert (found.topic, found.level) == ("name", BAD)
    assert "no answer within" in found.says


def test_a_name_that_no_name_server_can_be_asked_for_does_not_resolve():
    (found,) = network_checks.reachable(at(f"cosmo://{'a' * 70}"))

    assert (found.level, found.says) == (BAD, f"{'a' * 70} does not resolve")


def test_an_address_that_is_silent_is_told_with_the_firewall(monkeypatch):
    def silent(address, timeout_s):
        raise TimeoutError

    monkeypatch.setattr(network_checks.socket, "create_connection", silent)

    *_, found = network_checks.reachable(at("cosmo://127.0.0.1:7123"))

    assert (found.level, found.says) == (BAD, "127.0.0.1:7123: no answer within 2 s")
    assert "firewall lets the ports 7123, 7125 and 7126" in found.fix


@pytest.mark.parametrize(
    ("make", "allows", "level", "says"),
    [
        (lambda path: None, True, BAD, "No such file or directory"),
        (lambda path: path.write_text(""), True, BAD, "is no socket"),
        (bound, False, BAD, "not for this"),
        (bound, True, OK, "mode 0"),
    ],
)
def test_the_file_of_a_unix_socket_is_looked_at(make, allows, level, says, tmp_path, monkeypatch):
    path = tmp_path / "cosmo.sock"
    make(path)
    monkeypatch.setattr(network_checks.os, "access", lambda *_: allows)

    (found,) = network_checks.reachable(at(f"cosmo+ipc://{path}"))

    assert (found.topic, found.level) == ("address", level)
    assert says in found.says


@pytest.mark.parametrize(
    ("state", "level", "says"),
    [
        ({}, OK, "up for 5 s"),
        ({"draining": True}, WARNING, "it is stopping"),
        ({"ts": 1000.1}, OK, "as that of the Synapse"),
        ({"ts": 998.0}, WARNING, "that of the Synapse is 2.0 s behind this one"),
        ({"ts": 1062.5}, WARNING, "that of the Synapse is 62.0 s ahead of this one"),
        ({"warning": "it is a half"}, WARNING, "it is a half"),
        ({"peers": ({"url": "cosmo://b", "role": "standby"},)}, OK, "cosmo://b is standby"),
        ({"peers": ({"url": "cosmo://b", "role": "silent"},)}, WARNING, "cosmo://b is silent"),
        (
            {"peers": ({"url": "cosmo://b", "role": "standby", "same_users": False},)},
            WARNING,
            "allows other keys",
        ),
    ],
)
def test_what_a_synapse_tells_of_itself_is_judged(state, level, says):
    found = list(network_checks.told_by(SynapseState(uptime_s=5.0, **state), 1000.0, 1000.5))

    assert found[-1].level == level
    assert says in found[-1].says


def test_a_synapse_of_another_version_is_a_warning(monkeypatch):
    monkeypatch.setattr(network_checks, "__version__", "99.1")

    found = list(network_checks.answers(at("memory://doctor")))

    assert ("synapse", WARNING) in levels(found)
    assert any("this program 99.1" in each.says for each in found)


def test_a_synapse_of_an_older_version_is_a_warning(monkeypatch):
    async def older(dendrite):
        raise SynapseRefused("memory://doctor", "it is older")

    monkeypatch.setattr(network_checks.Dendrite, "open_tasks", older)

    found = list(network_checks.answers(at("memory://doctor")))

    assert ("synapse", WARNING) in levels(found)
    assert BAD not in [level for _, level in levels(found)]


@pytest.mark.parametrize("url", ["memory://doctor", "cosmo://auto", "cosmo://AUTO/demo"])
def test_where_nothing_is_to_be_reached_nothing_is_tried(url):
    (found,) = network_checks.reachable(at(url))

    assert (found.topic, found.level) == ("address", OK)


def test_broadcasts_that_do_not_arrive_are_told_with_the_ports(monkeypatch):
    first, starts = network_checks._dendrite, []

    def deaf(synapse, where):
        dendrite = first(synapse, where)
        starts.append(dendrite)
        if len(starts) == 2:  # the first joins, the second listens
            monkeypatch.setattr(dendrite, "start", unheard)
        return dendrite

    async def unheard(timeout_s):
        raise SynapseUnreachable("memory://doctor", "no broadcast", "open them")

    monkeypatch.setattr(network_checks, "_dendrite", deaf)

    *_, found = network_checks.answers(at("memory://doctor"))

    assert (found.topic, found.level) == ("broadcasts", BAD)
    assert "let it through the firewall" in found.fix


@pytest.mark.parametrize(
    ("outcome", "level", "says"),
    [
        (["cosmo://10.0.0.5:7070", "cosmo://b:1"], OK, "cosmo://10.0.0.5:7070, cosmo://b:1"),
        ([], OK, "no Synapse is announced on this network"),
        (MissingExtra("zeroconf", "lan"), OK, "cosmo find and --lan need the extra [lan]"),
        (SynapseUnreachable("cosmo://auto", "no network", "a URL"), WARNING, "no network"),
    ],
)
def test_what_is_announced_on_the_lan_is_told(outcome, level, says, monkeypatch):
    def look(most_s):
        if isinstance(outcome, Exception):
            raise outcome
        return [SimpleNamespace(url=each) for each in outcome]

    monkeypatch.setattr(network_checks, "found_on_lan", look)

    (found,) = network_checks.multicast()

    assert (found.topic, found.level) == ("multicast", level)
    assert says in found.says


def test_replicas_with_different_cards_are_told_and_so_is_a_replica_without_one():
    def record(neuron_id, card, instance):
        facts = {"instance": instance, "dendrite_id": "box", "role": "worker"}
        return NeuronRecord(neuron_id=neuron_id, card=card, **facts)

    same = [record("a", "1" * 16, "x"), record("a", "1" * 16, "y"), record("plain", None, "y")]
    other = [*same, record("a", None, "z")]

    (well,), (ill,) = network_checks.cards(same), network_checks.cards(other)

    assert (well.topic, well.level) == ("cards", OK)
    assert (ill.level, ill.says) == (
        WARNING,
        f"a: 2 versions of its card are live ({'1' * 16}, none)",
    )
    assert not list(network_checks.cards(same[2:]))
