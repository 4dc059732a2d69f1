"""The configuration of a nats-server with rights; what it does is in the integration tests."""

from pathlib import Path

import pytest

from cosmonapse.synapse.nats.server_conf import (
    ServerPlace,
    ServerUser,
    client_rights,
    router_rights,
    server_conf,
)

SYNAPSE = ServerUser("synapse", "s")


def test_a_dendrite_sends_under_its_own_name_and_hears_its_namespace():
    rights = client_rights("ben", ["red"])

    assert rights.publish == ("cosmo._who", "cosmo.red.up.*.ben.*")
    assert rights.subscribe == (
        "cosmo._synapse",
        "_INBOX.ben.>",
        "cosmo.red.down.ben.*",
        "cosmo.red.heard.ben.*",
        "cosmo.red.t.*",
        "cosmo.red.r.*",
        "cosmo.red.subscribed",
    )


def test_a_dot_in_a_name_makes_no_further_token():
    rights = client_rights("team.ben", ["red.one"])

    assert "cosmo.red~one.up.*.team~ben.*" in rights.publish


def test_a_star_is_every_namespace_and_no_other_user():
    assert "cosmo.*.up.*.ben.*" in client_rights("ben", ["*"]).publish


def test_a_synapse_may_do_everything_of_the_fabric_and_nothing_else():
    assert router_rights("synapse").publish == ("cosmo.>", "_INBOX.>")


def test_a_password_is_quoted_and_a_variable_is_not():
    users = [SYNAPSE, ServerUser("ben", "$BEN", ("red",))]

    text = server_conf(ServerPlace(), users, "r")

    assert 'user: "synapse", password: "s"' in text
    assert 'user: "ben", password: $BEN,' in text
    assert "cluster" not in text
    assert text.endswith("}\n")


def test_a_cluster_has_one_file_for_all():
    place = ServerPlace("0.0.0.0", 4222, ("a", "::1"), 6222)

    text = server_conf(place, [SYNAPSE], "secret")

    assert '"nats-route://routes:secret@a:6222", "nats-route://routes:secret@[::1]:6222"' in text
    assert place.url_for(SYNAPSE) == "nats://synapse:s@a:4222,[::1]:4222"


def test_with_a_certificate_the_url_says_tls():
    place = ServerPlace(cert="/c.pem", key="/k.pem")

    assert 'cert_file: "/c.pem", key_file: "/k.pem"' in server_conf(place, [SYNAPSE], "r")
    assert place.url_for(SYNAPSE) == "tls://synapse:s@127.0.0.1:4222"


@pytest.mark.parametrize(
    ("name", "password", "namespaces", "says"),
    [
        ("a b", "p", ("red",), "user must be"),
        ("-", "p", ("red",), "without a name"),
        ("ben", "p", ("a/b",), "namespace must be"),
        ("ben", "p", ("red.>",), "namespace must be"),
        ("ben", "p", (), "NAME=NS"),
        ("ben", "", ("red",), "password"),
        ("ben", 'a"b', ("red",), "password"),
        ("ben", "a\nb", ("red",), "password"),
    ],
)
def test_what_would_break_the_file_is_refused(name, password, namespaces, says):
    with pytest.raises(ValueError, match=says):
        ServerUser(name, password, namespaces)


def test_a_password_is_in_no_repr():
    assert "secret" not in repr(ServerUser("ben", "secret", ("red",)))


def test_the_page_names_every_right():
    page = (Path(__file__).parents[4] / "docs" / "nats.md").read_text()
    rights = client_rights("USER", ["NS"]), router_rights("USER")

    for each in (pattern for both in rights for pattern in (*both.publish, *both.subscribe)):
        assert f"`{each}`" in page


def test_one_that_does_not_read_holds_up_others_for_a_short_time():
    text = server_conf(ServerPlace(), [SYNAPSE], "r")

    assert 'write_deadline: "2s"\nmax_pending: 268435456\n' in text
