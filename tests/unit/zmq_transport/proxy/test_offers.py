"""Who offers what."""

from zmq_transport.proxy.offers import Offers


def test_those_who_offer_something_are_found_in_their_order():
    offers = Offers()
    offers.add("one", {"a", "b"})
    offers.add("two", {"b"})
    offers.add("three", {"b", "c"})

    assert [list(offers.of(each)) for each in "abcd"] == [
        ["one"],
        ["one", "two", "three"],
        ["three"],
        [],
    ]
    assert len(offers) == 3


def test_who_is_removed_offers_nothing_and_the_others_what_they_did():
    offers = Offers()
    for name in ("one", "two", "three"):
        offers.add(name, {"a", name})

    offers.remove("two", {"a", "two"})
    assert list(offers.of("a")) == ["one", "three"]
    offers.remove("one", {"a", "one"})
    assert list(offers.of("a")) == ["three"]
    offers.remove("three", {"a", "three"})

    assert len(offers) == 0
