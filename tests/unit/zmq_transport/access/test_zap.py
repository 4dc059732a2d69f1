"""Who may come in, frame by frame."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zmq_transport.access import zap
from zmq_transport.access.rights import EVERYTHING, Access

ADA, BEN, STRANGER = bytes([1]) * 32, bytes([2]) * 32, bytes([9]) * 32
ACCESS = Access({ADA: "ada", BEN: "ben"}, {"ada": EVERYTHING, "ben": EVERYTHING})
ASKING = [b"who", b"", b"1.0", b"7"]


def question(key=ADA, *, domain=b"proxy", address=b"10.0.0.7", mechanism=b"CURVE"):
    credentials = [] if key is None else [key]
    return [*ASKING, domain, address, b"", mechanism, *credentials]


def local(address):
    return question(None, address=address, mechanism=b"NULL")


def verdict_of(asked):
    """Return the code and the id of an answer."""
    _, _, _, _, code, _, user_id, _ = zap.answer(asked, ACCESS)
    return code, user_id


def test_a_listed_key_comes_in_and_its_user_is_found_by_the_key():
    answer = zap.answer(question(BEN), ACCESS)

    user_id = b"key:" + BEN.hex().encode()
    assert answer == [b"who", b"", b"1.0", b"7", b"200", b"OK", user_id, b""]
    assert zap.user_of(user_id.decode(), ACCESS) == "ben"


def test_who_came_in_with_a_key_that_was_taken_away_is_no_user_whatever_the_name_has_now():
    _, _, _, _, _, _, user_id, _ = zap.answer(question(BEN), ACCESS)
    later = Access({STRANGER: "ben"}, {"ben": EVERYTHING})

    assert zap.user_of(user_id.decode(), later) == ""
    assert zap.user_of("uid:1000", later) == "uid:1000"
    assert zap.user_of("", later) == ""


def test_a_key_that_is_not_listed_stays_out_and_has_no_name():
    answer = zap.answer(question(STRANGER), ACCESS)

    assert answer == [b"who", b"", b"1.0", b"7", b"400", b"not listed", b"", b""]


def test_who_comes_over_a_unix_socket_is_the_user_that_the_kernel_says():
    assert verdict_of(local(b"localhost:1000:100:4242")) == (b"200", b"uid:1000")


@pytest.mark.parametrize(
    "asked",
    [
        question(None),
        question(ADA[:31]),
        question(ADA + b"!"),
        [*question(ADA), BEN],
        question(ADA, domain=b""),
        question(ADA, domain=b"another"),
        question(ADA, mechanism=b"NULL"),
        question(ADA, mechanism=b"PLAIN"),
        question(ADA, mechanism=b"GSSAPI"),
        [b"who", b"", b"2.0", b"7", *question()[4:]],
        question()[:7],
        question()[:4],
        local(b"10.0.0.7"),
        local(b""),
        local(b"localhost"),
        local(b"localhost:1000"),
        local(b"localhost::100:42"),
        local(b"localhost:1000:100:42:7"),
        [*local(b"localhost:1000:100:42"), ADA],
        question(None, address=b"localhost:1000:100:42", mechanism=b"CURVE"),
    ],
)
def test_everything_else_stays_out(asked):
    assert verdict_of(asked) == (b"400", b"")


@pytest.mark.parametrize("asked", [[], [b"who"], ASKING[:3], [b"who", b"!", b"1.0", b"7"]])
def test_what_is_no_question_gets_no_answer(asked):
    assert zap.answer(asked, ACCESS) is None


@given(st.lists(st.binary(max_size=40), max_size=12))
def test_whatever_comes_the_answer_is_200_for_a_user_or_400(frames):
    answer = zap.answer(frames, ACCESS)

    assert answer is None or (answer[4], bool(answer[6])) in {(b"200", True), (b"400", False)}
