"""What failed handshakes and greetings tell about a key."""

import pytest

from zmq_transport.client.refusals import (
    SURE_COUNT,
    SURE_S,
    Answer,
    RefusalNews,
    Refusals,
    refused,
)
from zmq_transport.errors import AccessFault, AccessRefused, Refused

KEYED = Answer(speaks_curve=True)


def failing(refusals, count=SURE_COUNT, every_s=SURE_S / (SURE_COUNT - 1), since_s=0.0):
    for number in range(count):
        refusals.on_failed(since_s + number * every_s)
    return refusals.fault


def test_what_the_far_end_says_is_believed_at_once():
    refusals = Refusals(is_keyed=True)

    refusals.on_unlisted()

    assert refusals.fault is AccessFault.UNLISTED


@pytest.mark.parametrize("fault", [AccessFault.NEEDS_KEY, AccessFault.NO_KEYS])
def test_one_greeting_tells_that_only_one_end_has_keys(fault):
    refusals = Refusals(is_keyed=fault is AccessFault.NO_KEYS)
    refusals.on_failed(0.0)

    refusals.on_answer(Answer(fault=fault))

    assert refusals.fault is fault


def test_handshakes_that_fail_again_and_again_at_a_far_end_with_keys_mean_another_one():
    refusals = Refusals(is_keyed=True)
    refusals.on_answer(KEYED)

    assert failing(refusals) is AccessFault.OTHER_PROXY


@pytest.mark.parametrize(
    "numbers",
    [{"count": SURE_COUNT - 1, "every_s": 1.0}, {"every_s": SURE_S / SURE_COUNT}],
    ids=["too few", "too quick"],
)
def test_a_few_failures_may_be_an_accident(numbers):
    refusals = Refusals(is_keyed=True)
    refusals.on_answer(KEYED)

    assert failing(refusals, **numbers) is None


def test_failures_say_nothing_while_the_greeting_was_not_read():
    assert failing(Refusals(is_keyed=True)) is None


def test_failures_say_nothing_to_a_client_without_a_key():
    refusals = Refusals(is_keyed=False)
    refusals.on_answer(Answer("an HTTP server"))

    assert failing(refusals) is None


def test_a_far_end_that_restarts_is_counted_anew():
    refusals = Refusals(is_keyed=True)
    refusals.on_answer(KEYED)
    failing(refusals, SURE_COUNT - 1)

    refusals.on_nobody()
    refusals.on_answer(KEYED)

    assert failing(refusals, 1, since_s=9.0) is None


def test_nothing_is_left_of_a_refusal_once_nobody_is_there():
    refusals = Refusals(is_keyed=True)
    refusals.on_unlisted()

    refusals.on_nobody()

    assert refusals.fault is None


@pytest.mark.parametrize("fault", [each for each in AccessFault if each is not AccessFault.RIGHTS])
def test_each_fault_has_a_text_of_its_own(fault):
    error = refused("tcp://here:1", fault, "ada")

    assert error.fault is fault
    assert str(error).startswith("tcp://here:1 refused: it ")
    assert "{" not in str(error)


def access(reason, fault=AccessFault.RIGHTS):
    return AccessRefused("tcp://here:1", reason, fault=fault)


@pytest.mark.parametrize(
    ("refusals", "told"),
    [
        ([Refused("", "full"), Refused("", "full"), Refused("", "full")], 1),
        ([Refused("", "full"), access("revoked"), access("revoked")], 2),
        ([access("revoked"), *[access("unlisted", AccessFault.UNLISTED)] * 3], 1),
        ([access("revoked"), access("no keys", AccessFault.NO_KEYS)], 2),
        ([access("unlisted", AccessFault.UNLISTED), access("revoked")], 2),
    ],
)
def test_a_refusal_is_news_once(refusals, told):
    news = RefusalNews()

    assert [news.is_new(each) for each in refusals].count(True) == told


def test_after_a_welcome_the_same_refusal_is_news_again():
    news = RefusalNews()
    news.is_new(access("revoked"))

    news.clear()

    assert news.is_new(access("revoked"))
