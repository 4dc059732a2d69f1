"""A trail: each reader has a cursor of its own, and a question is a place where it may end."""

from cosmonapse import Directed, Signal, SignalType, kernel, new_event_id, new_trace_id
from cosmonapse.dendrite.caller.signal_buffer import EVERY, SignalBuffer
from cosmonapse.ids import new_run_id

THOUGHT, PLAN = SignalType.THOUGHT_DELTA, SignalType.PLAN
THOUGHTS = frozenset({THOUGHT})


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


def run_of(texts, kept=()):
    """Return the body of a run, or of a lone thought, and its Signals."""
    ids = new_run_id(128), new_trace_id(), new_event_id()
    producer = kernel.encode_directed(Directed("n", "neuron"))
    body = kernel.encode_thoughts(*ids, producer, 1.5, 0, texts)
    return body, kernel.heard_signals(body)


def test_thoughts_are_read_as_texts_or_as_signals_by_different_readers():
    buffer = SignalBuffer()
    plan = Signal(type=SignalType.PLAN)
    body, signals = run_of(["a", "", "c"])
    alone, [single] = run_of(["d"])
    buffer.append_thoughts(body, ["a", "", "c"], 0)
    buffer.append(plan, 10)
    buffer.append_thoughts(alone, ["d"], 0)
    texts, all_of_it = (buffer.cursor(each, is_loop=True) for each in (THOUGHTS, EVERY))
    plans = buffer.cursor(frozenset({SignalType.PLAN}), is_loop=True)

    assert [texts.next_text() for _ in range(5)] == ["a", "", "c", "d", None]
    assert plans.next() is plan
    assert [all_of_it.next() for _ in range(6)] == [*signals, plan, single, None]
    again = buffer.cursor(THOUGHTS, is_loop=True)
    assert [again.next_text() for _ in range(5)] == ["a", "", "c", "d", None]


def test_a_run_of_which_the_first_were_there_adds_the_others():
    buffer = SignalBuffer()
    body, signals = run_of(["a", "b", "c"])

    buffer.append_thoughts(body, ["a", "b", "c"], 2)
    cursor = buffer.cursor(EVERY, is_loop=True)

    assert buffer.end == 1
    assert [cursor.next(), cursor.next()] == [signals[2], None]


def test_reasoning_among_thoughts_is_no_text_of_the_response():
    buffer = SignalBuffer()
    payload = {"delta": "hm", "seq": 0, "kind": "reasoning"}
    buffer.append(Signal(type=SignalType.THOUGHT_DELTA, payload=payload), 10)
    body, _ = run_of(["a", "b"])
    buffer.append_thoughts(body, ["a", "b"], 0)
    cursor = buffer.cursor(THOUGHTS, is_loop=True)

    assert [cursor.next_text() for _ in range(3)] == ["a", "b", None]


def test_of_a_run_that_is_dropped_in_the_middle_the_rest_can_be_read():
    buffer = SignalBuffer(max_signals=8)
    body, signals = run_of([str(n) for n in range(10)])

    buffer.append_thoughts(body, [str(n) for n in range(10)], 0)
    by_text, by_signal = (buffer.cursor(each, is_loop=True) for each in (THOUGHTS, EVERY))

    assert buffer.start == 2
    assert [by_signal.next() for _ in range(8)] == signals[2:]
    assert by_text.next_text() == "2"
    assert (by_text.missed, by_signal.missed) == (2, 2)


def test_what_was_lost_on_its_way_is_missed_by_each_cursor_that_passes_its_place():
    buffer = SignalBuffer(max_signals=8)
    before = buffer.cursor(is_loop=True)
    buffer.append(signal_of(n=0), 10)
    read(before)
    buffer.lose(3)
    buffer.lose(2)
    buffer.append(signal_of(n=1), 10)
    late, by_text = buffer.cursor(is_loop=True), buffer.cursor(THOUGHTS, is_loop=True)

    assert (read(before), before.missed) == ([1], 5)
    late.next()
    assert late.missed == 0
    by_text.next_text()
    by_text.next_text()
    assert by_text.missed == 5
    for n in range(2, 20):
        buffer.append(signal_of(n=n), 10)
    assert (read(late)[-1], late.missed) == (19, 5 + buffer.start - 1)
    assert (read(before)[-1], before.missed) == (19, 5 + buffer.start - 2)
    assert buffer.lost == {}
