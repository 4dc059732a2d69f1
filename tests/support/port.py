"""A bare user of the transport port: it keeps what it is told, and sends what a test asks for."""

from collections import namedtuple
from itertools import count

from cosmonapse.transport import Outcome, PresenceVerb
from support.processes import until

MAX_SIGNAL_BYTES = 16 * 1024 * 1024
PATIENCE_S = 5.0
NOBODY = bytes(16)
TASK, ANSWER, THOUGHT, CHATTER, HERE = 1, 2, 10, 13, 18
"""Type codes: of a task, its answer, what goes ahead of that, a broadcast, and presence."""
ACCEPTED = (Outcome.SENT, Outcome.WAITING)
_EVENTS = {
    each.__name__: each
    for each in (
        namedtuple("on_task", "caller address task trace kind ttl_ms flags body"),
        namedtuple("on_reply", "worker task trace kind index flags body"),
        namedtuple("on_cancel", "caller task"),
        namedtuple("on_bounce", "task reason"),
        namedtuple("on_lost", "task reason"),
        namedtuple("on_heard", "kind trace caller worker body"),
        namedtuple("on_missed", "count"),
        namedtuple("on_registered", "neuron_id refusal"),
        namedtuple("on_welcomed", "fresh"),
        namedtuple("on_away", "why"),
    )
}
_numbers = count(1)


def new_id():
    """Return 16 bytes that were never returned before."""
    return next(_numbers).to_bytes(16, "big")


class User:
    """One connection, and all that its transport reported, in order, in `happened`.

    Args:
        synapse: Where it connects.
        namespace: Where it belongs.
        answers: Whether it settles each task at once with the task's own body.
        max_signal_bytes: As for `Synapse.transport`.
    """

    def __init__(
        self, synapse, namespace, *, answers=False, max_signal_bytes=MAX_SIGNAL_BYTES
    ) -> None:
        self.happened = []
        self.answers = answers
        self._seats = {}
        self.transport = synapse.transport(namespace, "user", self, max_signal_bytes)
        self.instance = self.transport.instance

    def of(self, name):
        """Return the events of that name."""
        return [each for each in self.happened if type(each).__name__ == name]

    def about(self, name, task):
        """Return the events of that name that are about a task."""
        return [each for each in self.of(name) if each.task == task]

    async def seen(self, name, count=1):
        """Wait for so many events of that name; return them."""
        await until(lambda: len(self.of(name)) >= count, what=f"{count} {name}")
        return self.of(name)

    # -- what it does ----------------------------------------------------------------------------

    async def open(self, *topics):
        """Open the transport; return this."""
        await self.transport.open(PATIENCE_S, topics)
        return self

    def say(self, verb, name, capabilities=(), body=b"here"):
        """Send presence."""
        facts = {"capabilities": list(capabilities)} if capabilities else {}
        return self.transport.send_presence(verb, name, facts, HERE, body)

    async def serve(self, *names, capabilities=()):
        """Register names, now and after each welcome; return this once they are in the tables."""
        already = len(self.of("on_registered"))
        for name in names:
            self._seats[name] = capabilities
            assert self.say(PresenceVerb.REGISTER, name, capabilities) is Outcome.SENT
        registered = await self.seen("on_registered", already + len(names))
        assert not any(each.refusal for each in registered)
        return self

    def ask(self, name=None, body=b"", **options):
        """Send a task; return its id."""
        task = options.pop("task", None) or new_id()
        outcome = self.send(name, body, task=task, **options)
        assert outcome in ACCEPTED, outcome
        return task

    def send(
        self, name, body=b"", *, task, capabilities=(), trace=NOBODY, ttl_ms=10_000, keep=False
    ):
        """Send a task; return the outcome of that."""
        return self.transport.send_task(
            name, tuple(capabilities), task, trace, TASK, body, ttl_ms=ttl_ms, keep=keep
        )

    def reply(self, task, body=b"", *, index=0, settles=True, kind=ANSWER):
        """Send a reply to a task that it got; return the outcome of that."""
        return self.transport.send_reply(
            task.caller, task.task, task.trace, kind, body, index=index, settles=settles
        )

    async def fence(self):
        """Return when everything that was on its way to it on the directed plane is here."""
        task = self.ask("nobody", ttl_ms=0)  # not even a Synapse that just started keeps that
        await until(lambda: self.about("on_bounce", task), what="the fence")

    # -- what it is told -------------------------------------------------------------------------

    def on_task(self, *arguments):
        """Keep a task, and answer it if that is its way."""
        task = _EVENTS["on_task"](*arguments)
        self.happened.append(task)
        if self.answers:
            self.reply(task, task.body)

    def on_welcomed(self, fresh):
        """Keep it, and register anew, as a Dendrite does."""
        self.happened.append(_EVENTS["on_welcomed"](fresh))
        for name, capabilities in self._seats.items():
            self.say(PresenceVerb.REGISTER, name, capabilities)

    def __getattr__(self, name):
        """Return a way to keep an event of that name."""
        if name not in _EVENTS:
            raise AttributeError(name)
        return lambda *arguments: self.happened.append(_EVENTS[name](*arguments))
