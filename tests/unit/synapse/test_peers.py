"""The other Synapses of a fabric: their URLs, and what is told of them."""

import logging

import pytest

from cosmonapse import SynapseServer
from cosmonapse.defaults import MAX_PEERS
from cosmonapse.errors import InvalidKey, InvalidUrl
from cosmonapse.key_ring import make_folder, write_peer
from cosmonapse.runtime.addresses import addresses
from cosmonapse.synapse.access import new_pair
from cosmonapse.synapse.peers import RoleNotice, log_notice, notice_of, peer_endpoints
from zmq_transport import NewsKind, RoleNews, TcpEndpoint
from zmq_transport.proxy import fabric_role


def endpoints(*urls, host="127.0.0.1", port=7070):
    return peer_endpoints(urls, host, port)


def test_urls_and_lists_of_them_are_the_others_each_one_once():
    found = endpoints("cosmo://a:7070", "cosmo://a,b:7071", "cosmo://[fd00::3]:7070")

    assert found == [
        TcpEndpoint("a", 7070),
        TcpEndpoint("b", 7071),
        TcpEndpoint("fd00::3", 7070),
    ]


def test_no_url_is_no_other():
    assert endpoints() == []


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("cosmo://127.0.0.1:7070", "this Synapse itself"),
        ("cosmo+ipc:///run/cosmo.sock", "on the network"),
        ("cosmo://a:0", "port 0"),
        ("a:7070", "cosmo://"),
    ],
)
def test_a_url_that_cannot_be_that_of_another_synapse_is_refused(url, said):
    with pytest.raises(InvalidUrl, match=said):
        endpoints(url)


def test_a_synapse_at_every_address_knows_its_own_ones():
    for host in ("127.0.0.1", "localhost", *addresses("0.0.0.0")):
        with pytest.raises(InvalidUrl, match="this Synapse itself"):
            endpoints(f"cosmo://{host}:7070", host="0.0.0.0")

    assert endpoints("cosmo://127.0.0.1:7080", host="0.0.0.0")


def test_a_synapse_knows_fifteen_others_at_most():
    urls = [f"cosmo://host-{number}" for number in range(MAX_PEERS)]

    assert len(endpoints(*urls)) == MAX_PEERS == fabric_role.MAX_OTHERS
    with pytest.raises(InvalidUrl, match="at most 15 others"):
        peer_endpoints((each for each in [*urls, "cosmo://one-more"]), "127.0.0.1", 7070)


def test_a_server_finds_a_mistake_before_it_starts():
    with pytest.raises(InvalidUrl, match="this Synapse itself"):
        SynapseServer(port=7070, peers=["cosmo://127.0.0.1:7070"])


def test_a_server_with_keys_and_peers_needs_the_key_of_one(tmp_path):
    folder = str(tmp_path / "keys")
    make_folder(folder, *new_pair())
    others = ["cosmo://10.0.0.2:7070"]

    with pytest.raises(InvalidKey, match="cosmo keys peer NAME"):
        SynapseServer(keys=folder, peers=others)

    write_peer(folder, "second", [new_pair()[0]])
    SynapseServer(keys=folder, peers=others)


@pytest.mark.parametrize("kind", NewsKind)
def test_there_is_a_sentence_for_all_news(kind):
    notice = notice_of(RoleNews(kind, 3, ("cosmo://a:1", "cosmo://b:1")))

    assert "{" not in notice.text
    assert notice.text[-1] not in ". "


def test_warnings_are_what_somebody_should_look_at():
    found = {kind for kind in NewsKind if notice_of(RoleNews(kind, 1)).is_warning}

    assert found == {
        NewsKind.HALF,
        NewsKind.NO_STANDBY,
        NewsKind.OTHER_USERS,
        NewsKind.OWN_URL,
    }


def test_a_leader_at_a_url_that_is_not_known_is_another_one():
    assert "another one leads" in notice_of(RoleNews(NewsKind.STANDS_BY, 1, ("?",))).text


def test_notices_are_logged_as_what_they_are(caplog):
    caplog.set_level(logging.INFO, "cosmonapse.synapse.peers")
    log_notice(RoleNotice("one leads"))
    log_notice(RoleNotice("there may be two", is_warning=True))

    assert [(each.levelname, each.message) for each in caplog.records] == [
        ("INFO", "one leads"),
        ("WARNING", "there may be two"),
    ]
