"""Proxies of one fabric and their clients, in virtual time.

Engines, elections, links, dial plans and resync are the real ones; the shells are replaced. Spec:
docs/spec/12-failover.md.
"""

from support.failover_network import Listeners, Process, World
from support.resync_model import SEAT, Twin
from zmq_transport.client.dial_plan import DialPlan
from zmq_transport.failover.election import Decision
from zmq_transport.proxy.engine import Engine
from zmq_transport.proxy.fabric_role import FabricRole
from zmq_transport.wire import greetings, heads
from zmq_transport.wire.heads import Verb
from zmq_transport.wire.role_messages import ProxyRole

TICK_S = 0.1
REPORT_S = 0.2
STILL_S = 0.8
DRAIN_S = 1.0
SOON_S, LATER_S = 0.05, 0.2
PROBE = b"", b""


class PeerLink:
    """The connection of a proxy to another one."""

    def __init__(self, owner, number, place):
        self.owner, self.number, self.place = owner, number, place
        self.end, self.is_dialling = None, False

    def keep_up(self):
        if self.end is None and not self.is_dialling:
            self.is_dialling = True
            self.owner.fabric.listeners.dial(self.owner, self.place, 1.0, 1.0, self._dialled)

    def _dialled(self, end):
        self.is_dialling = False
        if end == "refused":
            self.owner.note(self.owner.role.on_closed(self.number, self.owner.now()))
            self.owner.after(LATER_S, self.keep_up)
        elif end == "silent":
            self.owner.note(self.owner.role.on_not_closed(self.number, self.owner.now()))
            self.owner.after(SOON_S, self.keep_up)
        else:
            self.end = end
            self.owner.links[end] = self
            self.owner.report()

    def on_down(self):
        self.owner.links.pop(self.end)
        self.end = None
        self.keep_up()


