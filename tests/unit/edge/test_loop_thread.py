"""The loop thread: what ends it comes out at once, and nobody waits for it."""

import asyncio
import gc
import signal
import threading

import pytest

from cosmonapse import DendriteProtocolError
from cosmonapse.edge import loop_thread
from cosmonapse.edge.loop_thread import LoopThread
from support.signals import on_another_thread

TIMEOUT_S = 5.0


def no_descriptor(main):
    main.close()
    raise OSError(24, "Too many open files")


def test_a_thread_without_a_descriptor_for_its_loop_says_so(monkeypatch):
    monkeypatch.setattr(loop_thread, "run", no_descriptor)

    with pytest.raises(OSError, match="Too many open files"):
        LoopThread("loop")


def test_a_thread_that_the_system_refuses_says_so(monkeypatch):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)

    with pytest.raises(RuntimeError, match="can't start new thread"):
        LoopThread("loop")


def test_a_second_loop_in_one_thread_of_the_system_says_so(monkeypatch):
    # Under gevent all threads are greenlets of one thread; here the first thread stands for it.
    monkeypatch.setattr(threading.Thread, "start", threading.Thread.run)

    async def within_a_loop():
        with pytest.raises(DendriteProtocolError, match="one BlockingDendrite at a time"):
            LoopThread("loop")

    asyncio.run(within_a_loop())
    gc.collect()  # no coroutine that was never awaited


def test_a_thread_that_never_begins_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(threading.Thread, "start", lambda self: None)
    monkeypatch.setattr(loop_thread, "_BEGIN_S", 0.01)

    with pytest.raises(DendriteProtocolError, match="--enable-threads"):
        LoopThread("loop")


def test_a_loop_that_dies_by_itself_has_ended(monkeypatch):
    died = threading.Event()
    monkeypatch.setattr(threading, "excepthook", lambda arguments: died.set())
    thread = LoopThread("loop")

    async def die():
        raise SystemExit

    thread.post(die)

    assert died.wait(TIMEOUT_S) or thread.has_ended
    thread._thread.join(TIMEOUT_S)
    with pytest.raises(DendriteProtocolError, match="is stopped"):
        thread.run(die)
    thread.end()


def test_an_interrupt_is_heard_that_ends_no_system_call_of_the_waiting_thread():
    thread = LoopThread("loop")
    cancelled = threading.Event()

    async def long():
        try:
            await asyncio.sleep(TIMEOUT_S)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    with on_another_thread(signal.SIGINT), pytest.raises(KeyboardInterrupt):
        thread.run(long)

    assert cancelled.wait(TIMEOUT_S)
    thread.end()
