"""What a Synapse with users lets each of them do. Spec: docs/spec/11-access.md.

The users have names; how they prove them is the business of the harness: it gives them, or each has
a key.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
import pytest_asyncio

from ...errors import AccessRefused
from ...signals import SignalType
from ...transport import PresenceVerb, Recipients, Topic
from .harness import Harness, SynapseOfUsers
from .port_user import CHATTER, NOBODY, PortUser, new_id
from .waiting import until

pytestmark = [pytest.mark.asyncio, pytest.mark.needs("with_users")]

BACK_S = 30.0
STOP = SignalType.STOP.code
RIGHTS = {
    "ada": ["dispatch", "watch", "decide", "broadcast"],
    "ben": ["serve", "watch"],
    "caller": ["dispatch=in*"],
    "honest": ["serve=honest", "serve=invoice"],
    "mute": [],
}
Meet = Callable[..., Awaitable[PortUser]]
"""Makes a user of the port that is open: `await meet(user, *topics)`."""


@pytest.fixture
def office(harness_class: type[Harness]) -> Iterator[SynapseOfUsers]:
    """A Synapse of one test, with users."""
    harness = harness_class()
    with harness.with_users(RIGHTS) as synapse:
        yield synapse
    harness.stop()


@pytest_asyncio.fixture
async def meet(office: SynapseOfUsers, namespace: str) -> AsyncIterator[Meet]:
    """Open users of the port, each as one user of the Synapse."""
    made: list[PortUser] = []

    async def make(user: str, *topics: Topic, **settings: Any) -> PortUser:
        made.append(PortUser(office.as_user(user), namespace, **settings))
        return await made[-1].open(*topics)

    yield make
    for each in made:
        await each.transport.close(0.2)


def bounces(user: PortUser, task: bytes) -> list[str]:
    """Return why a task came back."""
    return [each.reason for each in user.about("on_bounce", task)]


async def refusal_of(user: PortUser, name: str) -> str:
    """Register a name; return why it is refused, or an empty text."""
    already = len(user.of("on_registered"))
    user.say(PresenceVerb.REGISTER, name)
    registered = await user.seen("on_registered", already + 1)
    return str(registered[-1].refusal)


async def heard(user: PortUser, body: bytes) -> list[Any]:
    """Return what a listener heard up to a broadcast with this body."""
    await until(lambda: any(each.body == body for each in user.of("on_heard")), what=str(body))
    return [each.body for each in user.of("on_heard")]


async def test_each_is_told_who_it_is_and_what_it_may_do(meet: Meet) -> None:
    """P47; 11-access, Words on the wire"""
    ada, ben = await meet("ada"), await meet("ben")

    assert (ada.transport.user, ben.transport.user) == ("ada", "ben")
    assert ada.transport.may == tuple(RIGHTS["ada"])


async def test_each_can_tell_which_user_an_instance_belongs_to(meet: Meet) -> None:
    """P48; 11-access, Instance ids 2"""
    ada, ben = await meet("ada"), await meet("ben")

    assert ada.transport.origin_of(ben.instance) == "ben"
    assert ben.transport.origin_of(ada.instance) == "ada"
    assert ada.transport.origin_of(new_id()) is None


async def test_who_is_not_listed_is_refused_at_once(office: SynapseOfUsers, meet: Meet) -> None:
    """P49; 11-access, What is checked 1"""
    with pytest.raises(AccessRefused, match="eve"):
        await meet("eve")


async def test_a_task_without_the_right_comes_back_as_forbidden(meet: Meet) -> None:
    """P50; 11-access, What is checked 2"""
    worker, caller = await meet("ben", answers=True), await meet("caller")
    await worker.serve("payroll", "invoice")

    forbidden, allowed = caller.ask("payroll"), caller.ask("invoice", b"sum")

    await until(lambda: caller.about("on_replies", allowed), what="the reply")
    assert bounces(caller, forbidden) == ["forbidden"]
    assert [each.address for each in worker.of("on_tasks")] == ["invoice"]


async def test_by_capability_only_the_allowed_are_candidates(meet: Meet) -> None:
    """P50; 11-access, What is checked 2"""
    worker, caller = await meet("ben", answers=True), await meet("caller")
    await worker.serve("payroll", "invoice", capabilities=["count"])

    tasks = [caller.ask(capabilities=["count"]) for _ in range(4)]

    await until(lambda: len(caller.of("on_replies")) == len(tasks), what="the replies")
    assert {each.address for each in worker.of("on_tasks")} == {"invoice"}


async def test_who_may_do_nothing_can_send_no_task(meet: Meet) -> None:
    """P50; 11-access, What is checked 2"""
    worker, mute = await meet("ben", answers=True), await meet("mute")
    await worker.serve("echo")

    tasks = [mute.ask("echo"), mute.ask("nobody")]

    await until(lambda: all(bounces(mute, each) for each in tasks), what="the bounces")
    assert [bounces(mute, each) for each in tasks] == [["forbidden"]] * 2


async def test_a_name_outside_of_its_rights_is_refused(meet: Meet) -> None:
    """P51; 11-access, What is checked 3"""
    honest = await meet("honest")

    assert await refusal_of(honest, "honest") == ""
    refusal = await refusal_of(honest, "honest2")
    assert refusal.startswith("access: ")
    assert "honest2" in refusal


async def test_who_may_not_watch_hears_nothing(meet: Meet) -> None:
    """P52; 11-access, What is checked 6"""
    trace = new_id()
    topics = [(CHATTER, None), (None, trace)]
    watcher, deaf = await meet("ben", *topics), await meet("honest", *topics)
    speaker = await meet("ada")

    speaker.publish(b"first", trace)
    speaker.publish(b"last", trace)

    await heard(watcher, b"last")
    await deaf.fence()
    assert deaf.of("on_heard") == []


async def test_who_may_not_broadcast_is_not_heard(meet: Meet) -> None:
    """P52; 11-access, What is checked 7"""
    watcher = await meet("ada", (CHATTER, None))
    worker, speaker = await meet("ben"), await meet("ada")

    worker.publish(b"forged")
    await worker.fence()
    speaker.publish(b"true")

    assert await heard(watcher, b"true") == [b"true"]


@pytest.mark.parametrize(("user", "arrives"), [("ada", True), ("caller", False)])
async def test_a_stop_needs_the_right_to_decide(meet: Meet, user: str, arrives: bool) -> None:
    """P52; 11-access, What is checked 7"""
    worker, sender, after = await meet("ben"), await meet(user), await meet("ada")
    await worker.serve("echo")
    hosts = int(Recipients.HOSTS)

    sender.transport.send_published(hosts, STOP, NOBODY, b"stop")
    await sender.fence()
    after.transport.send_published(hosts, CHATTER, NOBODY, b"after")
    await until(
        lambda: any(each.body == b"after" for each in worker.of("on_published")), what="the last"
    )

    bodies = [each.body for each in worker.of("on_published")]
    assert bodies == ([b"stop", b"after"] if arrives else [b"after"])


async def test_who_is_revoked_is_cut_and_its_tasks_are_lost(
    office: SynapseOfUsers, meet: Meet
) -> None:
    """P53; 11-access, Revocation 1"""
    worker, caller, other = await meet("ben"), await meet("ada"), await meet("honest")
    await worker.serve("echo")
    other.answers = True
    await other.serve("honest")
    task = caller.ask("echo")
    await worker.seen("on_tasks")

    office.use_rights({name: words for name, words in RIGHTS.items() if name != "ben"})

    lost = await until(lambda: caller.about("on_lost", task), what="the loss")
    assert [each.reason for each in lost] == ["worker_lost"]
    await worker.seen("on_away")
    answered = caller.ask("honest")
    await until(lambda: caller.about("on_replies", answered), what="the reply of another")
    assert not caller.of("on_away")


async def test_who_is_allowed_again_comes_back_by_itself(
    office: SynapseOfUsers, meet: Meet
) -> None:
    """P53; 11-access, Revocation 2"""
    worker, caller = await meet("ben", answers=True), await meet("ada")
    await worker.serve("echo")
    office.use_rights({"ada": RIGHTS["ada"]})
    await worker.seen("on_away")

    office.use_rights(RIGHTS)

    await until(lambda: len(worker.of("on_welcomed")) >= 2, BACK_S, "its return")
    await worker.seen("on_registered", 2)
    task = caller.ask("echo")
    await until(lambda: caller.about("on_replies", task), what="the reply")


async def test_who_may_do_less_comes_back_with_what_it_may_do(
    office: SynapseOfUsers, meet: Meet
) -> None:
    """P53; 11-access, Revocation 2"""
    worker, caller = await meet("ben", answers=True), await meet("ada")
    await worker.serve("echo")

    office.use_rights({**RIGHTS, "ada": ["dispatch=in*"]})

    await until(lambda: len(caller.of("on_welcomed")) >= 2, BACK_S, "its return")
    await until(lambda: caller.transport.may == ("dispatch=in*",), what="its rights")
    task = caller.ask("echo")
    await until(lambda: bounces(caller, task), what="the bounce")
    assert bounces(caller, task) == ["forbidden"]


async def test_who_may_do_more_stays(office: SynapseOfUsers, meet: Meet) -> None:
    """P54; 11-access, Revocation 3"""
    worker, caller = await meet("ben", answers=True), await meet("caller")
    await worker.serve("payroll")

    office.use_rights({**RIGHTS, "caller": ["dispatch"]})

    await until(lambda: caller.transport.may == ("dispatch",), what="its rights")
    task = caller.ask("payroll")
    await until(lambda: caller.about("on_replies", task), what="the reply")
    assert not caller.of("on_away")
