"""Where a nats-server is, and what it is shown."""

import base64
import json
import os

import nkeys
import pytest

from cosmonapse import InvalidUrl
from cosmonapse.synapse.nats.place import NatsPlace

SEED = nkeys.encode_seed(bytes(32), nkeys.PREFIX_BYTE_USER).decode()


def creds_text(name):
    """Return a file of credentials whose JWT has this name; nothing of it is signed."""
    claims = base64.urlsafe_b64encode(json.dumps({"name": name}).encode()).decode().rstrip("=")
    return (
        f"-----BEGIN NATS USER JWT-----\nhead.{claims}.sign\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{SEED}\n------END USER NKEY SEED------\n"
    )


def shown(place):
    """Return the options of a place that say who it is."""
    return {name: value for name, value in place.options.items() if name != "inbox_prefix"}


@pytest.fixture
def creds(tmp_path):
    path = tmp_path / "ben.creds"
    path.write_text(creds_text("ben"))
    return str(path)


@pytest.fixture
def save_context(tmp_path, monkeypatch):
    """Return a function that saves a context of the command `nats`."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    folder = tmp_path / "nats" / "context"
    folder.mkdir(parents=True)
    return lambda name, **facts: (folder / f"{name}.json").write_text(json.dumps(facts))


def test_a_password_is_shown_to_the_server_and_to_nobody_else():
    place = NatsPlace.of("nats://ben:p%40ss%2Fw@h1,h2:5222")

    assert place.servers == ("nats://h1:4222", "nats://h2:5222")
    assert shown(place) == {"user": "ben", "password": "p@ss/w"}
    assert place.user == place.token == "ben"
    assert place.text == "nats://ben:***@h1:4222,h2:5222"
    assert "p%40" not in repr(place)
    assert "p@ss" not in repr(place)


def test_a_user_without_a_password_is_a_token():
    place = NatsPlace.of("nats://t0ken@host")

    assert place.options == {"token": "t0ken"}
    assert (place.user, place.token) == ("", "-")
    assert "t0ken" not in place.text + repr(place)


def test_a_user_with_dots_is_one_token_of_a_subject():
    assert NatsPlace.of("nats://team.ben:x@host").token == "team~ben"


def test_the_file_of_credentials_says_the_user(creds):
    for place in (NatsPlace.of(f"nats://host?creds={creds}"), NatsPlace.of("nats://host", creds)):
        assert shown(place) == {"user_credentials": creds}
        assert place.user == "ben"


def test_given_credentials_count_before_those_of_the_url(creds):
    place = NatsPlace.of("nats://anna:secret@host", creds)

    assert shown(place) == {"user_credentials": creds}
    assert place.user == "ben"


def test_the_user_of_the_url_counts_in_subjects_before_that_of_the_credentials(creds):
    assert NatsPlace.of(f"nats://host?creds={creds}&user=anna").token == "anna"


def test_an_nkey_says_no_user(tmp_path):
    seed = tmp_path / "ben.nk"
    seed.write_text(f"{SEED}\n")

    place = NatsPlace.of(f"nats://host?nkey={seed}")

    assert place.options == {"nkeys_seed": str(seed)}
    assert place.token == "-"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("nothing of the kind", "is missing"),
        (creds_text("ben").replace("head.", "head."[:-1]), "its JWT cannot be read"),
        (creds_text("two words"), "?user=NAME"),
        (creds_text("ben").replace(SEED, SEED[:-1]), "or it was cut"),
        (creds_text("ben").replace(SEED, "SA" + SEED[2:]), "begins with SU"),
        ("x" * 70_000, "over 65,536 bytes"),
        (None, "there is no such file"),
    ],
)
def test_a_bad_file_of_credentials_is_named_with_its_fault(tmp_path, content, says):
    path = tmp_path / "ben.creds"
    if content is not None:
        path.write_text(content)

    with pytest.raises(InvalidUrl) as caught:
        NatsPlace.of("nats://host", str(path))

    assert says in str(caught.value)


def test_the_content_of_credentials_in_place_of_a_path_is_not_shown():
    with pytest.raises(InvalidUrl) as caught:
        NatsPlace.of("nats://host", creds_text("ben"))

    assert SEED not in str(caught.value)


def test_a_context_says_servers_and_credentials(save_context, creds):
    save_context("prod", url="nats://h1,nats://h2:5222", creds=creds, description="ours")

    place = NatsPlace.of("nats://?context=prod")

    assert place.servers == ("nats://h1:4222", "nats://h2:5222")
    assert shown(place) == {"user_credentials": creds}
    assert place.text == "nats://?context=prod"


def test_what_the_url_says_counts_before_its_context(save_context, creds):
    save_context("prod", url="tls://h1", creds=creds)

    place = NatsPlace.of("nats://anna:secret@h2?context=prod")

    assert place.servers == ("nats://h2:4222",)
    assert shown(place) == {"user": "anna", "password": "secret"}


@pytest.mark.parametrize(
    ("facts", "options"),
    [
        ({"user": "ben", "password": "p"}, {"user": "ben", "password": "p"}),
        ({"token": "t"}, {"token": "t"}),
        ({"url": "nats://ben:p@h"}, {"user": "ben", "password": "p"}),
        ({}, {}),
    ],
)
def test_a_context_says_it_in_every_way(save_context, facts, options):
    save_context("prod", **facts)

    assert shown(NatsPlace.of("nats://?context=prod")) == options


def test_the_inboxes_of_a_user_are_apart_unless_the_context_says_where(save_context):
    save_context("prod", user="ben", password="p", inbox_prefix="_mine")

    assert NatsPlace.of("nats://?context=prod").options["inbox_prefix"] == "_mine"
    assert NatsPlace.of("nats://team.ben:p@host").options["inbox_prefix"] == "_INBOX.team~ben"
    assert "inbox_prefix" not in NatsPlace.of("nats://host").options


def test_a_context_without_a_url_is_about_this_machine(save_context):
    save_context("here", url="")

    assert NatsPlace.of("nats://?context=here").servers == ("nats://127.0.0.1:4222",)


@pytest.mark.parametrize(
    ("url", "facts", "says"),
    [
        ("nats://?context=prot", {}, "did you mean 'prod'?"),
        ("nats://?context=../prod", {}, "no name of a context"),
        ("nats://?context=prod", {"nsc": "nsc://a/b/c"}, "says nsc"),
        ("nats://?context=prod", {"creds": 7}, "creds must be a text"),
        ("nats://?context=prod", {"url": "http://h"}, "write nats://"),
        ("nats://?context=prod", {"url": "nats://a,ws://b"}, "write nats://"),
        ("nats://?context=prod", {"creds": "/nowhere.creds"}, "cannot read /nowhere.creds"),
    ],
)
def test_a_context_that_cannot_be_used_is_named_with_its_fault(save_context, url, facts, says):
    save_context("prod", **facts)

    with pytest.raises(InvalidUrl) as caught:
        NatsPlace.of(url)

    assert says in str(caught.value)


@pytest.mark.parametrize("content", ["{", "[]", "[" * 100_000])
def test_a_context_that_is_no_json_is_refused(save_context, content):
    save_context("prod")
    path = os.path.join(os.environ["XDG_CONFIG_HOME"], "nats", "context", "prod.json")
    with open(path, "w") as file:
        file.write(content)

    with pytest.raises(InvalidUrl):
        NatsPlace.of("nats://?context=prod")


def test_with_tls_a_password_is_not_said_before_the_handshake():
    from nats.errors import SecureConnWantedError

    options = NatsPlace.of("tls://ben:secret@host").options

    with pytest.raises(SecureConnWantedError):
        options["password"]()
    assert options["user"] == "ben"


def test_with_tls_each_connection_has_a_proof_of_its_own():
    place = NatsPlace.of("tls://host")

    first, second = place.options["tls"], place.options["tls"]

    assert first is not second


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("ca=/nowhere.pem", "cannot read /nowhere.pem"),
        (f"ca={__file__}", f"cannot use {__file__}"),
        ("cert=/a.pem", "belong together"),
        ("cert=/a.pem&key=/b.pem", "cannot read /a.pem"),
    ],
)
def test_bad_files_for_tls_are_named(query, says):
    with pytest.raises(InvalidUrl) as caught:
        NatsPlace.of(f"tls://host?{query}")

    assert says in str(caught.value)


@pytest.mark.parametrize("url", [None, b"nats://host"])
def test_what_is_no_text_is_refused(url):
    with pytest.raises(InvalidUrl, match="of type"):
        NatsPlace.of(url)
