"""A command or a URL, and what of it may be logged."""

from pathlib import PurePath

import pytest

from cosmonapse.mcp_tools.server_target import target_from

NONE = {"env": None, "cwd": None, "headers": None, "token": None}


def test_a_command_is_split_as_a_shell_does_and_its_arguments_are_not_shown():
    target = target_from("npx -y 'a b' --key secret", **{**NONE, "env": {"KEY": "secret"}})

    assert target.command == ("npx", "-y", "a b", "--key", "secret")
    assert str(target) == "npx"


def test_a_url_has_headers_and_its_user_and_query_are_not_shown():
    given = {**NONE, "headers": {"X-A": "1"}, "token": "secret"}

    target = target_from("https://me:secret@host:8/mcp?key=secret", **given)

    assert target.headers == {"X-A": "1", "Authorization": "Bearer secret"}
    assert str(target) == "https://host:8/mcp"
    assert "secret" not in repr(target)


@pytest.mark.parametrize(
    ("given", "settings", "words"),
    [
        ("", {}, "name the command"),
        ([], {}, "name the command"),
        ("http://host/mcp", {"env": {"A": "1"}}, "for a command"),
        ("http://host/mcp", {"cwd": "/"}, "for a command"),
        ("npx 'x", {}, "no closing quotation; give it as a list"),
        (None, {}, "name the command"),
        ("ftp://host/mcp", {"token": "t"}, "http or https, not ftp://"),
        ("npx x", {"token": "t"}, "for a URL"),
        ("npx x", {"headers": {"A": "1"}}, "for a URL"),
        ("ws://host/mcp", {}, "is one of http or https, not ws"),
        ("http:///mcp", {}, "names a host"),
    ],
)
def test_a_setting_of_the_other_kind_is_refused(given, settings, words):
    with pytest.raises(ValueError, match=words):
        target_from(given, **{**NONE, **settings})


def test_paths_are_words_and_a_token_may_end_with_a_line():
    command = target_from([PurePath("/bin/a b"), "-x"], **{**NONE, "cwd": PurePath("/srv")})
    url = target_from("http://host/mcp", **{**NONE, "token": "secret\n"})

    assert (command.command, command.cwd) == (("/bin/a b", "-x"), "/srv")
    assert target_from(PurePath("/bin/a b"), **NONE).command == ("/bin/a b",)
    assert url.headers == {"Authorization": "Bearer secret"}


@pytest.mark.parametrize(
    ("given", "settings", "error", "words"),
    [
        (["npx", 3], {}, TypeError, "each word of the command .* must be a str, not a int"),
        ("npx", {"env": {"PORT": 80}}, TypeError, "the variable PORT .* not a int"),
        ("http://h", {"headers": {"X-A": 1}}, TypeError, "the header X-A .* not a int"),
        ("http://h", {"headers": {"X-A": "secret\nB: c"}}, ValueError, "X-A must be one line"),
        ("http://h", {"token": "sec\nret"}, ValueError, "Authorization must be one line"),
    ],
)
def test_what_is_no_text_or_no_header_is_named_and_not_repeated(given, settings, error, words):
    with pytest.raises(error, match=words) as caught:
        target_from(given, **{**NONE, **settings})

    assert "sec" not in str(caught.value)
