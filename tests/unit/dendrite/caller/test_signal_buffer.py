"""A trail: each reader has a cursor of its own, and a question is a place where it may end."""

from cosmonapse import Signal, SignalType
from cosmonapse.dendrite.caller.signal_buffer import SignalBuffer

THOUGHT, PLAN = SignalType.THOUGHT_DELTA, SignalType.PLAN


def signal_of(kind=THOUGHT, n=0):
    return Signal(type=kind, payload={"n": n})


def trail_of(count, size=10, **bounds):
    buffer = SignalBuffer(**bounds)
    for n in range(count):
        buffer.append(signal_of(n=n), size)
    return buffer


def read(cursor):
    return [each.payload["n"] for each in iter(cursor.next, None)]


def asked_of(buffer):
    question = signal_of(SignalType.CLARIFICATION, n="?")
    buffer.append(question, 10)
    buffer.asked(question)
    return question


def waiting(cursor):
    """Let its reader come to the end and wait."""
    read(cursor)
    cursor.waits = True
    return cursor


def test_a_cursor_gives_everything_in_order_and_then_nothing():
    buffer = trail_of(3)
    cursor = buffer.cursor(is_loop=True)

    assert read(cursor) == [0, 1, 2]
    assert cursor.next() is None


def test_no_cursor_takes_anything_from_another():
    buffer = trail_of(2)
    one, other = buffer.cursor(is_loop=True), buffer.cursor(is_loop=False)

    assert read(one) == read(other) == [0, 1]


def test_a_cursor_that_comes_late_begins_at_the_beginning():
    buffer = trail_of(2)
    read(buffer.cursor(is_loop=True))

    assert read(buffer.cursor(is_loop=True)) == [0, 1]


def test_a_cursor_steps_over_what_is_not_of_its_types():
    buffer = SignalBuffer()
    for n, kind in enumerate((PLAN, THOUGHT, PLAN)):
        buffer.append(signal_of(kind, n), 10)

    assert read(buffer.cursor(frozenset({PLAN}), is_loop=True)) == [0, 2]


def test_over_the_number_the_oldest_eighth_goes_and_is_counted_as_missed():
    buffer = trail_of(17, max_signals=16)
    late = buffer.cursor(is_loop=True)

    assert (buffer.start, buffer.end) == (2, 17)
    assert read(late) == list(range(2, 17))
    assert late.missed == 2


def test_what_a_cursor_has_seen_it_does_not_miss():
    buffer = trail_of(16, max_signals=16)
    cursor = buffer.cursor(is_loop=True)
    read(cursor)

    buffer.append(signal_of(n=16), 10)

    assert read(cursor) == [16]
    assert cursor.missed == 0


def test_over_the_bytes_the_oldest_go_too():
    buffer = trail_of(10, size=100, max_bytes=500)

    assert read(buffer.cursor(is_loop=True)) == [5, 6, 7, 8, 9]


def test_one_signal_over_the_bytes_is_not_kept():
    buffer = trail_of(1, size=1_000, max_bytes=500)

    assert (buffer.start, buffer.end) == (1, 1)
    assert buffer.cursor(is_loop=True).next() is None


def test_a_trail_without_a_question_is_not_given_up():
    buffer = trail_of(1)
    waiting(buffer.cursor(is_loop=True))

    assert not buffer.has_abandoned_question()


def test_a_question_is_given_up_when_every_reader_waits_behind_it():
    buffer = SignalBuffer()
    asked_of(buffer)
    waiting(buffer.cursor(is_loop=True))
    waiting(buffer.cursor(is_loop=False))

    assert buffer.has_abandoned_question()


def test_a_question_is_not_given_up_while_nobody_reads():
    buffer = SignalBuffer()
    asked_of(buffer)
    buffer.cursor(is_loop=False)

    assert not buffer.has_abandoned_question()


def test_a_question_is_not_given_up_before_a_steady_reader_is_through_with_it():
    buffer = SignalBuffer()
    handler = buffer.cursor(is_loop=True)
    asked_of(buffer)
    waiting(buffer.cursor(frozenset(), is_loop=False))
    assert not buffer.has_abandoned_question()  # it will get it

    handler.next()
    assert not buffer.has_abandoned_question()  # it has it in hands

    handler.waits = True
    assert buffer.has_abandoned_question()


def test_a_reader_that_has_not_come_for_the_question_is_not_waited_for():
    buffer = SignalBuffer()
    other = buffer.cursor(is_loop=False)
    asked_of(buffer)
    waiting(buffer.cursor(frozenset(), is_loop=False))
    assert buffer.has_abandoned_question()

    other.next()

    assert not buffer.has_abandoned_question()  # now it has the question in hands


def test_a_reader_of_other_types_is_not_waited_for():
    buffer = SignalBuffer()
    buffer.cursor(frozenset({PLAN}), is_loop=True)
    asked_of(buffer)
    waiting(buffer.cursor(frozenset(), is_loop=False))

    assert buffer.has_abandoned_question()


def test_a_reader_that_has_left_is_not_waited_for():
    buffer = SignalBuffer()
    handler = buffer.cursor(is_loop=True)
    asked_of(buffer)
    waiting(buffer.cursor(frozenset(), is_loop=False))

    handler.leave()
    handler.leave()

    assert buffer.has_abandoned_question()


def test_a_question_that_is_answered_is_not_given_up():
    buffer = SignalBuffer()
    asked_of(buffer)
    waiting(buffer.cursor(is_loop=True))

    buffer.answered()

    assert not buffer.has_abandoned_question()


def test_a_question_may_be_noted_after_others_came_behind_it():
    buffer = SignalBuffer()
    question = signal_of(SignalType.PERMISSION)
    buffer.append(question, 10)
    buffer.append(signal_of(), 10)
    reader = buffer.cursor(frozenset({question.type}), is_loop=False)
    reader.next()

    buffer.asked(question)
    waiting(buffer.cursor(frozenset(), is_loop=False))

    assert not buffer.has_abandoned_question()  # its reader has it in hands
    reader.waits = True
    assert buffer.has_abandoned_question()


def test_a_question_that_has_not_come_yet_is_not_noted():
    buffer = trail_of(1)
    waiting(buffer.cursor(is_loop=True))

    buffer.asked(signal_of(SignalType.CLARIFICATION))

    assert not buffer.has_abandoned_question()


def test_whoever_waits_has_to_look_at_what_comes_first():
    buffer = SignalBuffer()
    cursor = waiting(buffer.cursor(is_loop=True))

    buffer.append(signal_of(), 10)

    assert not cursor.waits
