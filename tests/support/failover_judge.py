"""What must hold of a fabric of several proxies at every moment, and when it was left alone."""

from zmq_transport.wire.role_messages import ProxyRole

ONE_AGAIN_S = 2.0
LED_S = 3.0
SETTLED_S = 15.0
STEADY_S = 5.0
SEEN_S = 2.5
MOST_DELAY_S = 0.05


class FailoverJudge:
    """Looks at a `FabricModel` after each event.

    Args:
        fabric: The fabric.
    """

    def __init__(self, fabric):
        self.fabric, self.world = fabric, fabric.world
        self._terms, self._roles = {}, {}
        self._well_since_s = {}
        self._pairs_since_s = {}
        self._looked_at_s = -1.0
        self.world.watch = self.look
        fabric.judge = self

    # -- facts -----------------------------------------------------------------------------------

    def runs(self, process):
        return process.is_alive and not process.is_frozen

    def reaches(self, one, other):
        """Return whether messages of two processes pass soon in both directions."""
        world = self.world
        return (
            world.reaches(one.place, other.place)
            and world.delay_s(one.place, other.place) <= MOST_DELAY_S
            and world.delay_s(other.place, one.place) <= MOST_DELAY_S
        )

    def joined(self, one, other):
        world = self.world
        return self.reaches(one, other) and (
            world.may_open(one.place, other.place) or world.may_open(other.place, one.place)
        )

    def is_well(self, leader):
        """Return whether a leader runs and every client can reach it."""
        return self.runs(leader) and all(
            self.reaches(client, leader) and self.world.may_open(client.place, leader.place)
            for client in self.fabric.clients
            if client.is_alive
        )

    # -- at every moment -------------------------------------------------------------------------

    def look(self):
        now_s = self.world.now_s
        if now_s - self._looked_at_s < 0.005:
            return
        self._looked_at_s = now_s
        leaders = self.fabric.leaders
        for leader in leaders:
            if self.is_well(leader):
                self._well_since_s.setdefault(leader, now_s)
            else:
                self._well_since_s.pop(leader, None)
        self._check_terms()
        self._check_pairs(leaders, now_s)
        self._check_halves(leaders, now_s)
        self._check_asking(now_s)

    def _check_terms(self):
        for proxy in self.fabric.proxies.values():
            term = proxy.election.term
            assert term >= self._terms.get(proxy, 0), "a term fell"
            self._terms[proxy] = term

    def _check_pairs(self, leaders, now_s):
        pairs = {
            (one, other)
            for one in leaders
            for other in leaders
            if one.place < other.place
            and self.runs(one)
            and self.runs(other)
            and self.joined(one, other)
        }
        self._pairs_since_s = {each: self._pairs_since_s.get(each, now_s) for each in pairs}
        for since_s in self._pairs_since_s.values():
            assert now_s - since_s <= ONE_AGAIN_S, "two leaders hear each other for over 2 s"

    def _check_halves(self, leaders, now_s):
        if now_s - self.world.last_change_s < SEEN_S:
            return
        for leader in leaders:
            if not self.runs(leader):
                continue
            silent = [each.place for each in leader.peers if self._is_silent(leader, each.place)]
            said = leader.election.half
            assert said == bool(silent), f"half is {said}, silent are {silent}"

    def _is_silent(self, leader, place):
        process = self.fabric.listeners.at.get(place)
        if process is None or not process.is_alive:
            return not (
                self.world.reaches(leader.place, place) and self.world.may_open(leader.place, place)
            )
        if process.is_frozen or not self.world.reaches(leader.place, place):
            return True
        return not (
            self.world.may_open(leader.place, place) or self.world.may_open(place, leader.place)
        )

    def _check_asking(self, now_s):
        for client in self.fabric.clients:
            since_s = client.alone_since_s
            if since_s is None or not self.runs(client):
                continue
            if not self.runs(client.asked) or not self.reaches(client, client.asked):
                client.alone_since_s = now_s
                continue
            waited_s = now_s - max(since_s, self.world.last_change_s)
            assert waited_s <= LED_S, f"{client.place} asks in vain for {waited_s:.1f} s"

    # -- at a step -------------------------------------------------------------------------------

    def on_takeover(self, proxy):
        now_s = self.world.now_s
        assert not proxy.hears_leaders(), "it takes over and hears a leader"
        for leader, since_s in self._well_since_s.items():
            if leader is not proxy and leader in self.fabric.leaders:
                assert now_s - since_s < STEADY_S, "a second leader where all reach the first"

    def on_welcome(self, client, proxy):
        assert proxy.role.role is not ProxyRole.STANDBY, "a standby welcomes"

    # -- at the end ------------------------------------------------------------------------------

    def check_settled(self):
        """Hold all to one leader, with every client, that stays where it is."""
        fabric = self.fabric
        fabric.world.run(SETTLED_S)
        living = [each for each in fabric.clients if each.is_alive]
        leaders = fabric.leaders
        assert len(leaders) == 1, f"{len(leaders)} leaders"
        for client in living:
            assert client.at is leaders[0], f"{client.place} is not at the leader"
        moves, takeovers = fabric.moves, len(fabric.takeovers)
        fabric.world.run(STEADY_S)
        assert (fabric.moves, len(fabric.takeovers)) == (moves, takeovers), "some move unprovoked"
        assert all(client.is_half == leaders[0].election.half for client in living)

    def check_tasks(self, *, answered):
        """Hold every task of a surviving caller to one outcome and at most one run."""
        for (caller, _), task in self.fabric.tasks.items():
            if not self.fabric.everyone[caller].is_alive:
                continue
            assert len(task.outcomes) == 1, task.outcomes
            if answered and not task.is_excused:
                assert task.outcomes == ["reply"], task.outcomes
                assert task.runs == 1
