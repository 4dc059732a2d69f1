"""Mistakes of `cosmo worker` that need no process."""

import pytest

from cosmonapse.cli import run


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "Missing argument 'MODULE[:NAME]...'"),
        (["app", "--reload-dir", "."], "--reload-dir says where --reload looks: add --reload"),
        (["app", "--url", "memory://here"], "memory:// is inside one process"),
        (["app", "--workers", "0"], "'--workers'"),
        (["app", "--concurrency", "0"], "'--concurrency'"),
        (["app", "--grace", "nan"], "nan"),
        (["app", "--reload", "--reload-dir", "/no/such/folder"], "does not exist"),
    ],
)
def test_a_mistake_is_one_line(arguments, text, capsys):
    assert run(["worker", *arguments]) == 2

    said = capsys.readouterr().err
    assert text in said
    assert said.count("\n") == 1
