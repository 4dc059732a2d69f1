"""Run a coroutine at once as far as it goes without waiting, and the rest in the background.

nats-py has coroutines only, and most of them wait for nothing. So a call of the carrier port, which
may not wait, is done when it returns.
"""

from __future__ import annotations

import asyncio
import contextlib
import types
from collections.abc import Coroutine, Generator
from typing import Any


def begun(
    work: Coroutine[Any, Any, object], limit_s: float, name: str
) -> asyncio.Task[None] | None:
    """Run `work` until it waits for something; return the task of the rest, None if there is none.

    Errors of the rest are dropped: nobody waits for it.

    Args:
        work: The coroutine.
        limit_s: It is cancelled after so many seconds.
        name: The name of the task.
    """
    awaited = None
    try:
        while awaited is None:  # a mere pause for others, which need not run first
            awaited = work.send(None)
    except (StopIteration, OSError):
        return None
    return asyncio.get_running_loop().create_task(_finish(work, awaited, limit_s), name=name)


async def _finish(work: Coroutine[Any, Any, object], awaited: Any, limit_s: float) -> None:
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(limit_s):
            await _resumed(work, awaited)


@types.coroutine
def _resumed(work: Coroutine[Any, Any, object], awaited: Any) -> Generator[Any, Any, None]:
    """Hand what `work` waits for to the task that runs this, and the answers to `work`."""
    try:
        while True:
            try:
                answer = yield awaited
            except BaseException as error:  # noqa: BLE001  # a cancellation, too, is for `work`
                awaited = work.throw(error)
            else:
                awaited = work.send(answer)
    except StopIteration:
        return
