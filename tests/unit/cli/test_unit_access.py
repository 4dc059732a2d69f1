"""Whether the user of a unit may read the program, and own the keys."""

import os

import click
import pytest

from cosmonapse.cli.unit_access import ENTER, READ, Account, check_keys, closed_part

ME = os.geteuid()
OTHER = Account("other", ME + 12_345, frozenset())


def facts(mode, uid=1, gid=2):
    return os.stat_result((mode, 0, 0, 1, uid, gid, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("account", "mode", "may"),
    [
        (Account("owner", 1, frozenset({2})), 0o500, True),
        (Account("owner", 1, frozenset({2})), 0o077, False),
        (Account("member", 3, frozenset({2})), 0o050, True),
        (Account("member", 3, frozenset({2})), 0o707, False),
        (Account("stranger", 3, frozenset({4})), 0o005, True),
        (Account("stranger", 3, frozenset({4})), 0o771, False),
        (Account(), 0o005, True),
        (Account(), 0o770, False),
        (Account("root", 0, frozenset()), 0o000, True),
    ],
)
def test_a_mode_gives_its_rights_to_owner_group_or_others(account, mode, may):
    assert account.may(READ | ENTER, facts(mode)) is may


def test_a_folder_on_the_way_that_a_user_may_not_enter_closes_all_below(tmp_path):
    closed = tmp_path / "closed"
    (closed / "app").mkdir(parents=True)
    # Above it is what the machine has; that part is open to whoever runs this.
    closed.chmod(0o700)

    assert closed_part(str(closed / "app"), Account("me", ME, frozenset()), READ) is None
    assert closed_part(str(closed / "app"), OTHER, READ) is not None


def test_the_keys_of_another_user_are_refused_as_the_synapse_would(tmp_path):
    key = tmp_path / "synapse.key"
    key.touch(0o600)
    owner = Account("me", ME, frozenset())
    check_keys(str(tmp_path), owner)

    key.chmod(0o644)
    with pytest.raises(click.UsageError, match="chmod 600"):
        check_keys(str(tmp_path), owner)
    key.unlink()
    with pytest.raises(click.UsageError, match=r"synapse.key: No such file"):
        check_keys(str(tmp_path), owner)


def test_a_key_that_can_be_read_and_is_not_of_the_user_is_refused(tmp_path, monkeypatch):
    (tmp_path / "synapse.key").touch(0o644)
    monkeypatch.setattr("cosmonapse.cli.unit_access.check_paths", lambda account, wanted: None)

    with pytest.raises(click.UsageError, match="the unit runs as other: run: sudo chown"):
        check_keys(str(tmp_path), OTHER)


def test_a_user_that_is_not_there_is_named():
    with pytest.raises(click.UsageError, match="there is no user 'nobody-of-that-name'"):
        Account.of("nobody-of-that-name")
