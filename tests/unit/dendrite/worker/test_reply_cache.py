"""What a worker has answered: kept for a while, known for longer, bounded always."""

from cosmonapse.dendrite.worker.reply_cache import MAX_STREAM_BYTES, ReplyCache, ReplyStream


def settled(answers, count, now_s, size=10, start=0):
    for number in range(start, start + count):
        answers.settle(number.to_bytes(32, "big"), b"body", size, now_s)
    return [number.to_bytes(32, "big") for number in range(start, start + count)]


def test_replies_go_before_ids_do():
    answers = ReplyCache(keep_s=30.0, ids_s=600.0)
    (key,) = settled(answers, 1, 100.0)

    answers.expire(101.0)
    assert answers.ended[key] == b"body"
    answers.expire(132.0)
    assert answers.ended[key] is None
    answers.expire(701.0)
    assert key not in answers.ended


def test_the_oldest_replies_go_when_they_are_too_much():
    answers = ReplyCache(max_bytes=4 * 1024 * 1024)
    keys = settled(answers, 10, 100.0, size=1024 * 1024)

    assert [answers.ended[key] is not None for key in keys] == [False] * 7 + [True] * 3


def test_one_reply_over_the_bound_is_not_kept_but_known():
    answers = ReplyCache(max_bytes=1024)
    (key,) = settled(answers, 1, 100.0, size=2 * 1024 * 1024)

    assert answers.ended == {key: None}


def test_the_oldest_ids_go_when_they_are_too_many():
    answers = ReplyCache(keep_s=1.0, max_ids=100)
    for turn in range(10):
        settled(answers, 50, 100.0 + 2 * turn, start=50 * turn)

    assert len(answers) <= 150


def test_nothing_gets_too_old_while_nobody_can_be_answered():
    answers = ReplyCache(keep_s=30.0)
    (key,) = settled(answers, 1, 100.0)

    answers.pause()
    answers.expire(500.0)
    answers.resume(500.0)
    answers.expire(529.0)
    assert answers.ended[key] == b"body"
    answers.expire(531.0)
    assert answers.ended[key] is None


def test_no_id_gets_too_old_while_nobody_can_be_answered():
    answers = ReplyCache(keep_s=30.0, max_bytes=0, ids_s=600.0)
    (key,) = settled(answers, 1, 100.0)

    answers.pause()
    answers.expire(5000.0)
    answers.resume(5000.0)
    answers.expire(5029.0)
    assert key in answers.ended
    answers.expire(5031.0)
    assert key not in answers.ended


def test_several_replies_are_kept_and_go_like_one():
    answers = ReplyCache(keep_s=30.0)
    replies = ((0, 10, b"piece"), (1, 2, b"last"))
    answers.settle(bytes(32), replies, 9, 100.0)

    assert answers.get(bytes(32)) == replies
    answers.expire(132.0)
    assert answers.get(bytes(32)) is None
    assert bytes(32) in answers.ended


def test_the_oldest_of_a_stream_go_first():
    stream = ReplyStream()
    for index in range(5):
        stream.add((index, 10, bytes(MAX_STREAM_BYTES // 3)))

    assert [index for index, _, _ in stream.replies] == [2, 3, 4]
