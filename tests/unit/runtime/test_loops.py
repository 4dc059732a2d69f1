"""Running on uvloop where it is installed, and without it."""

import asyncio
import sys

import pytest

from cosmonapse.runtime.loops import run


async def kind_of_loop():
    return type(asyncio.get_running_loop()).__module__


def test_uvloop_is_used_where_it_is_installed():
    pytest.importorskip("uvloop")

    assert run(kind_of_loop()).split(".")[0] == "uvloop"


def test_without_uvloop_it_is_the_loop_of_asyncio(monkeypatch):
    monkeypatch.setitem(sys.modules, "uvloop", None)

    assert run(kind_of_loop()).split(".")[0] == "asyncio"


def test_what_it_raises_comes_out():
    async def fail():
        raise LookupError("nobody")

    with pytest.raises(LookupError, match="nobody"):
        run(fail())
