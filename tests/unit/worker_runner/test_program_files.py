"""Under which path a file belongs to a program."""

import os

from cosmonapse.worker_runner.program_files import own_path


def test_a_file_may_be_in_a_folder_by_a_link_or_behind_one(tmp_path):
    folder, link = tmp_path / "real", tmp_path / "link"
    folder.mkdir()
    (folder / "app.py").touch()
    link.symlink_to(folder)

    assert own_path(f"{link}/app.py", [str(folder)]) == f"{folder}/app.py"
    assert own_path(f"{link}/app.py", [str(link)]) == f"{link}/app.py"
    assert own_path(f"{link}/app.py", [f"{tmp_path}/other"]) is None


def test_what_is_no_file_is_in_no_folder():
    assert own_path("<frozen importlib._bootstrap>", [os.getcwd()]) is None
    assert own_path("uvloop/loop.pyx", [os.getcwd()]) is None
