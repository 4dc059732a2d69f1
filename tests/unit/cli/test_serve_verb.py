"""A user's mistakes at `cosmo serve`: one line that says what to do, before anything listens."""

import pytest

from cosmonapse import MissingExtra
from cosmonapse.cli import run
from cosmonapse.cli.serve import _check_flags, _load

GIVEN = {"tools": (), "a2a_agent": None, "origins": (), "hosts": (), "base_url": None}


class WithoutModule:
    """Importlib, where one module is not there."""

    def __init__(self, name):
        self.name = name

    def import_module(self, whole):
        raise ModuleNotFoundError(f"No module named {self.name!r}", name=self.name)


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--tools", "fs.*"], "--tools is for --mcp"),
        (["--a2a-agent", "book"], "--a2a-agent is for --a2a"),
        (["--cors", "localhost"], "an origin is a scheme and a host"),
        (["--cors", "http://localhost:3000/page"], "an origin is a scheme and a host"),
        (["--cors", "http://localhost:port"], "an origin is a scheme and a host"),
        (["--allow-host", "https://agents.example"], "give the name alone"),
        (["--allow-host", "agents.example:443"], "give the name alone"),
        (["--base-url", "agents.example"], "give http:// or https://"),
        (["--base-url", "https://me:secret@agents.example"], "give http:// or https://"),
    ],
)
def test_a_flag_that_would_have_no_effect_is_refused(flags, says, capsys):
    code = run(["serve", "--http", "--port", "0", *flags])

    said = capsys.readouterr()
    assert (code, said.out) == (2, "")
    assert says in said.err
    assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize(
    "given",
    [
        {"origins": ("*", "null", "http://localhost:3000/", "app://obsidian.md")},
        {"hosts": ("agents.example", "[::1]")},
        {"base_url": "https://agents.example/below"},
        {"tools": ("fs.*",), "a2a_agent": "book"},
    ],
)
def test_what_has_an_effect_is_taken(given):
    _check_flags(("mcp", "a2a"), {**GIVEN, **given})


@pytest.mark.parametrize(
    ("face", "module", "package", "extra"),
    [
        ("http", "starlette", "starlette", "serve"),
        ("openai", "starlette", "starlette", "serve"),
        ("mcp", "anyio", "mcp", "mcp"),
        ("a2a", "starlette", "a2a-sdk", "a2a"),
    ],
)
def test_each_face_names_its_own_package_and_its_extra(face, module, package, extra, monkeypatch):
    monkeypatch.setattr("cosmonapse.cli.serve.importlib", WithoutModule(module))

    with pytest.raises(MissingExtra) as raised:
        _load(face)

    assert (raised.value.package, raised.value.extra) == (package, extra)


def test_a_module_of_ours_that_is_not_there_is_no_missing_extra(monkeypatch):
    monkeypatch.setattr("cosmonapse.cli.serve.importlib", WithoutModule("cosmonapse.serve.x"))

    with pytest.raises(ModuleNotFoundError, match=r"cosmonapse\.serve\.x"):
        _load("http")
