"""The harness of a transport: how it is named, and which optional methods it offers."""

import pytest

from cosmonapse import MemorySynapse
from cosmonapse.testing.conformance.harness import OPTIONAL, Harness, named_harness, offers
from cosmonapse.testing.conformance.port_user import PortUser


class Small(Harness):
    """A harness with the required methods and one more."""

    def __init__(self, namespaces=(), *, mortal=False, **limits):
        pass

    def synapse(self):
        raise NotImplementedError

    async def kill(self):
        pass

    async def revive(self):
        pass

    def stop(self):
        pass

    def fall_silent(self):
        pass


def test_a_harness_offers_the_optional_methods_that_it_overrides():
    assert [name for name in OPTIONAL if offers(Small, name)] == ["fall_silent"]


def test_a_method_that_no_harness_can_have_is_refused():
    with pytest.raises(ValueError, match=r"optional 'fly'.*crash, dendrite, expire_after"):
        offers(Small, "fly")


def test_a_harness_is_found_by_module_and_class():
    assert named_harness("conformance.harnesses:Memory").__name__ == "Memory"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("conformance.harnesses", "module:Class"),
        (":Memory", "module:Class"),
        ("conformance.harnesses:Nobody", "not a subclass"),
        ("conformance.harnesses:HOST", "not a subclass"),
        ("cosmonapse.testing.conformance:Harness", "lacks __init__, kill, revive, stop, synapse"),
    ],
)
def test_a_name_that_is_not_that_of_a_whole_harness_is_refused(name, says):
    with pytest.raises(ValueError, match=says):
        named_harness(name)


@pytest.mark.asyncio
async def test_a_harness_may_have_a_proof_of_its_own_that_everything_was_read():
    fenced = []

    async def fence(user):
        fenced.append(user)

    user = PortUser(MemorySynapse("fence"), "test", fence=fence)
    await user.fence()

    assert fenced == [user]


@pytest.mark.asyncio
async def test_by_default_the_bounce_of_a_task_is_the_proof():
    user = await PortUser(MemorySynapse("fence"), "test").open()
    await Small().fence(user)
    await user.transport.close(1.0)

    assert [each.reason for each in user.of("on_bounce")] == ["expired"]
