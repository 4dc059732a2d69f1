"""Two engines as one: every call goes to both, and both must say the same."""

from zmq_transport.proxy.engine import Engine

EQUAL = ("on_message", "on_unsent", "on_misframed", "on_disconnected", "tick", "go_away")


def plain(outputs):
    """Return outputs with bodies that compare by value."""
    return [(code, first, second, bytes(body)) for code, first, second, body in outputs]


def state_of(engine):
    """Return what an engine remembers of tasks and seats, and has counted."""
    tables = engine.tables
    rows = [
        (
            *(each.caller, each.task, each.body_bytes, each.trace, each.address, each.seat.number),
            *(each.seat.peer.instance, each.expires_at_s, each.keep, each.cancelled),
        )
        for each in tables.ledger
    ]
    seats = [
        (seat.name, seat.number, seat.available, tasks_of(seat), [*levels_of(seat)])
        for namespace in tables.peers.namespaces.values()
        for seat in namespace.routes
    ]
    return rows, seats, +tables.counts


def tasks_of(seat):
    """Return the load of a seat, and the open tasks and bytes of its client."""
    worker = seat.peer
    return [(t.caller, t.task) for t in seat.open], worker.open_count, worker.open_bytes


def levels_of(seat):
    """Yield how the pools of a seat stand: their next ones, and the order behind them."""
    for pool in seat.pools:
        levels = {load: [each.number for each in seats] for load, seats in pool._levels.items()}
        yield len(pool.seats), levels


class TwinSubscriptions:
    """The subscriptions of both."""

    def __init__(self, one, other):
        self._one, self._other = one, other

    def __len__(self):
        return len(self._one)

    def __getattr__(self, name):
        one, other = getattr(self._one, name), getattr(self._other, name)
        if not callable(one):
            return one

        def both(*arguments):
            said, reference = one(*arguments), other(*arguments)
            assert said == reference
            return said

        return both


class EngineTwins:
    """An engine that takes plain messages as a whole, beside one that does not.

    Args:
        options: As for `Engine`.
    """

    def __init__(self, **options):
        self._fast = Engine(**options)
        self._reference = Engine(**options, fast=False)
        self.tables = self._fast.tables
        self.counts = self._fast.counts
        self.subscriptions = TwinSubscriptions(
            self._fast.subscriptions, self._reference.subscriptions
        )

    def find_pool(self, namespace, address):
        """Return the pool of an address; it is made in both, as the first one to ask makes it."""
        found = [
            engine.tables.peers.namespaces[namespace].routes.find(address)
            for engine in (self._reference, self._fast)
        ]
        return found[-1]

    def __getattr__(self, name):
        if name not in EQUAL:
            return getattr(self._fast, name)

        def both(*arguments):
            said = getattr(self._fast, name)(*arguments)
            reference = getattr(self._reference, name)(*arguments)
            assert plain(said) == plain(reference)
            assert state_of(self._fast) == state_of(self._reference)
            return said

        return both
