"""What a Synapse announces of itself, and where it cannot."""

import pytest

from cosmonapse import SynapseServer
from cosmonapse.errors import MissingExtra
from cosmonapse.lan import zeroconf_use
from cosmonapse.synapse import announcement as module
from cosmonapse.synapse.announcement import Announcement, check_lan
from zmq_transport.wire.heads import VERSION

OWN, OTHER = bytes(range(16)), bytes(range(16, 32))


@pytest.fixture
def announced(monkeypatch):
    """Return what is announced of a Synapse with such ids of a fabric."""
    made = []

    class Announcer:
        def __init__(self, host, record):
            made.append(record)

        def ask_to_stop(self):
            pass

    monkeypatch.setattr(module, "Announcer", Announcer)
    monkeypatch.setattr(module.socket, "gethostname", lambda: "studio.local")

    def of(fabric_ids, namespaces=()):
        announcement = Announcement("0.0.0.0", 7070, namespaces, None, fabric_ids)
        return announcement, made[-1]

    return of


def test_alone_it_has_an_id_of_this_start_and_no_peers(announced):
    _, first = announced(tuple)
    announcement, record = announced(tuple, ["billing", "default"])

    assert len(record().start_id) == 16
    assert record().start_id != first().start_id
    assert record().instance == announcement.instance == f"studio-7070-{record().start_id[:4]}"
    assert record().namespaces == frozenset({"billing", "default"})
    assert (record().wire, record().fingerprint, record().peers) == (VERSION, "", frozenset())
    assert first().namespaces is None


def test_in_a_fabric_it_names_those_that_it_has_heard_as_they_come_and_go(announced):
    ids = [OWN]
    _, record = announced(lambda: tuple(ids))
    before = record()
    ids.append(OTHER)

    assert before.start_id == OWN[:8].hex()
    assert before.peers == frozenset()
    assert record().peers == {OTHER[:8].hex()}
    ids.remove(OTHER)
    assert record() == before


def test_what_only_this_machine_reaches_is_not_announced():
    with pytest.raises(ValueError, match=r"'127\.0\.0\.1' is reached from this one only"):
        SynapseServer(lan=True)
    check_lan("127.0.0.1", lan=False)


def test_without_the_package_the_extra_is_named_before_anything_starts(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(zeroconf_use.importlib, "import_module", missing)

    with pytest.raises(MissingExtra, match=r"\[lan\]"):
        SynapseServer(host="0.0.0.0", insecure=True, lan=True)
