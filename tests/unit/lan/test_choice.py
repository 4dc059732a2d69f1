"""One Synapse is chosen, or the user is told what was found."""

import attrs
import pytest

from cosmonapse.errors import SeveralSynapses, SynapseUnreachable
from cosmonapse.lan.choice import MAX_RECORDS, Found, chosen, distinct, url_of
from cosmonapse.lan.lan_record import Record

URL = "cosmo://auto"
PRINT, OTHER_PRINT = "3f2a-91bc-07de-5a10", "0000-1111-2222-3333"


def record(number, *addresses, **facts):
    return Record(
        f"host{number}-7070-{number:04x}",
        addresses or (f"10.0.0.{number}",),
        7070,
        start_id=f"{number:016x}",
        **facts,
    )


def found(number, *, answers=True, **facts):
    (each,) = distinct([record(number, **facts)], own=())
    return attrs.evolve(each, answering=each.places if answers else ())


def test_the_one_that_answers_is_chosen_and_a_stale_one_is_passed_over():
    assert chosen(URL, None, [found(1, answers=False), found(2)]) == (("10.0.0.2", 7070),)


def test_two_that_answer_are_an_error_that_lists_both():
    with pytest.raises(SeveralSynapses) as caught:
        chosen(URL, None, [found(1), found(2)])

    assert caught.value.found == [
        "cosmo://10.0.0.1:7070 (host1-7070-0001)",
        "cosmo://10.0.0.2:7070 (host2-7070-0002)",
    ]
    assert "and 2 answer" in str(caught.value)
    assert "cosmo://10.0.0.1:7070,10.0.0.2:7070" in str(caught.value)


def test_an_error_lists_eight_at_most_and_counts_the_rest():
    with pytest.raises(SeveralSynapses) as caught:
        chosen(URL, None, [found(each) for each in range(1, 31)])

    assert len(caught.value.found) == 8
    assert "and 30 answer" in str(caught.value)
    assert "and 22 more" in str(caught.value)


def test_two_that_name_each_other_are_one_fabric_and_so_a_list():
    one = found(1, peers=frozenset({f"{2:016x}"}))
    two = found(2, peers=frozenset({f"{1:016x}"}))

    assert chosen(URL, None, [one, two]) == (("10.0.0.1", 7070), ("10.0.0.2", 7070))


def test_a_name_that_only_one_of_them_says_makes_no_fabric():
    with pytest.raises(SeveralSynapses):
        chosen(URL, None, [found(1, peers=frozenset({f"{2:016x}"})), found(2)])


def test_a_third_one_may_be_named_by_one_of_the_others_alone():
    def named(*numbers):
        return frozenset(f"{each:016x}" for each in numbers)

    three = [found(1, peers=named(2)), found(2, peers=named(1, 3)), found(3, peers=named(2))]

    assert len(chosen(URL, None, three)) == 3
    with pytest.raises(SeveralSynapses):
        chosen(URL, None, [*three, found(4)])


def test_the_one_that_serves_the_namespace_is_chosen():
    both = [found(1, namespaces=frozenset({"a"})), found(2, namespaces=frozenset({"b"}))]

    assert chosen(URL, "b", both) == (("10.0.0.2", 7070),)
    with pytest.raises(SynapseUnreachable, match=r"serves the namespace c: .*10\.0\.0\.1:7070 se"):
        chosen(URL, "c", both)


@pytest.mark.parametrize("facts", [{}, {"namespaces": frozenset({"a"}), "has_more": True}])
def test_one_that_may_serve_the_namespace_counts(facts):
    assert chosen(URL, "b", [found(1, **facts)])


def test_of_several_the_one_in_the_key_is_chosen():
    both = [found(1, fingerprint=OTHER_PRINT), found(2, fingerprint=PRINT)]

    assert chosen(URL, None, both, [PRINT]) == (("10.0.0.2", 7070),)
    with pytest.raises(SeveralSynapses):
        chosen(URL, None, both, ["4444-4444-4444-4444"])
    with pytest.raises(SeveralSynapses):
        chosen(URL, None, [*both, found(3, fingerprint=PRINT)], [PRINT])


def test_a_single_one_is_asked_even_if_the_key_names_another():
    assert chosen(URL, None, [found(1, fingerprint=OTHER_PRINT)], [PRINT])


@pytest.mark.parametrize(
    ("seen", "text"),
    [
        ([], "no Synapse is announced on this network; run 'cosmo synapse start --lan'"),
        ([found(1, answers=False)], r"host1-7070-0001 at cosmo://10\.0\.0\.1:7070"),
    ],
)
def test_where_nothing_answers_the_text_says_what_was_seen(seen, text):
    with pytest.raises(SynapseUnreachable, match=text):
        chosen(URL, None, seen)


def test_one_that_is_announced_on_two_networks_is_one():
    twice = [record(1, "10.0.0.1"), record(1, "10.9.0.1", "10.0.0.1")]

    (only,) = distinct(twice, own=())

    assert only.places == (("10.0.0.1", 7070), ("10.9.0.1", 7070))


def test_without_an_id_the_name_tells_them_apart():
    two = [attrs.evolve(record(each), start_id="") for each in (1, 2)]

    assert len(distinct([*two, two[0]], own=())) == 2


def test_an_address_of_this_machine_is_left_out_unless_the_synapse_is_here():
    bridge = "172.17.0.1"

    (other,) = distinct([record(1, "10.0.0.1", bridge)], own=["10.0.0.2", bridge])
    (here,) = distinct([record(1, "10.0.0.1", bridge)], own=["10.0.0.1", bridge])

    assert other.places == (("10.0.0.1", 7070),)
    assert len(here.places) == 2


def test_ipv4_is_tried_in_front():
    (only,) = distinct([record(1, "fd00::1", "10.0.0.1")], own=())

    assert only.url == "cosmo://10.0.0.1:7070"
    assert url_of(*reversed(only.places)) == "cosmo://[fd00::1]:7070,10.0.0.1:7070"


def test_the_address_that_answers_is_the_one_that_is_shown():
    (only,) = distinct([record(1, "10.0.0.1", "10.9.0.1")], own=())

    assert Found(only.record, only.places, only.places[1:]).url == "cosmo://10.9.0.1:7070"


def test_records_are_bounded():
    assert len(distinct([record(each) for each in range(1, 200)], own=())) == MAX_RECORDS
