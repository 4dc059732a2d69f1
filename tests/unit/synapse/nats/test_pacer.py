"""No more of what is large is handed over than what may be passed; everybody has a turn."""

import asyncio

import pytest

from cosmonapse.synapse.nats.pacer import STEP_BYTES, Pacer


class Pile:
    """So many bytes wait, in pieces."""

    def __init__(self, size_bytes, piece_bytes=1000):
        self.left, self.piece_bytes = size_bytes, piece_bytes
        self.handed = []

    def hand_over(self, budget_bytes):
        total = 0
        while self.left > 0 and total < budget_bytes:
            piece = min(self.piece_bytes, self.left)
            self.left -= piece
            total += piece
        self.handed.append(total)
        return total


async def nothing():
    return True


def test_a_step_is_bounded():
    pacer, pile = Pacer(nothing), Pile(10 * STEP_BYTES)
    pacer.add(pile, pile.hand_over)

    pacer.turn()

    assert STEP_BYTES <= sum(pile.handed) <= STEP_BYTES + 2 * pile.piece_bytes


def test_two_that_wait_share_a_step():
    pacer, one, two = Pacer(nothing), Pile(10 * STEP_BYTES), Pile(10 * STEP_BYTES)
    for pile in (one, two):
        pacer.add(pile, pile.hand_over)

    pacer.turn()

    assert abs(sum(one.handed) - sum(two.handed)) <= 2 * one.piece_bytes


def test_what_is_added_twice_waits_once():
    pacer, pile = Pacer(nothing), Pile(1000)
    for _ in range(3):
        pacer.add(pile, pile.hand_over)

    pacer.turn()

    assert pile.handed == [1000, 0]


def test_what_was_forgotten_is_not_handed_over():
    pacer, pile = Pacer(nothing), Pile(1000)
    pacer.add(pile, pile.hand_over)

    pacer.forget_all()
    pacer.turn()

    assert not pile.handed


@pytest.mark.parametrize("size", [10, 5 * STEP_BYTES])
def test_all_of_it_is_handed_over_and_each_step_waits_for_nats_server(size):
    flushed = []

    async def flush():
        flushed.append(size - pile.left)
        if not pile.left:
            running.cancel()
        return True

    async def run():
        nonlocal running
        pacer = Pacer(flush)
        running = asyncio.create_task(pacer.run())
        pacer.add(pile, pile.hand_over)
        await asyncio.wait({running}, timeout=5)

    pile, running = Pile(size), None
    asyncio.run(run())

    steps = [after - before for before, after in zip([0, *flushed], flushed, strict=False)]
    assert sum(steps) == size
    assert max(steps) <= STEP_BYTES + 2 * pile.piece_bytes
