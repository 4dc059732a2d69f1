"""Which key a program shows, and what an URL has to do with it."""

import pytest

from cosmonapse import synapse_from_url
from cosmonapse.edge.blocking import BlockingDendrite
from cosmonapse.errors import AccessRefused as Refused
from cosmonapse.errors import InvalidKey, InvalidUrl
from cosmonapse.keys import Key
from cosmonapse.synapse.access import new_pair
from cosmonapse.synapse.adapter import mapped
from cosmonapse.synapse.url import parse_url
from cosmonapse.synapse.zmq import ZmqSynapse
from zmq_transport import AccessFault, AccessRefused
from zmq_transport.access.origin import tag_of

URL = "cosmo://127.0.0.1:1"
AT_KEY, AT_VARIABLE, DEFAULT = "cosmo://key:1", "cosmo://variable:2", "cosmo://127.0.0.1:7070"


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    for each in ("COSMO_URL", "COSMO_KEY", "COSMO_CARRIER"):
        monkeypatch.delenv(each, raising=False)


def key_of(name="ada", url=None):
    public, secret = new_pair()
    return Key(name, public, secret, (new_pair()[0],), url)


@pytest.fixture
def file(tmp_path):
    """The path of the file of a key."""
    path = tmp_path / "ada.key"
    key_of().write(path)
    return path


def test_a_key_is_given_or_its_file_or_the_variable_names_it(file, monkeypatch):
    given = [synapse_from_url(URL, key=each).user for each in (key_of("ben"), file, str(file))]
    without = synapse_from_url(URL).user
    monkeypatch.setenv("COSMO_KEY", str(file))
    named = synapse_from_url(URL).user

    assert (given, without, named) == (["ben", "ada", "ada"], "", "ada")


def test_a_given_key_wins_over_the_variable(file, monkeypatch):
    monkeypatch.setenv("COSMO_KEY", str(file))

    assert synapse_from_url(URL, key=key_of("ben")).user == "ben"


@pytest.mark.parametrize(
    ("given", "variable", "in_key", "url"),
    [
        (URL, AT_VARIABLE, AT_KEY, URL),
        (None, AT_VARIABLE, AT_KEY, AT_VARIABLE),
        (None, None, AT_KEY, AT_KEY),
        (None, None, None, DEFAULT),
    ],
)
def test_the_url_of_a_key_comes_before_the_default_only(given, variable, in_key, url, monkeypatch):
    if variable is not None:
        monkeypatch.setenv("COSMO_URL", variable)

    assert synapse_from_url(given, key=key_of(url=in_key)).url == url


def test_a_file_that_the_variable_names_in_vain_is_an_error_that_names_the_variable(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("COSMO_KEY", str(tmp_path / "gone.key"))

    with pytest.raises(InvalidKey, match=r"gone\.key.*COSMO_KEY"):
        synapse_from_url(URL)


def test_what_does_not_encrypt_is_refused_with_a_key(monkeypatch):
    with pytest.raises(InvalidKey, match="the carrier 'zmtp' does not encrypt"):
        synapse_from_url(URL, carrier="zmtp", key=key_of())

    monkeypatch.setenv("COSMO_CARRIER", "zmtp")
    assert synapse_from_url(URL, key=key_of()).user == "ada"


def test_without_keys_the_carrier_is_chosen_as_before(file, monkeypatch):
    assert synapse_from_url(URL, carrier="zmtp").user == ""

    monkeypatch.setenv("COSMO_KEY", str(file))
    with pytest.raises(InvalidKey):
        synapse_from_url(URL, carrier="zmtp")


def test_over_ipc_no_key_is_shown():
    url = "cosmo+ipc:///run/cosmo.sock"

    assert synapse_from_url(url, carrier="zmtp", key=key_of()).user == ""


def test_in_this_process_a_given_key_is_an_error_and_the_variable_is_ignored(file, monkeypatch):
    with pytest.raises(InvalidKey, match="memory"):
        synapse_from_url("memory://here", key=file)

    monkeypatch.setenv("COSMO_KEY", str(file))
    assert synapse_from_url("memory://here").user == ""


def test_an_invalid_url_in_a_key_is_an_invalid_url():
    with pytest.raises(InvalidUrl, match="http"):
        synapse_from_url(key=key_of(url="http://host"))


def test_a_blocking_dendrite_takes_a_key():
    blocking = BlockingDendrite(URL, key=key_of("ben"))

    assert blocking.dendrite._transport.instance.endswith(tag_of("ben"))


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (AccessFault.NEEDS_KEY, r"it has keys, and this Dendrite has none; .*COSMO_KEY"),
        (AccessFault.NO_KEYS, r"it has no keys.* the key of ada .*check the URL"),
        (AccessFault.UNLISTED, r"does not list the key of ada; .*cosmo keys allow ada cpk_"),
        (AccessFault.OTHER_PROXY, r"another Synapse answers there.* ada; check the URL"),
    ],
)
def test_a_refusal_names_what_was_refused_and_what_to_run(fault, words):
    synapse = ZmqSynapse(parse_url(URL), key=key_of())

    with pytest.raises(Refused, match=words) as caught, mapped(synapse.where):
        raise AccessRefused("tcp://127.0.0.1:1", "raw", fault=fault)

    assert caught.value.url == "cosmo://127.0.0.1:1"  # one of those behind its name
    assert caught.value.fix
    assert "csk_" not in str(caught.value)


def test_what_the_synapse_says_itself_is_passed_on():
    synapse = ZmqSynapse(parse_url(URL), key=key_of())

    with (
        pytest.raises(Refused, match="revoked; ask for a new one") as caught,
        mapped(synapse.where),
    ):
        raise AccessRefused("tcp://127.0.0.1:1", "revoked", "ask for a new one")

    assert (caught.value.reason, caught.value.fix) == ("revoked", "ask for a new one")
