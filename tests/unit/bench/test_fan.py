"""A fan-out is counted from the moment on at which every subscriber is reached."""

import asyncio

import pytest

from cosmonapse.bench import fan
from cosmonapse.bench.children import BenchError


async def fanned(heard_from):
    """Greet and publish to 2 processes of 2 subscribers; those hear from that message on."""
    acks, sent = await fan.Acks.opened(2), []
    tellers = [fan.Teller(acks.port, process, 2) for process in range(2)]

    async def send(kind):
        sent.append(kind)
        for teller in tellers if len(sent) >= heard_from else ():
            for subscriber in range(2):
                if kind == "greeting":
                    teller.was_reached(subscriber)
                else:
                    teller.had_one(subscriber)

    try:
        await acks.all_reached(lambda: send("greeting"))
        found = await fan.Publishing(acks, 4, lambda: send("counted")).for_(0.001)
    finally:
        for each in (acks, *tellers):
            each.close()
    return sent, found


def test_what_reaches_nobody_at_first_is_not_counted(monkeypatch):
    monkeypatch.setattr(fan, "_GREETS_EVERY_S", 0.0)

    sent, found = asyncio.run(fanned(heard_from=4))

    assert sent[:4] == ["greeting"] * 4
    assert found.published == sent.count("counted") > 0
    assert found.subscribers == 4


def test_nobody_who_hears_a_greeting_is_an_error_that_says_how_many(monkeypatch):
    monkeypatch.setattr(fan, "_LOST_S", 0.05)

    with pytest.raises(BenchError, match="did not reach 2 of 2 processes of subscribers"):
        asyncio.run(fanned(heard_from=1_000_000))
