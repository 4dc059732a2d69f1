"""The filter of handlers and loggers that holds a flood back and tells its size."""

import logging
import os
import threading

import pytest

from cosmonapse.runtime.repeat_filter import RepeatFilter
from cosmonapse.telemetry.current_trace import fields_of
from support.processes import until


class Kept(logging.Handler):
    """Keeps the texts of the records that reach it."""

    def __init__(self):
        super().__init__()
        self.texts = []

    def emit(self, record):
        self.texts.append(record.getMessage())


@pytest.fixture
def kept():
    return Kept()


@pytest.fixture
def logger(kept):
    made = logging.Logger.manager.getLogger("cosmonapse.flood")
    made.addHandler(kept)
    yield made
    made.removeHandler(kept)


@pytest.fixture
def repeats(kept):
    made = RepeatFilter(burst=2)
    kept.addFilter(made)
    return made


def test_a_flood_is_some_lines_and_a_count_from_many_threads_too(logger, kept, repeats):
    threads = [
        threading.Thread(target=lambda: [logger.warning("lost %s", "it") for _ in range(250)])
        for _ in range(4)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    repeats.flush()

    assert kept.texts[:2] == ["lost it"] * 2
    (last,) = kept.texts[2:]
    assert last.startswith("lost it (repeated 998 times in ")


def test_another_template_level_or_logger_is_another_message(logger, kept, repeats):
    for _ in range(2):
        logger.warning("one")
        logger.error("one")
        logger.warning("two")
        logging.getLogger("cosmonapse.flood.child").warning("one")

    assert len(kept.texts) == 8


def test_that_a_line_is_of_no_neuron_makes_it_no_other_message(logger, kept, repeats):
    logger.warning("one", extra=fields_of("trc_1"))
    logger.warning("one")
    logger.warning("one")

    assert len(kept.texts) == 2


class Chatty:
    """A value whose text logs the same message again."""

    def __init__(self, logger):
        self._logger = logger

    def __str__(self):
        self._logger.warning("lost %s", self)
        return "it"


def test_a_value_that_logs_while_its_text_is_taken_holds_nothing_up(
    logger, kept, repeats, monkeypatch
):
    monkeypatch.setattr(logger, "propagate", False)  # others would ask the value for its text too
    for each in ("it", "it", Chatty(logger)):
        thread = threading.Thread(target=logger.warning, args=("lost %s", each), daemon=True)
        thread.start()
        thread.join(10)
        assert not thread.is_alive()
    repeats.flush()

    assert kept.texts == ["lost it", "lost it", "lost it (repeated 2 times in 0 s)"]


def test_a_signal_handler_may_log_while_a_record_is_counted(logger, kept, repeats):
    def log_within():
        with repeats._lock:  # as if the handler ran just then
            logger.warning("from a handler")

    thread = threading.Thread(target=log_within, daemon=True)
    thread.start()
    thread.join(10)

    assert kept.texts == ["from a handler"]


@pytest.mark.asyncio
async def test_the_count_comes_by_itself_when_nothing_more_is_said(logger, kept):
    kept.addFilter(RepeatFilter(burst=1, window_s=0.05))

    for _ in range(3):
        logger.warning("again")

    await until(lambda: "again (repeated 2 times in 0 s)" in kept.texts)


def test_the_error_of_a_neuron_is_not_counted_as_that_of_another(logger, kept, repeats):
    for _ in range(3):
        for neuron, error in (("a", ValueError()), ("a", KeyError()), ("b", ValueError())):
            logger.error("%s raised", neuron, exc_info=error, extra={"neuron": neuron})

    assert len(kept.texts) == 6


def test_the_records_of_others_all_pass_unless_they_are_named(kept):
    mine = logging.getLogger("my.service")
    mine.addHandler(kept)
    kept.addFilter(RepeatFilter(burst=1))
    try:
        for _ in range(3):
            mine.warning("handled")
        kept.addFilter(RepeatFilter(["my"], burst=1))
        for _ in range(3):
            mine.warning("more")
    finally:
        mine.removeHandler(kept)

    assert kept.texts == ["handled"] * 3 + ["more"]


def test_on_a_logger_it_tells_the_count_to_all_its_handlers(logger, kept):
    repeats = RepeatFilter(burst=1)
    logger.addFilter(repeats)
    try:
        for _ in range(3):
            logger.warning("again")
        repeats.flush()
    finally:
        logger.removeFilter(repeats)

    assert kept.texts == ["again", "again (repeated 2 times in 0 s)"]


def test_arguments_that_do_not_fit_are_no_error_of_the_filter(logger, kept, repeats, monkeypatch):
    monkeypatch.setattr(logger, "propagate", False)
    kept.addFilter(lambda record: "repeated" in vars(record))  # the others are for nobody here
    for _ in range(4):
        logger.warning("lost %d", "x")
    repeats.flush()

    assert kept.texts == ["lost %d (repeated 2 times in 0 s)"]


def test_a_child_process_goes_on_with_the_filter(logger, repeats):
    with repeats._lock:  # as if another thread had it while we fork
        child = os.fork()
        if child == 0:
            logger.warning("in the child")
            os._exit(0)

    assert os.waitpid(child, 0)[1] == 0
