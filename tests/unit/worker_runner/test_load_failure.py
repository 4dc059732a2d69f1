"""What is told when a program cannot be loaded, and whether another attempt can help."""

import sys

import pytest

from cosmonapse.errors import (
    AccessRefused,
    InvalidUrl,
    MemoryFileError,
    MissingExtra,
    PortInUse,
    SynapseUnreachable,
    ToolServerUnreachable,
)
from cosmonapse.worker_runner.load_failure import failure_of, files_of
from cosmonapse.worker_runner.targets import BadTarget, hosted_of


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


@pytest.mark.parametrize(
    ("text", "words", "code"),
    [
        ("Axon(neuron_id='a', neuron_fn=3)", "TypeError: neuron_fn must be a function", 2),
        ("Axon(neuron_id='a', neuron_fn=print, capabilities=3)", "must be a list of names", 2),
        ("Axon(neuron_id='a')", "missing 1 required keyword-only argument: 'neuron_fn'", 2),
        ("Axon(neuron_id='a', capability=1)", "'capability': did you mean capabilities?", 2),
        ("engram('a', 1, stor=2)", "a store of an engram has imprint", 2),
        ("neuron(rate_limit='lots')(print)", "rate_limit must be a number of tasks", 2),
        ("Neuron(source='openai', model='m')", "set api_key, or the environment variable", 2),
        ("SqliteMemory('no/folder/mem.db')", "its folder must exist and be writable", 2),
        ("Sessions('no/folder/chat.db')", "its folder must exist and be writable", 2),
        ("SqliteRegistryStore('no/folder/r.db')", "its folder must exist and be writable", 2),
        ("import nowhere_at_all", f"install what has it where cosmo is, in {sys.prefix}", 2),
        ("from cosmonapse import Axxn", "ImportError: cannot import name 'Axxn'", 2),
        ("axon_", "NameError: name 'axon_' is not defined", 1),
        ("cosmonapse.Axn", "AttributeError: module 'cosmonapse' has no attribute 'Axn'", 1),
    ],
)
def test_what_only_its_user_can_mend_is_final_and_says_what_to_do(
    text, words, code, tmp_path, monkeypatch
):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    whole = f"import cosmonapse; from cosmonapse import *; {text}"

    failure = failure_of(raised(tmp_path / "app.py", whole), [str(tmp_path)])

    assert failure.reason.startswith(f"{tmp_path}/app.py:1: ")
    assert words in failure.reason
    assert "\n" not in failure.reason
    assert (failure.code, failure.is_final, failure.in_program, failure.trace) == (
        code,
        True,
        True,
        "",
    )


@pytest.mark.parametrize(
    "text",
    [
        "1 / 0",
        "1 + 'a'",
        "int('a')",
        "{}['DB']",
        "(lambda: 0)(a=1)",
        "object().gone",
        "Sessions(':memory:', clock=lambda: int('a')).append('s', 'user', 'x')",
    ],
)
def test_what_the_program_itself_raises_is_tried_again_and_has_its_traceback(text, tmp_path):
    path = tmp_path / "app.py"

    failure = failure_of(raised(path, f"from cosmonapse import *; {text}"), [str(tmp_path)])

    assert (failure.code, failure.is_final) == (1, False)
    if "Sessions" not in text:  # that is an error of ours, with what its cause said
        assert failure.trace.startswith("Traceback (most recent call last):\n")
        assert f'  File "{path}", line 1, in <module>\n' in failure.trace


@pytest.mark.parametrize(
    ("error", "code", "is_final"),
    [
        (SynapseUnreachable("cosmo://h", "away", "start it"), 3, False),
        (ToolServerUnreachable("fs", "no connection"), 1, False),
        (MemoryFileError("m.db", "locked", "wait", may_pass=True), 1, False),
        (ToolServerUnreachable("fs", "there is no command", may_pass=False), 2, True),
        (MissingExtra("httpx", "llm"), 2, True),
        (PortInUse("h:1", "in use"), 1, True),
        (AccessRefused("cosmo://h", "it may not", "ask"), 5, True),
    ],
)
def test_what_may_be_over_by_itself_is_tried_again_and_nothing_of_ours_has_a_traceback(
    error, code, is_final
):
    failure = failure_of(error, ["/srv"])

    assert (failure.code, failure.is_final, failure.trace) == (code, is_final, "")


@pytest.mark.parametrize(
    ("error", "in_program"),
    [
        (InvalidUrl("foo", "it has no scheme"), False),
        (AccessRefused("cosmo://h", "it may not", "ask"), False),
        (BadTarget("app has no 'axn'"), True),
    ],
)
def test_a_mistake_in_the_command_line_is_told_from_one_in_the_program(error, in_program):
    assert failure_of(error, ["/srv"]).in_program is in_program


@pytest.mark.parametrize("target", ["app:", "nowhere_at_all", "./app.py", ".app"])
def test_a_target_that_names_no_module_is_in_the_command_line(target):
    with pytest.raises(BadTarget) as caught:
        hosted_of([target])

    assert failure_of(caught.value, ["/srv"]).in_program is False


def test_a_program_behind_a_link_is_in_its_folder(tmp_path):
    folder, link = tmp_path / "real", tmp_path / "link"
    folder.mkdir()
    link.symlink_to(folder)
    error = raised(link / "app.py", "1 / 0")

    assert files_of(error, [str(folder)]) == [f"{folder}/app.py"]
    assert failure_of(error, [str(folder)]).reason.startswith(f"{folder}/app.py:1: Zero")
