"""`cosmo keys`: what each verb writes and prints, and its mistakes in one line."""

import json
import os
import re

import pytest

from cosmonapse.cli import run
from cosmonapse.key_ring import KeyRing
from cosmonapse.keys import Key, fingerprint, public_key, public_text
from cosmonapse.rights import Rights
from cosmonapse.synapse.access import new_pair

PUBLIC = public_text(new_pair()[0])


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A home of its own, and a folder to work in."""
    monkeypatch.setenv("COSMO_URL", "cosmo://127.0.0.1:1")  # nobody is there
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "work").mkdir(0o700)
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


@pytest.fixture
def cosmo(capsys):
    """Type `cosmo keys ...`; return what it printed."""

    def type_(*arguments):
        code = run(["keys", *arguments])
        said = capsys.readouterr()
        assert code == 0, said
        assert said.err == ""
        return said.out

    return type_


@pytest.fixture
def mistake(capsys):
    """Type `cosmo keys ...`, which is a mistake; return the one line that it printed."""

    def type_(*arguments):
        code = run(["keys", *arguments])
        said = capsys.readouterr()
        assert (code, said.out) == (2, ""), said
        assert said.err.startswith("cosmo: ")
        assert said.err.count("\n") == 1
        return said.err

    return type_


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "config" / "cosmonapse" / "keys"


def test_the_first_key_makes_the_folder_and_both_fit_together(cosmo, folder):
    said = cosmo("new", "ada")

    key, ring = Key.read("ada.key"), KeyRing.read(folder)
    assert ring.members["ada"].publics == (key.public,)
    assert key.synapse == (ring.public,)
    assert ring.members["ada"].rights == Rights.of(["member"])
    assert ring.members["ada"].namespaces is None
    assert f"cosmo synapse start --keys {folder} --host 0.0.0.0" in said
    assert "ada.key: all that ada needs" in said


def test_a_second_key_has_the_same_synapse_and_its_own_rights(cosmo, folder, tmp_path):
    cosmo("new", "ada")
    out = tmp_path / "ben.key"

    said = cosmo(
        *("new", "ben", "--may", "serve=invoice-*,watch", "--may", "decide", "-n", "billing"),
        *("--out", str(out), "--url", "cosmo://10.0.0.5:7171"),
    )

    key, ring = Key.read(out), KeyRing.read(folder)
    assert key.synapse == Key.read("ada.key").synapse
    assert key.url == "cosmo://10.0.0.5:7171"
    assert ring.members["ben"].rights == Rights.of(["serve=invoice-*", "watch", "decide"])
    assert ring.members["ben"].namespaces == ("billing",)
    assert "synapse start" not in said


@pytest.mark.parametrize("wrong", [("--may", "serv"), ("-n", "a b")])
def test_a_mistake_makes_no_folder(mistake, cosmo, folder, wrong):
    mistake("new", "ada", *wrong)

    assert not folder.exists()
    assert "the keys of a new Synapse" in cosmo("new", "ada")


def test_a_key_may_be_written_into_a_folder(cosmo, tmp_path):
    cosmo("new", "ada", "--out", str(tmp_path / "work"))

    assert Key.read(tmp_path / "work" / "ada.key").name == "ada"


def test_a_member_makes_an_own_key_and_the_line_that_is_sent_completes_it(cosmo, here, folder):
    line = re.search(r"^  cosmo keys (allow ben cpk_\w+)$", cosmo("new", "ben", "--own"), re.M)[1]
    assert not folder.exists()

    said = cosmo(*line.split(), "--may", "worker")
    with (here / "ben.key").open("a") as file:
        file.write(re.search(r"^  (synapse = .*)$", said, re.M)[1] + "\n")

    key, ring = Key.read("ben.key"), KeyRing.read(folder)
    assert ring.owner_of(key.public) == "ben"
    assert key.synapse == (ring.public,)
    assert str(ring.members["ben"].rights) == "worker"


def test_a_name_gets_a_further_key_and_the_old_one_is_revoked(cosmo, mistake, folder):
    cosmo("new", "ada", "--may", "worker")
    assert "--add makes a further key" in mistake("new", "ada", "--out", "ada-2.key")

    cosmo("new", "ada", "--add", "--out", "ada-2.key")
    old, new = Key.read("ada.key"), Key.read("ada-2.key")
    assert KeyRing.read(folder).members["ada"].publics == (old.public, new.public)
    assert str(KeyRing.read(folder).members["ada"].rights) == "worker"

    assert "it has 1 more" in cosmo("revoke", "ada", public_text(old.public))
    assert KeyRing.read(folder).members["ada"].publics == (new.public,)

    assert cosmo("revoke", "ada", public_text(new.public)) == "ada is revoked\n"
    assert KeyRing.read(folder).members == {}


def test_new_key_files_name_every_public_key_that_the_synapse_may_have(cosmo, folder):
    cosmo("new", "ada")
    with (folder / "synapse.key").open("a") as file:
        file.write(f'also = ["{PUBLIC}"]\n')

    cosmo("new", "ben")

    assert Key.read("ben.key").synapse == (*Key.read("ada.key").synapse, public_key(PUBLIC))
    assert json.loads(cosmo("show", "--json"))["public"][1] == PUBLIC


def test_rights_and_namespaces_are_changed_and_the_key_stays(cosmo, folder):
    cosmo("new", "ada", "-n", "billing")
    before = KeyRing.read(folder).members["ada"]

    cosmo("allow", "ada", "--may", "watch")
    assert KeyRing.read(folder).members["ada"].publics == before.publics
    assert KeyRing.read(folder).members["ada"].namespaces == ("billing",)
    assert str(KeyRing.read(folder).members["ada"].rights) == "watcher"

    cosmo("allow", "ada", "-n", "sales", "-n", "support")
    assert KeyRing.read(folder).members["ada"].namespaces == ("sales", "support")
    assert str(KeyRing.read(folder).members["ada"].rights) == "watcher"


def test_rights_and_namespaces_are_added_to_those_before(cosmo, mistake, folder):
    cosmo("new", "ada", "--may", "watch", "-n", "billing")

    cosmo("allow", "ada", "--may", "+serve=x-*,+dispatch", "-n", "+sales")
    member = KeyRing.read(folder).members["ada"]
    assert member.rights == Rights.of(["watch", "serve=x-*", "dispatch"])
    assert member.namespaces == ("billing", "sales")

    assert "before all of them" in mistake("allow", "ada", "--may", "+serve,watch")
    assert KeyRing.read(folder).members["ada"] == member


def test_a_namespace_that_is_added_to_every_one_takes_none_away(cosmo, folder):
    cosmo("new", "ada")

    cosmo("allow", "ada", "-n", "+sales")

    assert KeyRing.read(folder).members["ada"].namespaces is None


def test_a_star_lifts_the_limit_to_some_namespaces(cosmo, mistake, folder):
    cosmo("new", "ada", "-n", "billing")

    assert "every namespace" in cosmo("allow", "ada", "-n", "*")
    assert KeyRing.read(folder).members["ada"].namespaces is None
    for wrong in (["-n", "*", "-n", "sales"], ["-n", "+*"]):
        assert "namespace" in mistake("allow", "ada", *wrong)


def test_the_command_that_makes_a_folder_can_be_pasted(mistake, tmp_path):
    said = mistake("list", "--dir", str(tmp_path / "my keys"))

    assert f"'cosmo keys new NAME --dir '{tmp_path / 'my keys'}''" in said


def test_a_user_of_this_machine_is_allowed_without_a_key(cosmo, folder):
    cosmo("allow", "uid-1234", "--may", "caller")

    member = KeyRing.read(folder).members["uid-1234"]
    assert (member.user, member.publics, str(member.rights)) == ("uid:1234", (), "caller")
    assert "no key: a user of this machine" in cosmo("list")


def test_whoever_is_in_a_broken_file_can_be_revoked(cosmo, folder):
    cosmo("new", "ada")
    (folder / "allowed" / "ada.toml").write_text("public = [")

    assert cosmo("revoke", "ada") == "ada is revoked\n"
    assert KeyRing.read(folder).members == {}


def test_the_list_shows_names_fingerprints_rights_and_namespaces(cosmo):
    cosmo("new", "ada")
    cosmo("new", "ben", "--may", "serve=x-*", "-n", "billing")

    ada, ben = (Key.read(f"{name}.key") for name in ("ada", "ben"))
    lines = cosmo("list").splitlines()
    assert lines[4].startswith("who is connected is not known: no Synapse at cosmo://127.0.0.1:1")
    rows = [json.loads(each) for each in cosmo("list", "--json").splitlines()]

    assert lines[0].startswith(f"keys of the Synapse {fingerprint(ada.synapse[0])}, in ")
    assert lines[1].split() == ["NAME", "CONNECTED", "FINGERPRINT", "MAY", "NAMESPACES"]
    assert lines[2].split()[:4] == ["ada", "?", fingerprint(ada.public), "member"]
    assert lines[3].split() == ["ben", "?", fingerprint(ben.public), "serve=x-*", "billing"]
    assert [each["name"] for each in rows] == ["ada", "ben"]
    assert [each["connected"] for each in rows] == [None, None]
    assert rows[1]["may"] == ["serve=x-*"]
    assert rows[0]["namespaces"] == "every"
    assert rows[1]["public"] == [public_text(ben.public)]


def test_a_key_that_may_not_watch_counts_nobody(cosmo):
    cosmo("new", "ada", "--may", "worker")

    said = cosmo("list", "--key", "ada.key")

    assert said.splitlines()[2].split()[:2] == ["ada", "?"]
    assert "who is connected is not known: the key ada may not watch" in said


def test_an_empty_list_says_what_to_run(cosmo):
    cosmo("new", "ada")
    cosmo("revoke", "ada")

    assert "nobody is allowed yet: run 'cosmo keys new NAME'" in cosmo("list")


def test_a_name_a_file_and_the_synapse_are_shown_without_a_secret(cosmo, here, folder):
    cosmo("new", "ada", "--url", "cosmo://h:1")
    cosmo("new", "ben", "--own")
    ada = Key.read("ada.key")

    shown = {each: cosmo("show", *each) for each in ((), ("ada",), ("ada.key",), ("ben.key",))}
    as_json = {each: json.loads(cosmo("show", *each, "--json")) for each in shown}

    assert public_text(ada.synapse[0]) in shown[()]
    assert as_json[()]["names"] == 1
    assert as_json["ada",]["may"] == list(Rights.of(["member"]).words)
    assert as_json["ada.key",]["synapse"] == [public_text(ada.synapse[0])]
    assert as_json["ada.key",]["url"] == "cosmo://h:1"
    assert as_json["ben.key",]["synapse"] == []
    secrets = re.findall(r"csk_\w+", "".join(p.read_text() for p in [*here.glob("*.key")]))
    secrets += re.findall(r"csk_\w+", (folder / "synapse.key").read_text())
    assert len(secrets) == 3
    assert "csk_" not in repr(shown) + repr(as_json)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["new", "a/b"], "the name of a key must be 1 to 128 characters"),
        (["new", "synapse"], "the Synapse's own key"),
        (["new", "uid-1"], "users of this machine"),
        (["new", "cas", "--may", "wach"], "did you mean 'watch'?"),
        (["new", "cas", "--may", "serve=a,b"], "'b': there is no such right"),
        (["new", "cas", "--may", ""], "no such right"),
        (["new", "cas", "-n", "a b"], "namespace must be"),
        (["new", "cas", "--url", "http://x"], "the scheme 'http' is unknown"),
        (["new", "cas", "--out", "no/such/folder/cas.key"], "no such file"),
        (["new", "cas", "--own", "--may", "watch"], "--own goes without"),
        (["new", "ada", "--add"], "exists already"),
        (["allow", "cas"], "cosmo keys allow NAME cpk_..."),
        (["allow", "cas", "cpk_abc"], "58 characters, not 3"),
        (["allow", "cas", PUBLIC[:-2] + "aa"], "mistyped"),
        (["allow", "cas", PUBLIC.replace("cpk_", "csk_")], "the other kind of key"),
        (["allow", "uid-x"], "the number of a user"),
        (["allow", "uid-1", PUBLIC], "a uid has no key"),
        (["revoke", "adda"], "did you mean 'ada'?"),
        (["revoke", "ada", PUBLIC], "none of the keys of ada"),
        (["show", "adda"], "did you mean 'ada'?"),
        (["show", "none.key"], "no such file"),
        (["list", "--dir", "/nowhere"], "make one with 'cosmo keys new NAME --dir /nowhere'"),
        (["nwe"], "there is no verb 'cosmo keys nwe': did you mean 'cosmo keys new'?"),
    ],
)
def test_a_mistake_is_one_line_and_changes_nothing(cosmo, mistake, here, folder, arguments, said):
    cosmo("new", "ada")
    before = (sorted(os.listdir(here)), KeyRing.read(folder))

    assert said in mistake(*arguments)
    assert (sorted(os.listdir(here)), KeyRing.read(folder)) == before


def test_a_public_key_has_one_name(cosmo, mistake):
    cosmo("allow", "ada", PUBLIC)

    assert "ada has that key" in mistake("allow", "ben", PUBLIC)
    assert "ada is allowed" in cosmo("allow", "ada", PUBLIC)


def test_no_key_is_made_where_others_could_replace_it(mistake, here, folder):
    here.chmod(0o777)

    assert f"chmod go-w {here}" in mistake("new", "ada")
    assert not folder.exists()


def test_a_folder_that_others_may_write_is_told_with_the_chmod_to_run(cosmo, mistake, folder):
    cosmo("new", "ada")
    folder.chmod(0o770)

    assert f"chmod go-w {folder}" in mistake("list")
    assert f"chmod go-w {folder}" in mistake("new", "ben")


# -- other Synapses ------------------------------------------------------------------------------


def test_a_peer_is_added_and_what_else_is_to_be_done_is_told(cosmo, folder):
    cosmo("new", "ada")
    said = cosmo("peer", "second", PUBLIC)

    ring = KeyRing.read(folder)
    assert ring.peers == {"second": (public_key(PUBLIC),)}
    assert f"cosmo keys peer NAME {public_text(ring.public)}" in said
    assert f'  synapse = ["{public_text(ring.public)}", "{PUBLIC}"]' in said
    assert fingerprint(public_key(PUBLIC)) in said


def test_a_key_file_that_is_made_later_names_every_synapse(cosmo, folder):
    cosmo("new", "ada")
    cosmo("peer", "second", PUBLIC)
    cosmo("new", "ben")

    assert Key.read("ben.key").synapse == KeyRing.read(folder).publics
    assert len(Key.read("ada.key").synapse) == 1
    assert PUBLIC in cosmo("allow", "cas", public_text(new_pair()[0]))


def test_the_key_of_the_synapse_itself_is_shown_without_those_of_its_peers(cosmo):
    cosmo("new", "ada")
    cosmo("peer", "second", PUBLIC)
    shown = json.loads(cosmo("show", "--json"))

    assert PUBLIC not in shown["public"]
    assert shown["peers"] == ["second"]


def test_peers_are_listed(cosmo):
    cosmo("new", "ada")
    cosmo("peer", "second", PUBLIC)
    *_, peer = map(json.loads, cosmo("list", "--json").splitlines())

    assert "second" in cosmo("list")
    assert peer == {
        "peer": "second",
        "public": [PUBLIC],
        "fingerprint": [fingerprint(public_key(PUBLIC))],
    }


def test_a_second_key_of_a_peer_stands_beside_the_first_until_the_peer_is_removed(cosmo, folder):
    cosmo("new", "ada")
    cosmo("peer", "second", PUBLIC)
    cosmo("peer", "second", PUBLIC)
    cosmo("peer", "second", public_text(new_pair()[0]))
    assert len(KeyRing.read(folder).peers["second"]) == 2

    cosmo("peer", "second", "--remove")
    assert KeyRing.read(folder).peers == {}


def test_mistakes_about_peers_are_told_in_one_line(cosmo, mistake, folder):
    cosmo("new", "ada")
    own = public_text(KeyRing.read(folder).public)
    ada = public_text(Key.read("ada.key").public)

    assert "the Synapse itself has that key" in mistake("peer", "second", own)
    assert "ada has that key" in mistake("peer", "second", ada)
    assert "no peer has it" in mistake("peer", "second", "--remove")
    assert "give the public key" in mistake("peer", "second")
    assert "cpk_" in mistake("peer", "second", "nonsense")
    assert "takes a name alone" in mistake("peer", "second", PUBLIC, "--remove")
