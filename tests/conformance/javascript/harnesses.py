"""The harnesses of the JavaScript client: its transports alone, and mixed with ours."""

import contextlib
import itertools

from conformance.harnesses import Cosmo

from .channel import Channel
from .transport import JsSynapse, JsTransport


class JsTransports(Cosmo):
    """Every transport is written in JavaScript; the Synapse is the real one."""

    carrier = "zmtp"

    def __init__(self, namespaces=(), *, mortal=False, **limits):
        self.channel = Channel()
        super().__init__(namespaces, mortal=mortal, **limits)

    def synapse(self):
        return JsSynapse(self.channel, self.url, self.carrier)

    def stop(self):
        super().stop()
        self.channel.close()

    async def kill(self):
        super().stop()

    def crash(self, transport):
        if isinstance(transport, JsTransport):
            transport.disturb("crash")
        else:
            super().crash(transport)

    @contextlib.contextmanager
    def losing_broadcasts(self, transport):
        if not isinstance(transport, JsTransport):
            with super().losing_broadcasts(transport):
                yield
            return
        transport.disturb("lose", True)
        yield
        transport.disturb("lose", False)


class JsFirst(JsTransports):
    """Every other transport is written in JavaScript, the first one too."""

    first_is_ours = False

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self._turn = itertools.count(self.first_is_ours)

    def synapse(self):
        return super().synapse() if next(self._turn) % 2 == 0 else Cosmo.synapse(self)


class JsSecond(JsFirst):
    """Every other transport is written in JavaScript, and not the first one."""

    first_is_ours = True
