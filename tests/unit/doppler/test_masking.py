"""Secrets are masked wherever they sit; what is long is cut; all that is left is JSON."""

import json

import pytest

from cosmonapse.doppler.masking import (
    LONGEST_TEXT,
    MASK,
    MOST_ITEMS,
    MOST_VALUES,
    Masking,
    is_secret,
    masked,
)

SECRETS = [
    *("api_key", "API-KEY", "apiKey", "openai_api_key", "x-api-key"),
    *("token", "access_token", "X-Auth-Token", "Authorization", "proxy-authorization"),
    *("password", "db_password", "PASSWD", "client_secret", "Set-Cookie", "cookie"),
    *("private_key", "aws_secret_access_key", "credentials", "session-id", "refresh_tokens"),
]
PLAIN = ["tokens", "max_tokens", "total_tokens", "max_new_tokens", "key", "author", "prompt", ""]


@pytest.mark.parametrize("key", SECRETS)
def test_a_secret_is_known_by_its_name(key):
    assert is_secret(key)
    assert masked({"a": [{key: "s3cret"}]}) == {"a": [{key: MASK}]}


@pytest.mark.parametrize("key", PLAIN)
def test_what_is_no_secret_is_shown(key):
    assert masked({key: "shown"}) == {key: "shown"}


@pytest.mark.parametrize("value", [7, True, ["a"], {"b": "c"}, b"d"])
def test_a_secret_of_any_kind_is_masked(value):
    assert masked({"token": value}) == {"token": MASK}


def test_a_secret_that_is_not_there_is_shown_as_missing():
    assert masked({"api_key": None}) == {"api_key": None}


def test_a_value_beside_the_name_of_a_secret_is_masked():
    pair = {"headers": [["Authorization", "Bearer s3cret"], ["Accept", "text/plain"]]}
    entry = {"key": "api_key", "value": "s3cret"}

    assert masked(pair) == {"headers": [["Authorization", MASK], ["Accept", "text/plain"]]}
    assert masked(entry) == {"key": "api_key", "value": MASK}


def test_what_json_has_not_becomes_text():
    value = {"nan": float("nan"), "far": float("-inf"), "big": 2**60, "raw": b"\xff\x00"}

    shown = masked(value)

    assert shown == {"nan": "nan", "far": "-inf", "big": str(2**60), "raw": "/wA="}
    json.dumps(shown, allow_nan=False)


def test_a_long_text_is_cut_and_that_is_told():
    masking = Masking(shortens=True)

    shown = masking.of({"text": "x" * (LONGEST_TEXT + 1), "raw": b"x" * LONGEST_TEXT})

    assert shown["text"] == "x" * LONGEST_TEXT + "…"
    assert len(shown["raw"]) == LONGEST_TEXT + 1
    assert masking.cut


def test_what_is_just_short_enough_is_not_cut():
    masking = Masking(shortens=True)
    value = {"text": "x" * LONGEST_TEXT, "items": [0] * MOST_ITEMS}

    assert masking.of(value) == value
    assert not masking.cut


def test_of_many_items_the_first_are_shown_and_the_rest_counted():
    masking = Masking(shortens=True)
    many = {str(n): n for n in range(MOST_ITEMS + 2)}

    shown = masking.of({"list": [0] * (MOST_ITEMS + 3), "dict": many})

    assert shown["list"][MOST_ITEMS:] == ["… 3 more"]
    assert shown["dict"]["…"] == "2 more"
    assert masking.cut


def test_of_many_values_in_many_lists_only_so_many_are_shown():
    masking = Masking(shortens=True)
    value = {"rows": [[0] * MOST_ITEMS for _ in range(MOST_ITEMS)]}

    shown = masking.of(value)

    assert sum(row.count(0) for row in shown["rows"]) <= MOST_VALUES
    assert masking.cut


def test_without_shortening_all_is_there():
    value = {"text": "x" * 10_000, "items": list(range(1_000))}

    assert masked(value) == value


def test_a_secret_behind_a_very_long_key_is_found():
    assert masked({"password" + "x" * 10_000: "s3cret"}).popitem()[1] == MASK
