"""Running on uvloop where it is installed, and without it."""

import asyncio
import sys
import threading

import pytest

from cosmonapse.runtime import loops
from cosmonapse.runtime.loops import run, threads_are_patched


async def kind_of_loop():
    return type(asyncio.get_running_loop()).__module__


def test_uvloop_is_used_where_it_is_installed():
    pytest.importorskip("uvloop")

    assert run(kind_of_loop()).split(".")[0] == "uvloop"


def test_without_uvloop_it_is_the_loop_of_asyncio(monkeypatch):
    monkeypatch.setitem(sys.modules, "uvloop", None)

    assert run(kind_of_loop()).split(".")[0] == "asyncio"


def test_where_threads_are_greenlets_it_is_the_loop_of_asyncio(monkeypatch):
    monkeypatch.setattr(threading, "get_ident", lambda: 1)

    assert threads_are_patched()
    assert run(kind_of_loop()).split(".")[0] == "asyncio"


def test_threads_of_the_system_are_not_patched():
    assert not threads_are_patched()


def test_what_it_raises_comes_out():
    async def fail():
        raise LookupError("nobody")

    with pytest.raises(LookupError, match="nobody"):
        run(fail())


def test_a_loop_that_cannot_be_made_leaves_no_coroutine_behind(monkeypatch):
    def no_descriptor():
        raise OSError("no descriptor")

    monkeypatch.setattr(loops, "_factory", lambda: no_descriptor)
    main = kind_of_loop()

    with pytest.raises(OSError, match="no descriptor"):
        run(main)

    assert main.cr_frame is None
