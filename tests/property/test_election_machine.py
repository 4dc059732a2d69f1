"""Several proxies and their elections, with cuts, kills, stops, standstills and clients that ask.

Each step is 50 ms. Reports go between those that reach each other; a port of a killed one refuses
whoever reaches its host. Whatever happened: once the network is whole, and clients ask, exactly one
leads, and it stays.
"""

import attrs
import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from zmq_transport.failover.election import Decision, Election
from zmq_transport.wire.role_messages import ProxyRole, RoleReport

STEP_S = 0.05
REPORT_STEPS = 4
DRAIN_STEPS = 20
NUMBERS = st.integers(0, 3)


@attrs.define
class Proxy:
    """One process at a host."""

    election: Election
    number: int = 0
    drained_at: int | None = None
    terms: list[int] = attrs.field(factory=list)


class Fabric(RuleBasedStateMachine):
    """Hosts by number; the process at one may be gone."""

    @initialize(count=st.integers(2, 4), seed=st.randoms(use_true_random=False))
    def start(self, count, seed):
        self.count, self.seed = count, seed
        self.now, self.steps, self.serial = 0.0, 0, 0
        self.cuts = set()
        self.frozen = {}
        self.led = {}
        self.proxies = {host: self.process() for host in range(count)}

    def process(self):
        self.serial += 1
        own_id = bytes([self.seed.randrange(256)]) + self.serial.to_bytes(15, "big")
        return Proxy(Election(own_id, self.count - 1, self.now))

    def places(self, host):
        """Return the other hosts, in the order of the places of one."""
        return [each for each in range(self.count) if each != host]

    def reaches(self, one, other):
        return (one, other) not in self.cuts

    # -- the world -------------------------------------------------------------------------------

    def perform(self, host, decisions):
        proxy = self.proxies[host]
        for decision in decisions:
            if decision is Decision.TAKE_OVER:
                key = proxy.election.term, proxy.election.id
                assert key not in self.led, "a term has one leader of one id"
                self.led[key] = host
                proxy.terms.append(proxy.election.term)
            elif decision is Decision.STEP_DOWN:
                proxy.drained_at = self.steps + DRAIN_STEPS
            elif decision is Decision.REPORT:
                self.report(host)

    def message(self, proxy, *, answer):
        one = proxy.election
        return RoleReport(one.id, one.term, one.role, asked=one.is_asked, answer=answer)

    def report(self, host):
        proxy = self.proxies[host]
        proxy.number += 1
        number = proxy.number
        for place, other in enumerate(self.places(host)):
            if not self.reaches(host, other) or other in self.frozen:
                continue
            if other not in self.proxies:
                self.perform(host, proxy.election.on_closed(place, self.now))
                continue
            far = self.proxies[other]
            self.perform(other, far.election.on_report(self.message(proxy, answer=False), self.now))
            if self.reaches(other, host):
                said = self.message(self.proxies[other], answer=True)
                self.perform(host, proxy.election.on_report(said, self.now, place, number))

    def step(self, count=1):
        for _ in range(count):
            self.now += STEP_S
            self.steps += 1
            for host in [*self.proxies]:
                if host in self.frozen:
                    continue
                proxy = self.proxies[host]
                if proxy.drained_at is not None and self.steps >= proxy.drained_at:
                    proxy.drained_at = None
                    self.perform(host, proxy.election.on_stood_down(self.now))
                self.perform(host, proxy.election.tick(self.now))
                if self.steps % REPORT_STEPS == host % REPORT_STEPS:
                    self.report(host)

    # -- what happens ----------------------------------------------------------------------------

    @rule(count=st.integers(1, 60))
    def time_passes(self, count):
        self.step(count)

    @rule(host=NUMBERS, other=NUMBERS, both=st.booleans())
    def cut(self, host, other, both):
        self.cuts |= {(host, other)} | ({(other, host)} if both else set())

    @rule()
    def heal(self):
        self.cuts.clear()

    @rule(host=NUMBERS)
    def kill(self, host):
        self.proxies.pop(host, None)
        self.frozen.pop(host, None)

    @rule(host=NUMBERS)
    def start_again(self, host):
        if host < self.count and host not in self.proxies:
            self.proxies[host] = self.process()

    @rule(host=NUMBERS)
    def freeze(self, host):
        if host in self.proxies:
            self.frozen.setdefault(host, self.now)

    @rule(host=NUMBERS)
    def go_on(self, host):
        since_s = self.frozen.pop(host, None)
        if since_s is None or host not in self.proxies:
            return
        proxy = self.proxies[host]
        if self.now - since_s >= 0.8:
            self.perform(host, proxy.election.on_stood_still(self.now, proxy.number + 1))

    @rule(host=NUMBERS, asks=st.booleans())
    def ask(self, host, asks):
        if host in self.proxies and host not in self.frozen:
            self.perform(host, self.proxies[host].election.on_asked(asks, self.now))

    @rule()
    def all_is_well_again(self):
        """Heal everything, let clients ask everybody: one leads, and stays."""
        self.cuts.clear()
        for host in range(self.count):
            self.go_on(host)
            self.start_again(host)
        for _ in range(80):
            for host in self.proxies:
                self.ask(host, True)
            self.step()
        [leader] = self.leaders()
        terms = {host: len(each.terms) for host, each in self.proxies.items()}
        for _ in range(40):
            for host in self.proxies:
                self.ask(host, True)
            self.step()
        assert self.leaders() == [leader]
        assert {host: len(each.terms) for host, each in self.proxies.items()} == terms
        assert not self.proxies[leader].election.half
        for host in self.proxies:
            self.ask(host, False)

    def leaders(self):
        return [
            host
            for host, each in self.proxies.items()
            if each.election.role is ProxyRole.LEADER and host not in self.frozen
        ]

    # -- what always holds -----------------------------------------------------------------------

    @invariant()
    def terms_of_one_process_grow(self):
        for each in getattr(self, "proxies", {}).values():
            assert each.terms == sorted(set(each.terms))

    @invariant()
    def only_a_leader_is_a_half_or_holds(self):
        for each in getattr(self, "proxies", {}).values():
            if each.election.role is not ProxyRole.LEADER:
                assert not each.election.half
                assert not each.election.holds


TestFabric = Fabric.TestCase
TestFabric.settings = settings(max_examples=20, stateful_step_count=30)
