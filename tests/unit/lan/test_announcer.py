"""What is announced follows what is true; faults are said once and tried again."""

import logging
import queue
import time

import attrs
import pytest

from cosmonapse.errors import MissingExtra
from cosmonapse.lan import announcer as module
from cosmonapse.lan import zeroconf_use
from cosmonapse.lan.announcer import Announcer
from cosmonapse.lan.lan_record import Record

TIMEOUT_S = 20.0
START_ID = "0123456789abcdef"


class Library:
    """Stands in for `zeroconf`: notes what is done."""

    Error = ZeroDivisionError  # an error of its own, as the package has

    def __init__(self):
        self.done = queue.SimpleQueue()
        self.fails_with = None

    def Zeroconf(self, interfaces):  # as in the package
        if self.fails_with is not None:
            raise self.fails_with
        self.done.put(("open", tuple(interfaces)))
        return self

    def ServiceInfo(self, service, name, **facts):  # as in the package
        return name, facts

    def register_service(self, info, cooperating_responders):
        self.done.put(("announce", info))

    def update_service(self, info):
        self.done.put(("update", info))

    def close(self):
        self.done.put(("close",))

    def next(self):
        """Return what was done next."""
        return self.done.get(timeout=TIMEOUT_S)


class Here:
    """The machine and its Synapse."""

    def __init__(self):
        self.addresses = ["10.0.0.1"]
        self.record = Record("studio-7070-0123", (), 7070, start_id=START_ID)


@pytest.fixture
def library(monkeypatch):
    made = Library()
    monkeypatch.setattr(module, "zeroconf", lambda: made)
    monkeypatch.setattr(module, "LOOK_S", 0.01)
    return made


@pytest.fixture
def here(monkeypatch):
    made = Here()
    monkeypatch.setattr(module, "reached_at", lambda host: made.addresses)
    return made


def test_it_is_announced_with_its_facts_and_withdrawn_at_the_end(library, here):
    with Announcer("0.0.0.0", lambda: here.record):
        opened, (_, (name, facts)) = library.next(), library.next()

    assert opened == ("open", ("10.0.0.1",))
    assert name == "studio-7070-0123._cosmo._tcp.local."
    assert facts["server"] == f"cosmo-{START_ID}.local."
    assert facts["parsed_addresses"] == ["10.0.0.1"]
    assert (facts["port"], facts["properties"]["id"]) == (7070, START_ID)
    assert facts["host_ttl"] == facts["other_ttl"] == 120
    assert library.next() == ("close",)
    assert library.done.empty()


def test_another_fact_is_announced_and_the_same_one_is_not(library, here):
    with Announcer("0.0.0.0", lambda: here.record):
        library.next(), library.next()
        here.record = attrs.evolve(here.record, peers=frozenset({"f" * 16}))
        verb, (_, facts) = library.next()

    assert (verb, facts["properties"]["peers"]) == ("update", "f" * 16)
    assert library.next() == ("close",)


def test_with_another_address_it_is_withdrawn_and_announced_there(library, here):
    with Announcer("0.0.0.0", lambda: here.record):
        library.next(), library.next()
        here.addresses = ["10.9.0.1", "fd00::1"]
        done = [library.next() for _ in range(3)]

    assert done[0] == ("close",)
    assert done[1] == ("open", ("10.9.0.1",))  # questions go over IPv4 if there is any
    assert done[2][1][1]["parsed_addresses"] == ["10.9.0.1", "fd00::1"]


@pytest.mark.parametrize(
    ("addresses", "fault", "said"),
    [
        ([], None, "no network address besides loopback"),
        (["10.0.0.1"], OSError(98, "Address already in use"), "Address already in use"),
        (["10.0.0.1"], ZeroDivisionError("its own"), "its own"),
        (["10.0.0.1"], KeyError("a defect"), "it is tried again"),
    ],
)
def test_a_fault_is_said_and_it_is_tried_again(library, here, caplog, addresses, fault, said):
    here.addresses, library.fails_with = addresses, fault
    with caplog.at_level(logging.WARNING), Announcer("0.0.0.0", lambda: here.record):
        until_s = time.monotonic() + TIMEOUT_S
        while said not in caplog.text:
            assert time.monotonic() < until_s
            time.sleep(0.005)
        here.addresses, library.fails_with = ["10.0.0.1"], None
        done = library.next(), library.next()

    assert [verb for verb, *_ in done] == ["open", "announce"]
    if not isinstance(fault, KeyError):
        assert len(caplog.messages) == 1


def test_without_the_package_the_extra_is_named(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(zeroconf_use.importlib, "import_module", missing)

    with pytest.raises(MissingExtra, match=r"\[lan\]"):
        Announcer("0.0.0.0", Here)
