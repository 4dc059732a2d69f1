"""One leader, and nothing lost, whatever breaks: proxies of a fabric and their clients."""

import random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from support.examples import examples
from support.failover_judge import FailoverJudge
from support.failover_model import FabricModel

WHO = st.integers(0, 11)
SEED = st.integers(0, 2**32)
LENGTHS_S = st.sampled_from([0.01, 0.1, 0.3, 1.0, 2.0, 5.0])


class FailoverMachine(RuleBasedStateMachine):
    """Every rule is something that a process, its host or the network may do."""

    cuts_clients = True

    @initialize(seed=SEED, proxies=st.integers(2, 4), clients=st.integers(2, 5))
    def start(self, seed, proxies, clients):
        self.fabric = FabricModel(random.Random(seed), proxies)
        self.judge = FailoverJudge(self.fabric)
        for place in self.fabric.places:
            self.fabric.start_proxy(place)
        for number in range(clients):
            self.join(number)
        self.fabric.world.run(2.0)

    def join(self, number):
        places = list(self.fabric.places)
        if number % 3 == 2 and self.cuts_clients:
            self.fabric.world.dice.shuffle(places)
        client = self.fabric.join(f"client-{number}", serves=number % 2 == 1, places=places)
        if number % 2 == 0:
            client.begin_to_call()

    def proxy(self, who):
        proxies = list(self.fabric.proxies.values())
        return proxies[who % len(proxies)]

    def leader(self):
        leaders = self.fabric.leaders
        return leaders[0] if leaders else self.proxy(0)

    def places(self, one, other):
        places = list(self.fabric.places)
        if self.cuts_clients:
            places += [each.place for each in self.fabric.clients]
        one, other = places[one % len(self.fabric.places)], places[other % len(places)]
        return None if one == other else (one, other)

    @rule(length_s=LENGTHS_S)
    def time_passes(self, length_s):
        self.fabric.world.run(length_s)

    @rule(who=WHO, count=st.integers(1, 3))
    def dispatch(self, who, count):
        callers = [each for each in self.fabric.clients if each.calls and each.is_alive]
        for _ in range(count):
            callers[who % len(callers)].dispatch()
            self.fabric.world.run(0.01)

    @rule(length_s=LENGTHS_S)
    def kill_the_leader(self, length_s):
        self.leader().kill()
        self.fabric.world.run(length_s)

    @rule(length_s=LENGTHS_S)
    def freeze_the_leader(self, length_s):
        self.leader().freeze()
        self.fabric.world.run(length_s)

    @rule(length_s=LENGTHS_S)
    def stop_the_leader(self, length_s):
        self.leader().stop()
        self.fabric.world.run(length_s)

    @rule(who=WHO)
    def kill(self, who):
        self.proxy(who).kill()

    @rule(who=WHO)
    def freeze(self, who):
        self.proxy(who).freeze()

    @rule()
    def thaw(self):
        for each in self.fabric.proxies.values():
            each.thaw()

    @rule(who=WHO)
    def restart(self, who):
        proxy = self.proxy(who)
        if not proxy.is_alive:
            self.fabric.start_proxy(proxy.place)

    @rule(one=WHO, other=WHO, is_both=st.booleans())
    def cut(self, one, other, is_both):
        if pair := self.places(one, other):
            self.fabric.world.cut(*pair)
            if is_both:
                self.fabric.world.cut(*reversed(pair))

    @rule(one=WHO, other=WHO)
    def heal(self, one, other):
        if pair := self.places(one, other):
            self.fabric.world.heal(*pair)
            self.fabric.world.heal(*reversed(pair))

    @rule(one=WHO, other=WHO)
    def bar(self, one, other):
        if pair := self.places(one, other):
            self.fabric.world.bar(*pair)

    @rule(one=WHO, other=WHO, delay_s=st.sampled_from([0.001, 0.03, 0.2]))
    def slow(self, one, other, delay_s):
        if pair := self.places(one, other):
            self.fabric.world.slow(*pair, delay_s)

    @rule(cut=st.integers(0, 255))
    def split(self, cut):
        """Cut the network in two halves."""
        if not self.cuts_clients:
            return
        world = self.fabric.world
        places = [*self.fabric.places, *(each.place for each in self.fabric.clients)]
        sides = [[p for n, p in enumerate(places) if cut >> n & 1 == side] for side in (0, 1)]
        for one in sides[0]:
            for other in sides[1]:
                world.cut(one, other)
                world.cut(other, one)

    @rule()
    def heal_all(self):
        self.fabric.world.heal_all()

    @rule()
    def one_more_client(self):
        if len(self.fabric.clients) < 8:
            self.join(len(self.fabric.clients))

    @rule(who=WHO)
    def freeze_or_thaw_a_client(self, who):
        if self.cuts_clients:
            client = self.fabric.clients[who % len(self.fabric.clients)]
            if client.is_frozen:
                client.thaw()
            else:
                client.freeze()

    @rule(who=WHO)
    def kill_a_client(self, who):
        if self.cuts_clients and sum(each.is_alive for each in self.fabric.clients) > 3:
            self.fabric.clients[who % len(self.fabric.clients)].kill()

    def teardown(self):
        if not hasattr(self, "fabric"):
            return
        fabric = self.fabric
        fabric.world.heal_all()
        for proxy in fabric.proxies.values():
            proxy.thaw()
        for client in fabric.clients:
            client.thaw()
        fabric.world.run(2.0)
        if not any(each.is_alive for each in fabric.proxies.values()):
            fabric.start_proxy(fabric.places[0])
        self.judge.check_settled()
        self.judge.check_tasks(answered=not self.cuts_clients)


class SurvivingClients(FailoverMachine):
    """The same while every client lives and reaches every proxy: then every task is answered."""

    cuts_clients = False


FailoverMachine.TestCase.settings = settings(max_examples=examples(30), stateful_step_count=25)
SurvivingClients.TestCase.settings = settings(max_examples=examples(30), stateful_step_count=25)
TestFailover = FailoverMachine.TestCase
TestFailoverOfSurvivingClients = SurvivingClients.TestCase
