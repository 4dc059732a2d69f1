"""Which files with a secret are read: those of this user alone, and what systemd lends to it."""

import pytest

from cosmonapse.errors import InvalidKey
from cosmonapse.runtime.private_files import read_private, write_new


@pytest.fixture
def lend(tmp_path, monkeypatch):
    """Make a folder of credentials with a file of some mode; return its path."""
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))

    def make(mode):
        path = tmp_path / "cosmonapse.key"
        path.write_text('name = "ben"\n')
        path.chmod(mode)
        return str(path)

    return make


def test_a_credential_shows_its_access_list_as_a_right_of_the_group(lend):
    assert read_private(lend(0o440)) == {"name": "ben"}


@pytest.mark.parametrize("mode", [0o460, 0o444, 0o644])
def test_a_credential_that_others_may_read_or_write_is_refused(lend, mode):
    with pytest.raises(InvalidKey, match="others may"):
        read_private(lend(mode))


def test_the_same_file_elsewhere_is_refused(lend, monkeypatch):
    path = lend(0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/another")

    with pytest.raises(InvalidKey, match="others may read or write it"):
        read_private(path)


def test_a_new_file_in_a_folder_that_is_not_there_names_the_folder(tmp_path):
    with pytest.raises(InvalidKey, match=f"there is no folder {tmp_path}/gone$"):
        write_new(tmp_path / "gone" / "made.conf", "text")
