"""A user's mistakes at `cosmo serve`: one line that says what to do, before anything listens."""

import pytest

from cosmonapse.cli import run
from cosmonapse.cli.gateway_flags import check_flags

GIVEN = {"tools": (), "a2a_agent": None, "origins": (), "hosts": (), "base_url": None}


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--tools", "fs.*"], "--tools is for --mcp"),
        (["--a2a-agent", "book"], "--a2a-agent is for --a2a"),
        (["--cors", "localhost"], "an origin is a scheme and a host"),
        (["--cors", "http://localhost:3000/page"], "an origin is a scheme and a host"),
        (["--cors", "http://localhost:port"], "an origin is a scheme and a host"),
        (["--allow-host", "https://agents.example"], "give one whole name"),
        (["--allow-host", "agents.example:443"], "give one whole name"),
        (["--allow-host", "*"], "give one whole name"),
        (["--allow-host", "*.example"], "give one whole name"),
        (["--allow-host", ""], "give one whole name"),
        (["--a2a", "--a2a-agent", "a b"], "--a2a-agent: neuron_id must be 1 to 128 characters"),
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
    "flags",
    [
        ["--host", "127.0.0.1"],
        ["--port", "0"],
        ["--allow-host", "agents.example"],
        ["--cors", "http://localhost:3000"],
        ["--base-url", "https://agents.example"],
        ["--grace", "1"],
        ["--metrics", "127.0.0.1:0"],
    ],
)
def test_a_flag_of_http_has_no_effect_on_stdio_and_is_refused(flags, capsys):
    code = run(["serve", "--mcp=stdio", *flags])

    said = capsys.readouterr()
    assert (code, said.out) == (2, "")
    assert f"{flags[0]} is for HTTP" in said.err


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
    check_flags(("mcp", "a2a"), {**GIVEN, **given})
