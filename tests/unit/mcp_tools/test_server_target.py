"""A command or a URL, and what of it may be logged."""

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
    ],
)
def test_a_setting_of_the_other_kind_is_refused(given, settings, words):
    with pytest.raises(ValueError, match=words):
        target_from(given, **{**NONE, **settings})
