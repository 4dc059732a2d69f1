"""The harness of a transport: how it is named, and which optional methods it offers."""

import pytest

from cosmonapse.testing.conformance.harness import OPTIONAL, Harness, named_harness, offers


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
