"""Which files have changed, and which are of the program."""

import pytest

from cosmonapse.worker_runner.watched_files import (
    changed,
    homes_of,
    is_of_program,
    shown_names,
)


@pytest.mark.parametrize(
    ("before", "after", "is_change"),
    [
        ((1, 5), (1, 5), False),
        ((1, 5), (2, 5), True),
        ((1, 5), (1, 6), True),
        ((2, 5), (1, 5), True),  # an older version that was put back
        ((1, 5), None, False),  # an editor is about to put the next one there
        (None, (1, 5), True),
        (None, None, False),
    ],
)
def test_a_file_has_changed_if_it_is_there_and_another(before, after, is_change):
    assert changed({"a.py": before}, {"a.py": after}) == ["a.py"] * is_change


def test_a_file_that_was_not_watched_before_is_no_change():
    assert changed({}, {"a.py": (1, 1)}) == []


@pytest.mark.parametrize(
    ("path", "is_own"),
    [
        ("/srv/app/app.py", True),
        ("/srv/app/deep/er/app.py", True),
        ("/srv/lib/app.py", False),
        ("/srv/apple/app.py", False),
        ("/srv/app/.venv/lib/python3.12/site-packages/httpx/_client.py", False),
        ("/srv/app/env/lib/python3/dist-packages/yaml.py", False),
    ],
)
def test_the_files_of_a_program_are_in_its_folders_and_not_installed(path, is_own):
    assert is_of_program(path, ["/srv/app"]) is is_own


def test_a_missing_module_may_come_as_a_file_or_a_folder():
    assert homes_of("pkg.helper", ["/a"]) == ["/a/pkg/helper/__init__.py", "/a/pkg/helper.py"]


def test_paths_are_shown_as_from_the_current_folder():
    assert shown_names(["/a/b/c.py", "/d/e.py"], "/a") == ["b/c.py", "/d/e.py"]