class ProxyProcess(Process):
    """A proxy of a fabric: its engine, its role, and what the shell does for both."""

    def __init__(self, fabric, place, others):
        super().__init__(fabric.world, place)
        self.fabric = fabric
        dice = self.world.dice
        self.engine = Engine(epoch=dice.randbytes(16), now_s=self.now(), reports_ends=True)
        new_epoch = lambda: dice.randbytes(16)  # noqa: E731
        self.role = FabricRole(self.engine, dice.randbytes(16), others, new_epoch, self.now())
        self.engine.join(self.role)
        self.links, self.connections, self.ends_by = {}, {}, {}
        self.drains_until_s, self.is_stopping = None, False
        self.waiting = []
        self.last_turn_s = self.now()
        self.peers = [PeerLink(self, number, each) for number, each in enumerate(others)]
        fabric.listeners.at[place] = self
        for link in self.peers:
            link.keep_up()
        self.every(TICK_S, self.tick)
        self.every(REPORT_S, self.report)

    @property
    def election(self):
        return self.role._election

    @property
    def leads(self):
        return self.is_alive and self.role.role is ProxyRole.LEADER

    def hears_leaders(self):
        return bool(self.election.others.leaders(self.now()))

    # -- the turns of its loop -------------------------------------------------------------------

    def do(self, act):
        def turn():
            now_s = self.now()
            still_s, self.last_turn_s = now_s - self.last_turn_s, now_s
            if still_s >= STILL_S:
                self.note(self.role.on_stood_still(now_s))
            act()

        super().do(turn)

    def thaw(self):
        super().thaw()
        self.do(lambda: None)

    def report(self):
        message = self.role.next_report()
        for link in self.peers:
            if link.end is not None:
                link.end.send(message)

    def tick(self):
        now_s = self.now()
        self.note(self.role.tick(now_s) if self.role.holds else self.engine.tick(now_s))
        self.go_on()
        if self.drains_until_s is not None and (
            self.engine.drained or now_s >= self.drains_until_s
        ):
            self.end_drain()

    def note(self, outputs):
        """Carry out what was decided."""
        self.perform(outputs)
        news, self.role.news = self.role.news, {}
        if Decision.TAKE_OVER in news:
            self.fabric.on_takeover(self)
        if Decision.STEP_DOWN in news:
            self.drains_until_s = self.now() + DRAIN_S
        if Decision.REPORT in news:
            self.report()

    def end_drain(self):
        self.drains_until_s = None
        if self.is_stopping:
            self.kill()
            return
        self.note(self.role.stand_down(self.now()))
        for end in list(self.connections):
            if end not in self.links:
                end.hang_up()
        self.connections.clear()
        self.ends_by.clear()

    def stop(self):
        """End in order, as after SIGTERM."""

        def begin():
            self.is_stopping = True
            self.note(self.role.on_stop(self.now()))
            if not self.engine.draining:
                self.perform(self.engine.go_away())
            self.drains_until_s = self.drains_until_s or self.now() + DRAIN_S

        self.world.changed()
        self.do(begin)

    # -- what comes ------------------------------------------------------------------------------

    def on_down(self, end, *, silent):
        if end in self.links:
            self.links[end].on_down()
            return
        connection = self.connections.pop(end, None)
        if connection is not None:
            del self.ends_by[connection]
            self.note(self.engine.on_disconnected(connection, self.now()))

    def on_message(self, end, message):
        if end in self.links:
            self.note(self.role.on_answer(self.links[end].number, *message, self.now()))
            self.go_on()
        elif self.role.holds:
            self.waiting.append((end, message))
        else:
            self.read(end, message)

    def go_on(self):
        """Read what had to wait while it was not clear who leads."""
        waiting = []
        if not self.role.holds:
            waiting, self.waiting = self.waiting, []
        for end, message in waiting:
            self.read(end, message)

    def read(self, end, message):
        if not end.is_open:
            return
        if end not in self.connections:
            self.connections[end] = connection = self.world.serial().to_bytes(5, "big")
            self.ends_by[connection] = end
        connection = self.connections[end]
        self.note(self.engine.on_message(connection, *message, self.now()))
        if connection in self.role._held:
            end.other.owner.on_held(self)

    def perform(self, outputs):
        waiting = list(outputs)
        while waiting:
            _, connection, head, body = waiting.pop(0)
            end = self.ends_by.get(connection)
            if end is None or not end.send((head, body)):
                waiting += self.engine.on_unsent(connection, head, body, False, self.now())


class ClientProcess(Process, Twin):
    """A client: a `Twin` that dials."""

    def __init__(self, fabric, place, places, *, serves):
        Process.__init__(self, fabric.world, place)
        self.fabric = fabric
        self.listed, self.named = list(places), []
        self.plan = DialPlan(self.world.dice.random)
        self.end = self.at = None
        self.since_s = 0.0
        self.is_half, self.asked, self.alone_since_s = False, None, None
        Twin.__init__(self, fabric, self.world.serial(), serves)
        self.link._is_alone = lambda: self.plan.is_alone
        self.every(1.0, lambda: self.perform(self.link.hello_again()))
        if serves:
            self.every(2.0, self.heartbeat)
        self.dial()

    # -- its connection --------------------------------------------------------------------------

    def connect(self):
        """Leave it to `dial`."""

    def disconnect(self):
        if self.end is not None:
            self.end.hang_up()
        self.end = self.at = None

    def dial(self):
        attempt = self.plan.next_attempt([*self.listed, *self.named])
        limits_s = attempt.connect_s, attempt.handshake_s
        self.fabric.listeners.dial(self, attempt.address, *limits_s, self.dialled)

    def dialled(self, end):
        if isinstance(end, str):
            is_silent = end == "silent"
            self.after(self.plan.on_failed(silent=is_silent), self.dial)
            return
        self.end = end
        self.since_s = self.now()
        self.plan.on_established()
        end.send(PROBE)

    def on_down(self, end, *, silent):
        if end is not self.end:
            return
        self.fabric.on_moved(self)
        self.disconnect()
        self.perform(self.link.on_disconnected())
        lasted_s = self.now() - self.since_s
        self.after(self.plan.on_ended(lasted_s, silent=silent), self.dial)

    def on_standby(self, fabric):
        new = [each for each in fabric if each not in (*self.listed, *self.named)]
        self.named += new
        if self.asked is not None and self.asked.hears_leaders():
            self.alone_since_s = None  # it may reach standbys only
        self.disconnect()
        self.after(self.plan.on_standby(has_named_others=bool(new)), self.dial)

    def on_message(self, end, message):
        if end is self.end:
            self.perform(self.link.on_message(*message))

    def transmit(self, head, body):
        if self.end is not None:
            self.end.send((head, body))

    # -- events ----------------------------------------------------------------------------------

    def on_welcomed(self, welcome, fresh):
        self.is_half = welcome.half
        self.at = self.end.other.owner
        self.alone_since_s = None
        self.plan.on_welcomed()
        self.named = [self.at.place] if self.at.place not in self.listed else []
        self.fabric.on_welcome(self, self.at)
        super().on_welcomed(welcome, fresh)

    def dispatch(self):
        is_new = not self.resync._known and not self.resync._former
        super().dispatch()
        # A caller that knows of no worker gets `no_route` where none is.
        list(self.tasks.values())[-1].is_excused |= is_new

    def on_held(self, proxy):
        """Note that a standby holds its HELLO."""
        self.asked = proxy
        if self.alone_since_s is None:
            self.alone_since_s = self.world.now_s

    def heartbeat(self):
        facts = greetings.pack_map({})
        beat = int(Verb.HEARTBEAT)
        items = [(beat, 0, 0, 0, heads.NOBODY, heads.NOBODY, n) for n in (len(facts), 0)]
        if self.link.ready:
            self.transmit(heads.pack_items(items, address=SEAT.encode()), facts)

    def on_task(self, *arguments):
        before = set(self.held)
        super().on_task(*arguments)
        for key in set(self.held) - before:
            self.after(self.world.dice.choice([0.01, 0.05, 0.5]), lambda key=key: self.finish(key))

    def finish(self, key):
        if key in self.held:
            self.say(key, settles=True)

    def kill(self):
        for task in self.tasks.values():
            task.outcomes = task.outcomes or ["caller killed"]
        super().kill()


class FabricModel:
    """All of it: the network, the proxies and the clients."""

    def __init__(self, dice, proxies=2):
        self.world = World(dice)
        self.listeners = Listeners(self.world)
        self.proxies, self.clients = {}, []
        self.tasks, self.everyone = {}, {}
        self.places = [f"proxy-{number}" for number in range(proxies)]
        self.moves, self.takeovers = 0, []
        self.judge = None

    def start_proxy(self, place):
        self.world.changed()
        others = [each for each in self.places if each != place]
        self.proxies[place] = ProxyProcess(self, place, others)

    def join(self, place, *, serves, places=None):
        client = ClientProcess(self, place, places or self.places, serves=serves)
        self.clients.append(client)
        self.everyone[client.instance] = client
        return client

    # -- what a `Twin` wants of its model ---------------------------------------------------------

    def serial(self):
        return self.world.serial().to_bytes(16, "big")

    @property
    def now_s(self):
        return self.world.now_s + 100.0

    def twin_of(self, instance):
        return self.everyone[instance]

    # -- what is to be judged --------------------------------------------------------------------

    @property
    def leaders(self):
        return [each for each in self.proxies.values() if each.leads]

    def on_takeover(self, proxy):
        self.takeovers.append((self.world.now_s, proxy.place))
        if self.judge is not None:
            self.judge.on_takeover(proxy)

    def on_moved(self, client):
        self.moves += client.at is not None

    def on_welcome(self, client, proxy):
        if self.judge is not None:
            self.judge.on_welcome(client, proxy)
