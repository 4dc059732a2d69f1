"""The requirements of the suite to a transport: start, kill and disturb its Synapse."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Protocol

from ...dendrite import Dendrite
from ...transport import Synapse, Transport

if TYPE_CHECKING:
    from .port_user import PortUser


class SynapseOfUsers(Protocol):
    """A Synapse with users, each with rights in words; see `cosmonapse.rights`."""

    def as_user(self, user: str) -> Synapse:
        """Return where a user connects; also one that is not listed."""

    def use_rights(self, rights: Mapping[str, Sequence[str]]) -> None:
        """Put another list in force, within a second; who is missing in it is listed no longer."""


class Harness(ABC):
    """One running Synapse of the transport under test.

    The suite makes one with no arguments for all tests that do no harm, and one of its own for each
    other test. Five methods are required. Each of the others is optional: a test that needs one is
    skipped for a harness that does not override it, and its report says so. A transport that keeps
    the whole port overrides all of them.

    Args:
        namespaces: The ones served; none named means any.
        mortal: Whether the test calls `kill` and `revive`; then its URL must outlive a restart.
        limits: `max_signal_bytes` (10,000 is used), or `high_water`, the number of messages that
            may wait for one connection (40 is used).
    """

    @abstractmethod
    def __init__(
        self, namespaces: Iterable[str] = (), *, mortal: bool = False, **limits: int
    ) -> None:
        """Start the Synapse; return when it can be connected to. No event loop need run."""

    @abstractmethod
    def synapse(self) -> Synapse:
        """Return where to connect: a new object, or the same one each time."""

    @abstractmethod
    async def kill(self) -> None:
        """End the Synapse without a word to anyone.

        Every transport is `on_away` soon after. Where another Synapse takes over at once, the
        transports may be welcome again before `revive`.
        """

    @abstractmethod
    async def revive(self) -> None:
        """Start it again under the same URL; see `forgets`."""

    @abstractmethod
    def stop(self) -> None:
        """End it for good, running or killed. No event loop runs."""

    # -- optional --------------------------------------------------------------------------------

    not_applicable: Mapping[str, str] = MappingProxyType({})
    """The tests that cannot apply, by name, each with the reason; they are skipped with it."""

    forgets: bool = True
    """Whether the Synapse that is there after `kill` knows nobody, so `on_welcomed(fresh=True)`."""

    async def fence(self, user: PortUser) -> None:
        """Return when the Synapse has handled what a user sent, and what it sent him has arrived.

        Both are about directed messages. What was handled has also gone to whom it was for: the
        `fence` of that user is then behind it. By default the bounce of a task proves it, which is
        right where the Synapse reads the messages of one user in their order, and answers in it.
        A transport with other ways has another proof.
        """
        await user.bounce()

    def dendrite(self, **settings: Any) -> Dendrite:
        """Return a new Dendrite; one of another language offers the methods of ours."""
        return Dendrite(**settings)

    @property
    def counts(self) -> Mapping[str, int]:
        """The counters of the Synapse, which never fall; what is not in it is 0.

        The suite reads three names, whatever the Synapse itself calls them: `copies`
        (publications made of directed messages), `later.reply` (last replies that had to wait for
        room at their caller) and `drop.lost_receiver_busy` (losses that were never reported).
        """
        raise NotImplementedError

    def with_users(
        self, rights: Mapping[str, Sequence[str]]
    ) -> AbstractContextManager[SynapseOfUsers]:
        """Run another Synapse inside the `with` block, with these users and their rights."""
        raise NotImplementedError

    def crash(self, transport: Transport) -> None:
        """End one connection as the death of its process does: at once, without a goodbye."""
        raise NotImplementedError

    def fall_silent(self) -> None:
        """Make the Synapse answer no client from now on; what is connected stays connected."""
        raise NotImplementedError

    def expire_after(self, silence_s: float) -> None:
        """Make the Synapse give no tasks to a worker that was silent for `silence_s` seconds.

        It is in force on return, also for who has been silent that long by then. The sign of life
        that counts is presence; a worker that the suite wants silent says none. A later call
        replaces an earlier one.
        """
        raise NotImplementedError

    def losing_broadcasts(self, transport: Transport) -> AbstractContextManager[object]:
        """Lose everything that a transport publishes inside the `with` block."""
        raise NotImplementedError

    def small_queues(self) -> AbstractContextManager[object]:
        """Limit the queues of transports that open inside the block to a few messages."""
        raise NotImplementedError

    def not_reading(self, transport: Transport) -> AbstractContextManager[object]:
        """Stop a transport from reading directed messages inside the block; later it reads them."""
        raise NotImplementedError


REQUIRED: Final = Harness.__abstractmethods__
FACTS: Final = frozenset({"forgets", "not_applicable"})
OPTIONAL: Final = frozenset(name for name in vars(Harness) if name[0] != "_") - REQUIRED - FACTS


def offers(harness: type[Harness], method: str) -> bool:
    """Return whether a harness overrides an optional method.

    Raises:
        ValueError: No optional method has that name.
    """
    if method not in OPTIONAL:
        raise ValueError(
            f"a harness has no optional {method!r}, only {', '.join(sorted(OPTIONAL))}"
        )
    return getattr(harness, method) is not getattr(Harness, method)


def named_harness(name: str) -> type[Harness]:
    """Return the harness named `module:Class`.

    Raises:
        ValueError: The name is not of that form, or the class is not a complete harness.
        ImportError: The module cannot be imported.
    """
    module, _, attribute = name.partition(":")
    if not module or not attribute:
        raise ValueError(f"a harness is named module:Class, not {name!r}")
    found = getattr(import_module(module), attribute, None)
    if not isinstance(found, type) or not issubclass(found, Harness):
        raise ValueError(f"{name} is not a subclass of cosmonapse.testing.conformance.Harness")  # noqa: TRY004  # as for every fault
    if found.__abstractmethods__:
        raise ValueError(f"{name} lacks {', '.join(sorted(found.__abstractmethods__))}")
    return found
