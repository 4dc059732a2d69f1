"""The token opens the page once, the cookie from then on, and nothing else does."""

import pytest

from cosmonapse.prism.token_check import TokenCheck

TOKEN = "t0ken-of-this-Prism_0123456789abcdefghijklmn"
CHECK = TokenCheck(TOKEN, 7071)


def ask(path="/", query="", **headers):
    given = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    return CHECK.answer(path, query.encode("latin-1"), given)


def cookie_of(answer):
    return answer.headers["set-cookie"].split(";")[0]


@pytest.fixture
def cookie():
    return cookie_of(ask(query=f"token={TOKEN}"))


def test_the_token_is_exchanged_for_a_cookie_that_no_script_and_no_other_site_can_use():
    answer = ask(query=f"token={TOKEN}")

    assert answer.status == 200
    assert answer.headers["set-cookie"].split("; ")[1:] == ["Path=/", "HttpOnly", "SameSite=Strict"]
    assert 'content="0; url=/"' in answer.text
    assert TOKEN not in answer.text + str(answer.headers)


def test_the_cookie_opens_everything(cookie):
    assert ask(Cookie=cookie) is None
    assert ask("/static/js/app.js", cookie=f"a=b; {cookie};c=d") is None
    assert ask("/api/stream", "since=17", cookie=cookie) is None
    assert ask(query="token=old", cookie=cookie) is None


def test_a_program_may_send_the_token_in_a_header():
    assert ask("/api/stream", Authorization=f"Bearer {TOKEN}") is None
    assert ask("/api/stream", authorization=f"bearer  {TOKEN} ") is None


@pytest.mark.parametrize("path", ["/", "/static/js/app.js", "/api/stream", "/nothing"])
def test_without_either_the_answer_is_one_line_that_tells_the_way_in(path):
    answer = ask(path)

    assert answer.status == 401
    assert "open the address" in answer.text
    assert "\n" not in answer.text
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "query",
    ["token=", f"token={TOKEN[:-1]}", f"token={TOKEN}x", "token=\xff", f"token={TOKEN.upper()}"],
)
def test_another_token_is_told_apart_from_none(query):
    answer = ask(query=query)

    assert answer.status == 401
    assert "not the token" in answer.text
    assert "set-cookie" not in answer.headers


def test_the_token_is_taken_at_the_page_alone():
    assert ask("/api/stream", f"token={TOKEN}").status == 401
    assert ask("/static/js/app.js", f"token={TOKEN}").status == 401


def test_neither_the_token_nor_a_cookie_of_another_port_or_token_is_taken_as_the_cookie(cookie):
    value = cookie.partition("=")[2]
    others = [
        f"prism-7071={TOKEN}",
        f"prism-7072={value}",
        f"xprism-7071={value}",
        f"prism-7071={value[:-1]}",
        "prism-7071=\xff",
        cookie_of(TokenCheck("another", 7071).answer("/", b"token=another", [])),
        "",
        "=;=;;",
    ]

    assert [ask(cookie=other).status for other in others] == [401] * len(others)
    assert ask(authorization=f"Basic {TOKEN}").status == 401


def test_one_of_several_cookies_of_the_name_is_enough(cookie):
    assert ask(cookie=f"prism-7071=old; {cookie}") is None


def test_a_check_does_not_show_its_token():
    assert TOKEN not in repr(CHECK) + str(CHECK) + repr(ask(query=f"token={TOKEN}"))
