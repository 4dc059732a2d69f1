"""The harnesses of the JavaScript client: its transports and Dendrites, alone and beside ours."""

import contextlib
import itertools

from conformance.harnesses import Cosmo, Keyed
from cosmonapse import Dendrite
from cosmonapse.testing.conformance import Harness
from support.keyed_office import keyed_office

from . import not_applicable
from .channel import Channel
from .dendrite import JsDendrite
from .transport import JsSynapse


def synapse_of(transport):
    """Return the `JsSynapse` of a connection or a Dendrite; None for one of ours."""
    found = getattr(transport, "synapse", None)
    return found if isinstance(found, JsSynapse) else None


class JsOffice:
    """A Synapse of users whose transports are written in JavaScript.

    Args:
        office: The Synapse.
        channel: The line to the subject that hosts them.
        is_in_turn: True if every other one is ours.
    """

    def __init__(self, office, channel, *, is_in_turn=False):
        self._office, self._channel = office, channel
        self._is_ours = itertools.cycle([False, is_in_turn])
        self.use_rights = office.use_rights

    def as_user(self, user):
        if next(self._is_ours):
            return self._office.as_user(user)
        return JsSynapse(
            self._channel, self._office.server.url, "libzmq", self._office.key_of(user)
        )


class JsTransports(Cosmo):
    """Every transport is written in JavaScript; Synapse and Dendrites are ours.

    Where a Synapse may be killed, or has little room, each transport has a process of its own.
    """

    carrier = "zmtp"
    not_applicable = not_applicable.EVERYWHERE

    def __init__(self, namespaces=(), *, mortal=False, **limits):
        self._alone = mortal or bool(limits)
        self._channels = []
        super().__init__(namespaces, mortal=mortal, **limits)

    def _channel(self):
        if self._alone or not self._channels:
            self._channels.append(Channel())
        return self._channels[-1]

    def synapse(self):
        return JsSynapse(self._channel(), self.url, self.carrier, self.next_key())

    @contextlib.contextmanager
    def with_users(self, rights):
        with keyed_office(rights) as office:
            yield JsOffice(office, self._channel())

    def stop(self):
        super().stop()
        for each in self._channels:
            each.close()

    async def kill(self):
        super().stop()

    def crash(self, transport):
        synapse = synapse_of(transport)
        if synapse is None:
            super().crash(transport)
        elif self._alone:
            synapse.channel.kill()
        else:
            synapse.disturb("crash")

    @contextlib.contextmanager
    def losing_broadcasts(self, transport):
        synapse = synapse_of(transport)
        if synapse is None:
            with super().losing_broadcasts(transport):
                yield
            return
        synapse.disturb("lose", True)
        yield
        synapse.disturb("lose", False)

    @contextlib.contextmanager
    def not_reading(self, transport):
        synapse = synapse_of(transport)
        if synapse is None:
            with super().not_reading(transport):
                yield
            return
        at = self.url.rpartition(":")[2]
        before = self._proxy
        synapse.disturb("hold", at)
        yield
        synapse.disturb("read", at, self._proxy is not before)


class JsDendrites(JsTransports):
    """Every transport and every Dendrite is written in JavaScript."""

    with_users = Harness.with_users  # they use no Dendrite: `JsTransports` has it

    def dendrite(self, **settings):
        synapse = settings["synapse"]
        if isinstance(getattr(synapse, "inner", synapse), JsSynapse):
            return JsDendrite(**settings)
        return Dendrite(**settings)


class JsFirst(JsDendrites):
    """Every other transport and Dendrite is written in JavaScript, the first one too."""

    ours_first = False

    @contextlib.contextmanager
    def with_users(self, rights):
        with keyed_office(rights) as office:
            yield JsOffice(office, self._channel(), is_in_turn=True)

    def __init__(self, *arguments, **options):
        self._turn = itertools.count(self.ours_first)
        super().__init__(*arguments, **options)

    def synapse(self):
        return super().synapse() if next(self._turn) % 2 == 0 else Cosmo.synapse(self)


class JsSecond(JsFirst):
    """Every other transport and Dendrite is written in JavaScript, and not the first one."""

    not_applicable = not_applicable.OURS_LISTENS
    ours_first = True


class JsTransportsOverLibzmq(JsTransports):
    """The same over libzmq, in the package `zeromq`."""

    carrier = "libzmq"
    with_users = Harness.with_users  # with keys it is libzmq in any case


class JsDendritesOverLibzmq(JsDendrites):
    """The same over libzmq, in the package `zeromq`."""

    carrier = "libzmq"
    with_users = Harness.with_users  # with keys it is libzmq in any case


class JsFirstOverLibzmq(JsFirst):
    """The same over libzmq, in the package `zeromq`."""

    carrier = "libzmq"
    with_users = Harness.with_users  # with keys it is libzmq in any case


class KeyedJsDendrites(Keyed, JsDendrites):
    """With keys: CURVE, by libzmq in the package `zeromq`."""


class KeyedJsFirst(Keyed, JsFirst):
    """With keys, and every other transport and Dendrite is written in JavaScript."""
