"""A whole fabric for one test: a Synapse, workers, callers, and faults between them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, Literal, Self

from ..axon import Axon
from ..dendrite import Dendrite
from ..errors import DendriteProtocolError
from ..synapse import MemorySynapse, synapse_from_url
from ..synapse.adapter import ClientSynapse
from .faulty import FaultySynapse, Traffic

_BACK_S = 5.0


class Fabric:
    """Dendrites on one Synapse, each with a connection that can be disturbed.

    `async with Fabric() as fabric:`, or use it on any event loop, then `await fabric.close()`.
    At the end of that loop it is closed anyway.

    Args:
        synapse: Where the Dendrites meet: a Synapse of this package, a URL, or by default a new one
            in this process.
        namespace: Where the Dendrites belong.
        rights: By the name of a user, its rights, as of a Synapse with keys: each Dendrite is then
            one of them. Only in this process.

    Raises:
        InvalidUrl: The URL names no endpoint.
        InvalidName: The name of a user is not valid.
        InvalidKey: A right is not a word for one.
        TypeError: `synapse` is not a Synapse of this package, or there are `rights` beside it.
    """

    def __init__(
        self,
        synapse: object = None,
        *,
        namespace: str = "test",
        rights: Mapping[str, Iterable[str]] | None = None,
    ) -> None:
        if rights is not None and synapse is not None:
            raise TypeError("rights belong to a Synapse in this process: leave synapse away")
        found = synapse_from_url(synapse) if isinstance(synapse, str) else synapse
        self._by_user: Mapping[str, ClientSynapse] = {}
        if found is None:
            found = made = MemorySynapse("fabric", rights=rights)
            self._by_user = {each: made.as_user(each) for each in rights or ()}
        if not isinstance(found, ClientSynapse):
            raise TypeError(
                f"synapse must be a Synapse or a URL, not {synapse!r:.100}; faults can be made "
                "with memory, cosmo and cosmo+ipc"
            )
        self.synapse: ClientSynapse = found
        self.namespace = namespace
        self._faulty: dict[Dendrite, FaultySynapse] = {}
        self._crashed: set[Dendrite] = set()
        self._anchor: AsyncGenerator[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    # -- Dendrites -------------------------------------------------------------------------------

    async def worker(
        self,
        work: Axon | Callable[[Any, Any], Any],
        *more: Axon,
        neuron_id: str = "worker",
        dendrite_id: str = "worker",
        heartbeat_s: float = 2.0,
        user: str | None = None,
        **axon: Any,
    ) -> Dendrite:
        """Start a Dendrite that hosts a Neuron; return it when TASKs can reach it.

        Args:
            work: A function `(input, context)`, or an Axon that is ready.
            more: Other Axons of the same Dendrite.
            neuron_id: The id of a function's Axon.
            dendrite_id: Its name in logs and views.
            heartbeat_s: See `Dendrite`.
            user: Who it is, in a fabric with rights.
            axon: Other arguments of the Axon of a function, such as `capabilities`.

        Raises:
            TypeError: Settings beside an Axon that is ready, or a function of another shape.
            SynapseUnreachable: The Synapse does not answer.
            AccessRefused: The user may not host its Axons.
            ValueError: It is not said who it is, or there is no such user.
        """
        if isinstance(work, Axon):
            if axon or neuron_id != "worker":
                raise TypeError("an Axon has its settings already: give them to Axon(...)")
        else:
            work = Axon(neuron_id=neuron_id, neuron_fn=work, **axon)
        return await self.dendrite(
            work,
            *more,
            dendrite_id=dendrite_id,
            role="worker",
            heartbeat_s=heartbeat_s,
            user=user,
        )

    async def dendrite(
        self,
        *axons: Axon,
        dendrite_id: str = "caller",
        role: Literal["orchestrator", "worker"] = "orchestrator",
        user: str | None = None,
        **settings: Any,
    ) -> Dendrite:
        """Start a Dendrite, to dispatch with or to host Axons; `settings` are those of `Dendrite`.

        Args:
            axons: What it hosts.
            dendrite_id: Its name in logs and views.
            role: See `Dendrite`.
            user: Who it is, in a fabric with rights.
            settings: Other arguments of `Dendrite`.

        Raises:
            SynapseUnreachable: The Synapse does not answer.
            AccessRefused: The user may not host its Axons.
            ValueError: It is not said who it is, or there is no such user.
        """
        beneath = self._seen_by(user)
        await self._hold_on()
        faulty = FaultySynapse(beneath)
        settings = {"namespace": self.namespace, **settings}
        made = Dendrite(synapse=faulty, dendrite_id=dendrite_id, role=role, **settings)
        for axon in axons:
            made.attach_axon(axon)
        await made.start()
        self._faulty[made] = faulty
        return made

    def _seen_by(self, user: str | None) -> ClientSynapse:
        """Return the Synapse as a user sees it, or as it is where there are no users."""
        if user is None and not self._by_user:
            return self.synapse
        seen = self._by_user.get(user or "")
        if seen is None:
            known = ", ".join(sorted(self._by_user)) or "it has none: Fabric(rights={...})"
            raise ValueError(f"user must be one of this fabric ({known}), not {user!r:.100}")
        return seen

    # -- faults ----------------------------------------------------------------------------------

    async def restart_synapse(self) -> None:
        """Restart the Synapse without its state; return when every Dendrite is connected again.

        TASKs that are under way go on: nothing is lost, and nothing runs twice.

        Raises:
            DendriteProtocolError: It is not in this process: restart the real one.
            SynapseUnreachable: A Dendrite is not connected within 5 s.
        """
        if not isinstance(self.synapse, MemorySynapse):
            raise DendriteProtocolError(
                f"{self.synapse.url} is not in this process: stop and start it where it runs"
            )
        self.synapse.hub.restart()
        for faulty in self._faulty.values():
            if not faulty.line.is_cut:
                await faulty.taken_in(_BACK_S)

    def cut_off(self, dendrite: Dendrite) -> None:
        """End the connection of a Dendrite; its messages wait until `reconnect`.

        After 0.3 s its TASKs count as lost: their callers get ERROR `WORKER_LOST`.

        Raises:
            ValueError: The Dendrite is not of this fabric, or crashed.
        """
        self._of(dendrite).line.cut()

    async def reconnect(self, dendrite: Dendrite) -> None:
        """Restore the connection of a Dendrite; return when TASKs can reach it.

        Raises:
            ValueError: The Dendrite is not of this fabric, or crashed.
            SynapseUnreachable: It is not connected within 5 s.
        """
        faulty = self._of(dendrite)
        await faulty.line.mend()
        await faulty.taken_in(_BACK_S)

    async def crash(self, dendrite: Dendrite) -> None:
        """End a Dendrite as the death of its process does: no goodbye, no replies.

        Callers of its open TASKs get ERROR `WORKER_LOST`, after about 0.4 s. So do those that send
        one before the Synapse has seen the end of the connection.

        Raises:
            ValueError: The Dendrite is not of this fabric, or crashed.
        """
        self._of(dendrite).line.lose()
        self._crashed.add(dendrite)
        await dendrite.stop(drain_s=0.0)

    def lose(self, dendrite: Dendrite, traffic: Traffic, count: int | None = None) -> None:
        """Lose the next `count` tasks, replies or broadcasts that a Dendrite sends, or all.

        A caller whose task or last reply is lost gets `TimeoutError`.

        Raises:
            ValueError: The Dendrite is not of this fabric, or crashed; no such traffic; `count`
                is below 1.
        """
        if count is not None and count < 1:
            raise ValueError(f"count must be 1 or more, or None for all, not {count!r}")
        self._of(dendrite, traffic).injectors[traffic].lose(count)

    def delay(self, dendrite: Dendrite, traffic: Traffic, delay_s: float) -> None:
        """Delay the tasks, replies or broadcasts that a Dendrite sends; their order stays.

        Raises:
            ValueError: The Dendrite is not of this fabric, or crashed; no such traffic; `delay_s`
                is not over 0.
        """
        if delay_s <= 0:
            raise ValueError(f"delay_s must be over 0, not {delay_s!r}")
        self._of(dendrite, traffic).injectors[traffic].delay(delay_s)

    def refuse_tasks(self, dendrite: Dendrite) -> None:
        """Refuse all tasks of a caller as with full queues: it gets ERROR `OVERLOADED` at once.

        Raises:
            ValueError: The Dendrite is not of this fabric, or crashed.
        """
        self._of(dendrite).tasks_refused = True

    def heal(self, dendrite: Dendrite) -> None:
        """End every loss, delay and refusal of a Dendrite; delayed messages are sent now.

        Raises:
            ValueError: The Dendrite is not of this fabric, or crashed.
        """
        self._of(dendrite).heal()

    def _of(self, dendrite: Dendrite, traffic: str = "tasks") -> FaultySynapse:
        if dendrite not in self._faulty:
            raise ValueError(f"{dendrite!r} was not made by this Fabric")
        if dendrite in self._crashed:
            raise ValueError(f"{dendrite!r} crashed: start another with worker() or dendrite()")
        faulty = self._faulty[dendrite]
        if traffic not in faulty.injectors:
            raise ValueError(f"traffic is one of {', '.join(faulty.injectors)}, not {traffic!r}")
        return faulty

    # -- life ------------------------------------------------------------------------------------

    async def _hold_on(self) -> None:
        """Hang everything on the running loop, which ends its async generators when it ends."""
        if self._anchor is None:
            self._loop = asyncio.get_running_loop()
            self._anchor = self._until_the_end()
            await anext(self._anchor)

    async def _until_the_end(self) -> AsyncGenerator[None]:
        try:
            yield
        finally:
            await self._stop_everyone()

    async def _stop_everyone(self) -> None:
        faulty, self._faulty = self._faulty, {}
        errors = []
        for dendrite in reversed(faulty):
            try:
                await dendrite.stop(drain_s=0.0)
            except Exception as error:  # noqa: BLE001  # the others are stopped all the same
                errors.append(error)
        if errors:
            raise ExceptionGroup("Dendrites that did not stop", errors)

    async def close(self) -> None:
        """Stop every Dendrite, on the loop that they were made on. Idempotent.

        Raises:
            ExceptionGroup: Dendrites failed to stop, with their errors.
        """
        anchor, self._anchor = self._anchor, None
        if anchor is not None:
            await anchor.aclose()

    def close_from_outside(self) -> None:
        """Close where no loop runs, if the one that it was used on is still there.

        Raises:
            ExceptionGroup: Dendrites failed to stop, with their errors.
        """
        loop = self._loop
        if loop is not None and not loop.is_closed() and not loop.is_running():
            loop.run_until_complete(self.close())

    async def __aenter__(self) -> Self:
        """Return itself; it starts with its first Dendrite."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Close."""
        await self.close()
