"""`cosmo://auto`: which URLs, what a finder remembers, and how a Synapse is waited for."""

import threading
import time
import types

import attrs
import pytest

from cosmonapse.errors import InvalidUrl, MissingExtra, SeveralSynapses, SynapseUnreachable
from cosmonapse.lan import zeroconf_use
from cosmonapse.lan.browser import NoMulticast
from cosmonapse.lan.choice import distinct
from cosmonapse.lan.lan_record import Record
from cosmonapse.synapse import auto, synapse_from_url
from cosmonapse.synapse.auto import AutoSynapse
from cosmonapse.synapse.schemes import checked_url
from cosmonapse.synapse.url import auto_namespace, is_auto
from zmq_transport import TcpEndpoint

HERE, THERE = "10.0.0.1", "10.0.0.2"


def found(*addresses, answers=True):
    """Return a Synapse at each address."""
    records = [
        Record(f"host-{each}", (each,), 7070, start_id=each.encode().hex()[:16].zfill(16))
        for each in addresses
    ]
    all_of_them = distinct(records, own=())
    return [attrs.evolve(each, answering=each.places if answers else ()) for each in all_of_them]


class Network:
    """Stands in for the LAN: each look returns, or raises, the next of some results."""

    def __init__(self):
        self.results = []
        self.looks = []

    def look(self, asks, most_s, is_enough):
        self.looks.append(most_s)
        result = self.results.pop(0) if len(self.results) > 1 else self.results[0]
        if isinstance(result, Exception):
            raise result
        return result


@pytest.fixture
def network(monkeypatch):
    made = Network()
    monkeypatch.setattr(auto, "look", made.look)
    return made


@pytest.fixture
def finder(network):
    return AutoSynapse("cosmo://auto")._finder


@pytest.mark.parametrize(
    ("url", "namespace"),
    [
        ("cosmo://auto", None),
        ("cosmo://auto/", None),
        ("COSMO://AUTO", None),
        ("cosmo://auto/billing", "billing"),
        ("cosmo://auto/billing/", "billing"),
    ],
)
def test_urls_that_stand_for_one_that_is_found(url, namespace):
    assert is_auto(url)
    assert auto_namespace(url) == namespace
    assert checked_url(url) == url
    assert synapse_from_url(url).url == url


@pytest.mark.parametrize(
    "url",
    ["cosmo://auto:7070", "cosmo://auto/a/b", "cosmo://auto?x", "cosmo://auto#x", "cosmo://auto/ü"],
)
def test_another_form_is_named(url):
    with pytest.raises(InvalidUrl, match="write cosmo://auto or cosmo://auto/NAMESPACE"):
        synapse_from_url(url)
    with pytest.raises(InvalidUrl):
        checked_url(url)


@pytest.mark.parametrize("url", ["cosmo://automatic", "cosmo://auto.lan", "memory://auto", "", 5])
def test_other_urls_are_left_alone(url):
    assert not is_auto(url)


def test_without_the_package_the_extra_is_named(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(zeroconf_use.importlib, "import_module", missing)

    with pytest.raises(MissingExtra, match=r"zeroconf .* cannot be imported .* the extra \[lan"):
        synapse_from_url("cosmo://auto")


def test_the_last_place_stays_while_nothing_is_found(network, finder):
    network.results = [found(HERE), [], found(HERE, THERE)]
    finder.look(1.0)

    after_none = finder.find()
    after_two = finder.find()

    assert finder.known() == after_none == after_two == (TcpEndpoint(HERE, 7070),)


def test_where_it_was_never_found_the_fault_is_remembered(network, finder):
    network.results = [found(HERE, answers=False)]

    assert finder.find() == ()
    assert "what is announced does not answer" in finder.fault


def test_several_are_logged_once(network, finder, caplog):
    network.results = [found(HERE, THERE)]

    finder.find()
    finder.find()

    (line,) = caplog.messages
    assert "2 answer" in line


def test_another_place_is_logged_and_the_same_one_is_not(network, finder, caplog):
    network.results = [found(HERE), found(HERE), found(THERE)]

    finder.look(1.0)
    finder.find()
    finder.find()

    assert caplog.messages == [f"cosmo://auto is at tcp://{THERE}:7070 now"]


def test_each_look_in_vain_is_longer_up_to_a_bound(network, finder):
    network.results = [[]]

    for _ in range(7):
        finder.find()

    assert network.looks == [1, 2, 3, 4, 5.0, 5.0, 5.0]


def test_who_asks_during_a_look_gets_its_answer(network, finder, monkeypatch):
    network.results = [found(HERE)]
    asked = threading.Semaphore(0)
    look = network.look

    def slow(*arguments):
        for _ in range(5):
            asked.acquire()  # all have asked
        return look(*arguments)

    def asked_at_s():
        now_s = time.monotonic()
        asked.release()
        return now_s

    monkeypatch.setattr(auto, "look", slow)
    monkeypatch.setattr(auto, "time", types.SimpleNamespace(monotonic=asked_at_s))
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(finder.find())) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(network.looks) == 1
    assert answers == [(TcpEndpoint(HERE, 7070),)] * 5


@pytest.mark.asyncio
async def test_one_that_is_started_meanwhile_is_found(network, monkeypatch):
    probed = []

    async def probe(target, *rest):
        probed.append(target.known())

    monkeypatch.setattr(auto.wire_side, "probe", probe)
    network.results = [[], found(HERE, answers=False), found(HERE)]

    await AutoSynapse("cosmo://auto").connect(5.0)

    assert probed == [(TcpEndpoint(HERE, 7070),)]


@pytest.mark.asyncio
async def test_without_one_in_time_the_error_says_what_was_seen(network):
    network.results = [[]]

    with pytest.raises(SynapseUnreachable, match="no Synapse is announced on this network"):
        await AutoSynapse("cosmo://auto").connect(0.35)


@pytest.mark.asyncio
async def test_several_are_an_error_after_one_more_look_and_not_waited_for(network):
    network.results = [found(HERE, THERE)]

    with pytest.raises(SeveralSynapses):
        await AutoSynapse("cosmo://auto").connect(None)

    assert network.looks == [2.0, 1.0]


@pytest.mark.asyncio
@pytest.mark.parametrize(("timeout_s", "looks"), [(0.5, 1), (1.0, 1), (1.6, 2), (2.5, 2), (9.0, 2)])
async def test_the_looks_at_several_take_no_longer_than_the_time_given(network, timeout_s, looks):
    network.results = [found(HERE, THERE)]

    with pytest.raises(SeveralSynapses):
        await AutoSynapse("cosmo://auto").connect(timeout_s)

    assert len(network.looks) == looks
    assert sum(network.looks) <= timeout_s


def test_two_that_did_not_know_each_other_yet_are_one_at_the_second_look(network, finder):
    network.results = [found(HERE, THERE), found(THERE)]

    finder.look(2.0)

    assert finder.known() == (TcpEndpoint(THERE, 7070),)


@pytest.mark.asyncio
async def test_without_a_network_the_error_says_to_use_a_url(network):
    network.results = [NoMulticast("this machine has no network address besides loopback")]

    with pytest.raises(SynapseUnreachable, match="besides loopback; use the URL of the Synapse"):
        await AutoSynapse("cosmo://auto").connect(0.1)
