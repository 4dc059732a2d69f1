"""The keys of a soak."""

import pytest

from cosmonapse.key_ring import KeyRing
from cosmonapse.keys import Key
from tools.soak.__main__ import arguments_of
from tools.soak.keys import Keys
from tools.soak.processes import SoakError


def test_each_synapse_has_a_key_of_its_own_and_each_client_one_for_all(tmp_path):
    keys = Keys(tmp_path, ["synapse", "synapse-2"])
    first, second = (KeyRing.read(keys.folder_of(each)) for each in ("synapse", "synapse-2"))

    assert [*first.peers.values()] == [(second.public,)]
    assert [*second.peers.values()] == [(first.public,)]
    assert first.members == second.members
    assert [*first.members] == ["caller", "watcher", "worker"]
    names = {
        "caller-2": "caller",
        "worker-1": "worker",
        "extra-1": "worker",
        "watcher-1": "watcher",
    }
    for name, user in names.items():
        key = Key.read(keys.variables_of(name)["COSMO_KEY"])
        assert key.name == user
        assert first.owner_of(key.public) == user
        assert set(key.synapse) == {first.public, second.public}


def test_a_process_that_is_no_client_has_no_key(tmp_path):
    assert Keys(tmp_path, ["synapse"]).variables_of("relay") == {}


def test_keys_that_are_there_are_not_replaced(tmp_path):
    Keys(tmp_path, ["synapse"])

    with pytest.raises(SoakError, match="synapse"):
        Keys(tmp_path, ["synapse"])


def test_with_keys_no_client_can_be_over_zmtp(capsys):
    with pytest.raises(SystemExit):
        arguments_of(["--keys", "--javascript", "zmtp"])

    assert "--javascript libzmq" in capsys.readouterr().err
