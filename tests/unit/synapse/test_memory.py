"""The users of a Synapse in this process: the same for everybody who sees it."""

import asyncio

import pytest

from cosmonapse import AccessRefused, Dendrite, InvalidKey, MemorySynapse, synapse_from_url
from support.processes import until

RIGHTS = {"ada": ["dispatch"], "ben": ["watch"]}


def may_of(synapse):
    """Return the rights that a Dendrite is told, in an event loop of its own."""

    async def joined():
        async with Dendrite(synapse=synapse) as dendrite:
            return dendrite._transport.may

    return asyncio.run(joined())


def use(synapse, rights):
    async def used():
        synapse.use_rights(rights)

    asyncio.run(used())


@pytest.mark.parametrize("by_user", [True, False])
def test_other_rights_stay_in_force_for_every_user_in_the_next_event_loop(by_user):
    office = MemorySynapse("office", rights=RIGHTS)
    ada, ben = office.as_user("ada"), office.as_user("ben")

    use(ben if by_user else office, {"ada": ["serve"], "ben": ["dispatch"]})

    assert (may_of(ada), may_of(ben)) == (("serve",), ("dispatch",))
    assert may_of(office.as_user("ada")) == ("serve",)


def test_rights_that_are_none_change_nothing():
    office = MemorySynapse("office", rights=RIGHTS)

    with pytest.raises(InvalidKey):
        use(office, {"ada": ["fly"]})

    assert may_of(office.as_user("ada")) == ("dispatch",)


@pytest.mark.asyncio
async def test_a_connection_that_is_cut_is_counted_once():
    office = MemorySynapse("office", rights=RIGHTS)
    async with Dendrite(synapse=office.as_user("ada")), Dendrite(synapse=office.as_user("ben")):
        office.use_rights({"ada": RIGHTS["ada"]})
        await until(lambda: "cut.revoked" in office.counts)

        assert office.counts["cut.revoked"] == 1


def test_who_has_no_users_gets_none_later():
    plain = MemorySynapse("plain")

    with pytest.raises(ValueError, match="memory://plain has no users"):
        use(plain, RIGHTS)

    assert may_of(plain) == ()


@pytest.mark.asyncio
async def test_one_hub_without_users_stays_so():
    hub = MemorySynapse("plain").hub

    with pytest.raises(ValueError, match="no list of users"):
        hub.use_access(MemorySynapse(rights=RIGHTS)._shared.access)
    hub.restart()

    assert hub.engine.tables.access is None


def test_a_synapse_with_users_does_not_take_over_the_url_of_its_name():
    before = synapse_from_url("memory://office")
    office = MemorySynapse("office", rights=RIGHTS)

    assert synapse_from_url("memory://office") is before
    assert may_of(before) == ()
    with pytest.raises(AccessRefused):
        may_of(office)
