"""A Dendrite of which the cards alone are asked: they come, fail, or do not come."""

import asyncio


class PlayedCards:
    """Stands in for the Dendrite of a gateway.

    Args:
        answer: The cards by id, or the exception that asking for them raises.

    Attributes:
        asked: How often it was asked.
        may_answer: Cleared, it does not answer.
    """

    def __init__(self, answer):
        self.answer, self.asked = answer, 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def cards(self, timeout_s):
        self.asked += 1
        await self.may_answer.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer
