"""A network in virtual time: processes that freeze and die, connections, and cuts between places.

The far end of a connection behaves as over TCP. What is under way when packets do not pass comes
later, in its order. A process that is killed ends its connections at once, a host that is cut off
ends nothing. Who hangs up sends nothing more.
"""

import heapq
import itertools
from collections import deque

DELAY_S = 0.0005
RETRANSMIT_S = 0.1
"""How long after a cut is mended what was under way comes, at the most."""


class World:
    """Virtual time, in seconds, and whether packets pass from one place to another."""

    def __init__(self, dice):
        self.dice = dice
        self.now_s = 0.0
        self._numbers = itertools.count(1)
        self._due = []
        self._cuts = set()
        self._barred = set()
        self._delays_s = {}
        self.pipes = []
        self.last_change_s = 0.0
        self.watch = None

    def serial(self):
        return next(self._numbers)

    def at(self, at_s, act):
        heapq.heappush(self._due, (max(at_s, self.now_s), next(self._numbers), act))

    def run(self, length_s):
        """Let time pass."""
        end_s = self.now_s + length_s
        while self._due and self._due[0][0] <= end_s:
            self.now_s, _, act = heapq.heappop(self._due)
            act()
            if self.watch is not None:
                self.watch()
        self.now_s = end_s

    # -- the network -----------------------------------------------------------------------------

    def changed(self):
        """Note that something failed, or was mended."""
        self.last_change_s = self.now_s

    def reaches(self, one, other):
        """Return whether packets pass both ways; without both there is no connection."""
        return (one, other) not in self._cuts and (other, one) not in self._cuts

    def may_open(self, one, other):
        """Return whether a firewall lets connections begin that way."""
        return (one, other) not in self._barred

    def cut(self, one, other):
        """Let no packet pass from one to the other."""
        self.changed()
        was_whole = self.reaches(one, other)
        self._cuts.add((one, other))
        if not was_whole:
            return
        for pipe in self.pipes:
            if {pipe.near.place, pipe.far.place} == {one, other}:
                pipe.watch_silence()

    def heal(self, one, other):
        self.changed()
        self._cuts.discard((one, other))

    def heal_all(self):
        self.changed()
        self._cuts.clear()
        self._barred.clear()
        self._delays_s.clear()

    def bar(self, one, other):
        """Let no connection begin from one to the other."""
        self.changed()
        if self.may_open(other, one):
            self._barred.add((one, other))

    def slow(self, one, other, delay_s):
        """Let each packet from one to the other take longer from now on."""
        self.changed()
        self._delays_s[one, other] = delay_s

    def delay_s(self, one, other):
        return self._delays_s.get((one, other), DELAY_S)


class Process:
    """A process at a place, with a clock of its own."""

    def __init__(self, world, place):
        self.world, self.place = world, place
        self.is_alive, self.is_frozen = True, False
        self._backlog = deque()
        self._offset_s = world.dice.uniform(0.0, 1000.0)
        self._rate = world.dice.uniform(0.98, 1.02)
        self.ends = []

    def now(self):
        """Return the time of its own clock."""
        return self._offset_s + self.world.now_s * self._rate

    def do(self, act):
        """Carry something out, once it is not frozen any more; never when it is dead."""
        if not self.is_alive:
            return
        if self.is_frozen:
            self._backlog.append(act)
        else:
            act()

    def after(self, delay_s, act):
        self.world.at(self.world.now_s + delay_s, lambda: self.do(act))

    def every(self, interval_s, act):
        def again():
            act()
            self.after(interval_s, again)

        self.after(interval_s * self.world.dice.random(), again)

    def freeze(self):
        if self.is_alive and not self.is_frozen:
            self.world.changed()
            self.is_frozen = True
            for end in self.ends:
                end.pipe.watch_silence()

    def thaw(self):
        if not self.is_frozen:
            return
        self.world.changed()
        self.is_frozen = False
        while self._backlog and not self.is_frozen and self.is_alive:
            self._backlog.popleft()()

    def kill(self):
        self.world.changed()
        self.is_alive = False
        self._backlog.clear()
        for end in list(self.ends):
            end.hang_up(is_clean=True)


class End:
    """One end of a connection.

    Its owner gets `on_message(end, message)`, and `on_down(end, silent=)`: whether nothing came.
    """

    def __init__(self, pipe, owner):
        self.pipe, self.owner = pipe, owner
        self.is_open = True
        self.other = None
        self._coming = deque()
        self._is_timed = False
        owner.ends.append(self)

    @property
    def place(self):
        return self.owner.place

    def send(self, message):
        """Hand a message over; False when the connection has ended here."""
        if self.is_open:
            self.other._expect(message)
        return self.is_open

    def hang_up(self, *, is_clean=False):
        """End the connection here; unless clean, what was not delivered never is."""
        if not self.is_open:
            return
        self._close()
        if not is_clean:
            self.other._coming.clear()
        self.other._expect(None)

    def expire(self):
        """End the connection here because nothing came for too long."""
        if self.is_open:
            self.hang_up()
            self.owner.on_down(self, silent=True)

    def _close(self):
        self.is_open = False
        self._coming.clear()
        self.owner.ends.remove(self)
        if not self.other.is_open:
            self.pipe.world.pipes.remove(self.pipe)

    def _expect(self, message):
        if not self.is_open:
            return
        world = self.pipe.world
        self._coming.append((world.now_s + world.delay_s(self.other.place, self.place), message))
        self._pump_later(self._coming[0][0])

    def _pump_later(self, at_s):
        if not self._is_timed:
            self._is_timed = True
            self.pipe.world.at(at_s, self._pump)

    def _pump(self):
        self._is_timed = False
        world = self.pipe.world
        while self.is_open and self._coming:
            at_s, message = self._coming[0]
            if at_s > world.now_s:
                self._pump_later(at_s)
                return
            if not world.reaches(self.place, self.other.place):
                self._pump_later(world.now_s + world.dice.uniform(0.01, RETRANSMIT_S))
                return
            self._coming.popleft()
            if message is None:
                self._end()
            else:
                # The system of a frozen process takes it: it is read later.
                self.owner.do(lambda message=message: self._deliver(message))

    def _deliver(self, message):
        if self.is_open:
            self.owner.on_message(self, message)

    def _end(self):
        """Let the owner know that the connection has ended."""
        self.owner.do(self._told)

    def _told(self):
        if self.is_open:
            self._close()
            self.owner.on_down(self, silent=False)


class Pipe:
    """A connection from a process that dialled, `near`, to one that listens, `far`."""

    def __init__(self, world, near, far):
        self.world = world
        self.near, self.far = End(self, near), End(self, far)
        self.near.other, self.far.other = self.far, self.near
        self._checks = 0
        world.pipes.append(self)

    def watch_silence(self):
        """End the connection where nothing comes for 3 to 4 s (spec 04)."""
        self._checks += 1
        for end, is_dialler in ((self.near, True), (self.far, False)):
            limit_s = self.world.dice.uniform(3.0, 4.0)
            self._look(end, self.world.now_s, limit_s, self._checks, is_dialler)

    def _look(self, end, since_s, limit_s, check, is_dialler):
        def is_silent():
            whole = self.world.reaches(self.near.place, self.far.place)
            # The system of a frozen process answers for it, but not to who asks the program.
            return not whole or (is_dialler and self.far.owner.is_frozen)

        def look():
            if not end.is_open or check != self._checks or not is_silent():
                return
            if self.world.now_s - since_s >= limit_s:
                end.owner.do(end.expire)
            else:
                self.world.at(self.world.now_s + 0.1, look)

        self.world.at(self.world.now_s + 0.1, look)


class Listeners:
    """Which process listens at which place; None where one was, and its host is up."""

    def __init__(self, world):
        self.world, self.at = world, {}

    def dial(self, process, place, connect_s, handshake_s, on_end):
        """Try to connect; call `on_end` with an `End`, or `refused`, or `silent`."""
        world = self.world
        delay_s = world.delay_s(process.place, place) + world.delay_s(place, process.place)

        def answer():
            far = self.at.get(place)
            if not self._passes(process, place):
                process.after(connect_s - delay_s, lambda: on_end("silent"))
            elif far is None or not far.is_alive:
                process.do(lambda: on_end("refused"))
            elif far.is_frozen:
                self._wait(process, far, handshake_s, on_end)
            else:
                process.do(lambda: self._opened(process, far, on_end))

        world.at(world.now_s + delay_s, answer)

    def _passes(self, process, place):
        return self.world.reaches(process.place, place) and self.world.may_open(
            process.place, place
        )

    def _wait(self, process, far, left_s, on_end):
        """Wait for a frozen process, whose system has accepted the connection."""
        if not far.is_frozen:
            process.do(lambda: self._opened(process, far, on_end))
        elif left_s <= 0.0:
            process.do(lambda: on_end("silent"))
        else:
            step_s = min(left_s, 0.05)
            self.world.at(
                self.world.now_s + step_s,
                lambda: self._wait(process, far, left_s - step_s - 1e-9, on_end),
            )

    def _opened(self, process, far, on_end):
        if not far.is_alive:
            on_end("refused")
            return
        pipe = Pipe(self.world, process, far)
        on_end(pipe.near)
