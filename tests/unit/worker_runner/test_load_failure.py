"""What is told when a program cannot be loaded, and whether another attempt can help."""

import pytest

from cosmonapse.worker_runner.load_failure import failure_of, files_of


def raised(path, text):
    """Run the text of a program that is at a path; return what it raises."""
    try:
        exec(compile(text, str(path), "exec"), {})
    except BaseException as error:  # noqa: BLE001  # also what ends a process
        return error
    raise AssertionError("it raised nothing")


@pytest.mark.parametrize(
    ("text", "reason", "is_final"),
    [
        ("exit()", "SystemExit: None", True),
        ("raise SystemExit", "SystemExit", True),
        ("raise SystemExit('no database')", "SystemExit: no database", True),
        ("raise KeyboardInterrupt", "KeyboardInterrupt", True),
        ("assert False", "AssertionError", False),
        ("raise OSError('busy')", "OSError: busy", False),
    ],
)
def test_the_reason_is_one_line_and_what_ends_a_program_is_final(text, reason, is_final, tmp_path):
    failure = failure_of(raised(tmp_path / "app.py", text), [str(tmp_path)])

    assert failure.reason == f"{tmp_path}/app.py:1: {reason}"
    assert (failure.code, failure.is_final) == (1, is_final)


def test_a_program_behind_a_link_is_in_its_folder(tmp_path):
    folder, link = tmp_path / "real", tmp_path / "link"
    folder.mkdir()
    link.symlink_to(folder)
    error = raised(link / "app.py", "1 / 0")

    assert files_of(error, [str(folder)]) == [f"{folder}/app.py"]
    assert failure_of(error, [str(folder)]).reason.startswith(f"{folder}/app.py:1: Zero")
