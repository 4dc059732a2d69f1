"""What is wrong with the body of a request of A2A."""

import json

import pytest

from cosmonapse.serve.a2a_body import Flaw, flaw_of

HALF = r"a text of the body holds half of a surrogate pair: '\ud800'"
NO_JSON = "the body of the request is not valid JSON: "
TOO_LARGE = "a number of the body is too large: at most 1.8e308 can be read"


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "the body of the request is empty: send a JSON object"),
        (b"{", f"{NO_JSON}Expecting property name enclosed in double quotes, at line 1, column 2"),
        (b'{"id": "\xff"}', f"{NO_JSON}it is not in UTF-8, at byte 8"),
        (b'{"id": "\xed\xa0\x80"}', f"{NO_JSON}it is not in UTF-8, at byte 8"),
        ('{"id": 1}'.encode("utf-16"), f"{NO_JSON}it is not in UTF-8, at byte 0"),
        (b'{"id": NaN}', f"{NO_JSON}it has NaN, which is no number of JSON"),
        (b'{"id": -Infinity}', f"{NO_JSON}it has -Infinity, which is no number of JSON"),
        (b'{"id": %s}' % (b"1" * 5_000), f"{NO_JSON}it has a number with too many digits"),
        (b"[" * 100_000, f"{NO_JSON}it is nested too deep"),
    ],
    ids=lambda value: f"{value!r:.20}",
)
def test_what_is_no_json_is_told_with_the_place_or_the_word(raw, why):
    assert flaw_of(raw) == Flaw(why)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (r'"\ud800"', HALF),
        (r'[{"a": ["\uD800"]}]', HALF),
        (r'{"\ud800": 1}', HALF),
        ("1e400", TOO_LARGE),
        ("[-1E+400]", TOO_LARGE),
        ("9" * 300 + "e99", TOO_LARGE),
    ],
)
def test_json_that_no_answer_could_hold_is_told_with_the_id_of_its_request(value, why):
    raw = f'{{"id": 7, "params": {value}}}'.encode()

    assert flaw_of(raw) == Flaw(why, is_json=True, request_id=7)


@pytest.mark.parametrize(
    ("request_id", "told"),
    [('"a"', "a"), ("12", 12), ("true", None), (r'"\udfff"', None), ("1e400", None)],
)
def test_only_an_id_that_an_answer_can_hold_is_told(request_id, told):
    flaw = flaw_of(rf'{{"id": {request_id}, "method": "\ud800"}}'.encode())

    assert (flaw.is_json, flaw.request_id) == (True, told)


@pytest.mark.parametrize(
    "raw",
    [
        json.dumps({"text": "\U0001f680", "number": 1.5e300}).encode(),
        b'\xef\xbb\xbf{"id": 1}',
        b"1" * 250,
        b"[]",
        b"1e-400",
    ],
)
def test_all_other_json_is_left_to_the_sdk(raw):
    assert flaw_of(raw) is None
