"""The lines of the runner."""

import json

import pytest

from cosmonapse.worker_runner.supervisor import Notice
from cosmonapse.worker_runner.told import NoticeTexts

SERVES_BY_ITSELF = (
    "a module that serves by itself, as by serve(), never ends to load; put that below if __name__ "
    "== '__main__'"
)


@pytest.fixture
def texts():
    texts = NoticeTexts("shop", "/srv/app")
    texts.serves(["a", "b"], "cosmo://h:7070")
    return texts


@pytest.mark.parametrize(
    ("notice", "line"),
    [
        (
            Notice("serving", pids=(7, 8)),
            "serving a, b at cosmo://h:7070 in shop: processes 7, 8",
        ),
        (
            Notice("reloaded", "app.py, b.py", (9,), 1.239),
            "reloaded in 1.24 s, app.py, b.py changed: process 9",
        ),
        (
            Notice("reload_failed", "/srv/app/app.py:3: SyntaxError: no"),
            "not reloaded, the old code goes on: app.py:3: SyntaxError: no",
        ),
        (
            Notice("start_failed", "/srv/lib/b.py:1: KeyError: 'A'", (), 0.5),
            "/srv/lib/b.py:1: KeyError: 'A'; another attempt in 0.5 s",
        ),
        (
            Notice("crashed", "was ended by SIGKILL", (7,), 4.0),
            "process 7 was ended by SIGKILL; another starts in 4 s",
        ),
        (Notice("again", pids=(9,)), "serving again: process 9"),
        (Notice("killed", pids=(7,)), "process 7 did not end within its grace: it is killed"),
        (Notice("gave_up", "there is no module 'a'"), "gave up: there is no module 'a'"),
        (Notice("gave_up"), "gave up after five crashes"),
        (
            Notice("held", "app.py:1: TypeError: no"),
            "app.py:1: TypeError: no; waits for the next save",
        ),
        (Notice("held"), "it crashed five times; waits for the next save"),
        (Notice("gave_up", "KeyError: 'a\nb'"), "gave up: KeyError: 'a\\nb'"),
        (Notice("waiting", "no Synapse at x", (7,)), "no Synapse at x"),
        (
            Notice("loading", "app", (7,)),
            "process 7 still loads app: " + SERVES_BY_ITSELF,
        ),
    ],
)
def test_each_notice_is_one_line(texts, notice, line):
    assert texts.line(notice) == line


def test_as_json_a_notice_has_the_facts_that_it_is_about():
    texts = NoticeTexts("shop", "/srv/app", as_json=True)
    texts.serves(["a"], "cosmo://h:7070")

    assert json.loads(texts.line(Notice("serving", pids=(7,)))) == {
        "event": "serving",
        "pids": [7],
        "ids": ["a"],
        "url": "cosmo://h:7070",
        "namespace": "shop",
    }
    assert json.loads(texts.line(Notice("crashed", "exited", (7,), 0.5))) == {
        "event": "crashed",
        "pids": [7],
        "reason": "exited",
        "seconds": 0.5,
    }


def test_a_traceback_stands_below_its_line_and_is_a_field_of_an_object(texts):
    notice = Notice("gave_up", trace="Traceback\n  File\nKeyError: 'a'")

    assert texts.line(notice) == "gave up after five crashes\n" + notice.trace
    assert "traceback" not in texts.facts(notice)  # of a log line, whose message has it
    told = json.loads(NoticeTexts("shop", "/srv", as_json=True).line(notice))
    assert told == {"event": "gave_up", "pids": [], "traceback": notice.trace}


def test_of_all_processes_that_wait_one_says_so_each_ten_seconds(texts):
    told = [texts.may_tell_waiting(now_s) for now_s in (100.0, 100.5, 109.9, 110.0)]

    assert told == [True, False, True, False]
