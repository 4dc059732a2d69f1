"""Signals of the system in a test process."""

import contextlib
import signal
import threading

_SOON_S = 0.1


@contextlib.contextmanager
def on_another_thread(number):
    """Deliver a signal soon, to a thread that is not the main one.

    It ends no system call of the main thread, as one does not that comes just before the call.
    SIGINT is a KeyboardInterrupt meanwhile, also in a run that ignores it.
    """
    sender = threading.Timer(
        _SOON_S, lambda: signal.pthread_kill(threading.current_thread().ident, number)
    )
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    sender.start()
    try:
        yield
    finally:
        sender.join()
        signal.signal(signal.SIGINT, before)
