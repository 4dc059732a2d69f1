"""A trail: each reader has a cursor of its own, and a question is a place where it may end."""

from cosmonapse import Signal, SignalType
from cosmonapse.trail import Trail

THOUGHT, PLAN = SignalType.THOUGHT_DELTA, SignalType.PLAN


def signal_of(kind=THOUGHT, n=0):
    return Signal(type=kind, payload={"n": n})


def trail_of(count, size=10, **bounds):
    trail = Trail(**bounds)
    for n in range(count):
        trail.append(signal_of(n=n), size)
    return trail


def read(cursor):
    return [each.payload["n"] for each in iter(cursor.next, None)]


def asked_of(trail):
    question = signal_of(SignalType.CLARIFICATION, n="?")
    trail.append(question, 10)
    trail.asked(question)
    return question


def waiting(cursor):
    """Let its reader come to the end and wait."""
    read(cursor)
    cursor.waits = True
    return cursor


def test_a_cursor_gives_everything_in_order_and_then_nothing():
    trail = trail_of(3)
    cursor = trail.cursor(steady=True)

    assert read(cursor) == [0, 1, 2]
    assert cursor.next() is None


def test_no_cursor_takes_anything_from_another():
    trail = trail_of(2)
    one, other = trail.cursor(steady=True), trail.cursor(steady=False)

    assert read(one) == read(other) == [0, 1]


def test_a_cursor_that_comes_late_begins_at_the_beginning():
    trail = trail_of(2)
    read(trail.cursor(steady=True))

    assert read(trail.cursor(steady=True)) == [0, 1]


def test_a_cursor_steps_over_what_is_not_of_its_types():
    trail = Trail()
    for n, kind in enumerate((PLAN, THOUGHT, PLAN)):
        trail.append(signal_of(kind, n), 10)

    assert read(trail.cursor(frozenset({PLAN}), steady=True)) == [0, 2]


def test_over_the_number_the_oldest_eighth_goes_and_is_counted_as_missed():
    trail = trail_of(17, max_signals=16)
    late = trail.cursor(steady=True)

    assert (trail.start, trail.end) == (2, 17)
    assert read(late) == list(range(2, 17))
    assert late.missed == 2


def test_what_a_cursor_has_seen_it_does_not_miss():
    trail = trail_of(16, max_signals=16)
    cursor = trail.cursor(steady=True)
    read(cursor)

    trail.append(signal_of(n=16), 10)

    assert read(cursor) == [16]
    assert cursor.missed == 0


def test_over_the_bytes_the_oldest_go_too():
    trail = trail_of(10, size=100, max_bytes=500)

    assert read(trail.cursor(steady=True)) == [5, 6, 7, 8, 9]


def test_one_signal_over_the_bytes_is_not_kept():
    trail = trail_of(1, size=1_000, max_bytes=500)

    assert (trail.start, trail.end) == (1, 1)
    assert trail.cursor(steady=True).next() is None


def test_a_trail_without_a_question_is_not_given_up():
    trail = trail_of(1)
    waiting(trail.cursor(steady=True))

    assert not trail.is_given_up()


def test_a_question_is_given_up_when_every_reader_waits_behind_it():
    trail = Trail()
    asked_of(trail)
    waiting(trail.cursor(steady=True))
    waiting(trail.cursor(steady=False))

    assert trail.is_given_up()


def test_a_question_is_not_given_up_while_nobody_reads():
    trail = Trail()
    asked_of(trail)
    trail.cursor(steady=False)

    assert not trail.is_given_up()


def test_a_question_is_not_given_up_before_a_steady_reader_is_through_with_it():
    trail = Trail()
    handler = trail.cursor(steady=True)
    asked_of(trail)
    waiting(trail.cursor(frozenset(), steady=False))
    assert not trail.is_given_up()  # it will get it

    handler.next()
    assert not trail.is_given_up()  # it has it in hands

    handler.waits = True
    assert trail.is_given_up()


def test_a_reader_that_has_not_come_for_the_question_is_not_waited_for():
    trail = Trail()
    other = trail.cursor(steady=False)
    asked_of(trail)
    waiting(trail.cursor(frozenset(), steady=False))
    assert trail.is_given_up()

    other.next()

    assert not trail.is_given_up()  # now it has the question in hands


def test_a_reader_of_other_types_is_not_waited_for():
    trail = Trail()
    trail.cursor(frozenset({PLAN}), steady=True)
    asked_of(trail)
    waiting(trail.cursor(frozenset(), steady=False))

    assert trail.is_given_up()


def test_a_reader_that_has_left_is_not_waited_for():
    trail = Trail()
    handler = trail.cursor(steady=True)
    asked_of(trail)
    waiting(trail.cursor(frozenset(), steady=False))

    handler.leave()
    handler.leave()

    assert trail.is_given_up()


def test_a_question_that_is_answered_is_not_given_up():
    trail = Trail()
    asked_of(trail)
    waiting(trail.cursor(steady=True))

    trail.answered()

    assert not trail.is_given_up()


def test_a_question_may_be_noted_after_others_came_behind_it():
    trail = Trail()
    question = signal_of(SignalType.PERMISSION)
    trail.append(question, 10)
    trail.append(signal_of(), 10)
    reader = trail.cursor(frozenset({question.type}), steady=False)
    reader.next()

    trail.asked(question)
    waiting(trail.cursor(frozenset(), steady=False))

    assert not trail.is_given_up()  # its reader has it in hands
    reader.waits = True
    assert trail.is_given_up()


def test_a_question_that_has_not_come_yet_is_not_noted():
    trail = trail_of(1)
    waiting(trail.cursor(steady=True))

    trail.asked(signal_of(SignalType.CLARIFICATION))

    assert not trail.is_given_up()


def test_whoever_waits_has_to_look_at_what_comes_first():
    trail = Trail()
    cursor = waiting(trail.cursor(steady=True))

    trail.append(signal_of(), 10)

    assert not cursor.waits
