"""What a page of Prism tells in a soak: one story or two."""

from tools.soak.story import Story


def record(number, own, type="AGENT_OUTPUT", parent=None, **payload):
    return {"n": number, "id": own, "type": type, "parent_id": parent, "payload": payload}


def told(*events):
    """Return what is wrong with some events, and the counts."""
    story = Story()
    wrong = [each.text for event in events for each in story.told(*event)]
    return wrong, story.counts


def test_a_task_with_its_output_is_one_story():
    signals = [record(1, "t", "TASK"), record(2, "o", parent="t")]

    wrong, counts = told(("hello", {"run": "a"}), ("signals", signals), ("state", {}))

    assert wrong == []
    assert counts == {"signals": 2, "missed": 0, "without_task": 0}


def test_a_number_that_is_left_out_is_wrong_unless_prism_said_so():
    signals = [record(1, "a", "TASK"), record(3, "b", "TASK")]

    assert told(("signals", signals))[0] == ["number 3 after 1"]
    first, last = ("signals", signals[:1]), ("signals", signals[1:])
    wrong, counts = told(first, ("missed", {"count": 1}), last)
    assert (wrong, counts["missed"]) == ([], 1)


def test_a_signal_that_is_shown_twice_is_wrong():
    assert told(("signals", [record(1, "a", "TASK"), record(2, "a", "TASK")]))[0] == [
        "TASK a is shown twice"
    ]


def test_a_task_with_two_ends_is_wrong():
    ends = [record(2, "o", parent="t"), record(3, "e", "ERROR", "t", code="WORKER_LOST")]
    story = Story()

    (wrong,) = story.told("signals", [record(1, "t", "TASK"), *ends])

    assert wrong == ("t ended twice: AGENT_OUTPUT and ERROR WORKER_LOST", "WORKER_LOST")


def test_an_end_without_its_task_is_counted():
    assert told(("signals", [record(1, "o", parent="t")]))[1]["without_task"] == 1


def test_another_run_of_prism_is_another_story():
    assert told(("hello", {"run": "a"}), ("hello", {"run": "a"}))[0] == []
    assert told(("hello", {"run": "a"}), ("hello", {"run": "b"}))[0] == [
        "another run of Prism: b after a"
    ]
