"""What a key may do, as its Dendrite learns it: refused in words, before anything is sent."""

from unittest import mock

import pytest

from cosmonapse import SignalType
from cosmonapse.dendrite.own_rights import OwnRights
from cosmonapse.errors import AccessRefused

URL = "cosmo://there:7070"


def rights(*may, user="ben"):
    made = OwnRights(mock.Mock(user=user, may=may), URL)
    made.on_welcomed()
    return made


def refusal(check, *given):
    with pytest.raises(AccessRefused) as refused:
        check(*given)
    assert refused.value.url == URL
    return refused.value


def test_without_keys_nothing_is_limited():
    free = rights(user="")

    free.check_dispatch("a")
    free.check_dispatch(None)
    free.check_serve(["a"])
    free.check_hear(SignalType, "trc_")
    for each in SignalType:
        free.check_emit(each)
    assert not free.limits_dispatch


def test_nothing_is_limited_before_a_welcome():
    new = OwnRights(mock.Mock(user="ben", may=()), URL)

    new.check_dispatch("a")
    new.check_serve(["a"])
    assert new.may_hear(None)


def test_a_key_without_rights_may_do_nothing():
    none = rights()

    refusal(none.check_dispatch, "a")
    refusal(none.check_dispatch, None)
    refusal(none.check_serve, ["a"])
    refusal(none.check_hear, {SignalType.PLAN}, None)
    refusal(none.check_hear, (), "trc_")
    refusal(none.check_emit, SignalType.PLAN)
    none.check_serve([])


def test_a_glob_is_for_whole_names():
    some = rights("dispatch=honest", "serve=invoice-*")

    some.check_dispatch("honest")
    some.check_serve(["invoice-1", "invoice-2"])
    some.check_dispatch(None)  # by capabilities: the Synapse picks one of those that it may address
    refusal(some.check_dispatch, "honest2")
    refusal(some.check_dispatch, "Honest")
    error = refusal(some.check_serve, ["invoice-1", "invoices"])
    assert error.fix.endswith("--may +serve=invoices")


def test_a_right_to_send_everywhere_costs_no_test():
    assert not rights("dispatch").limits_dispatch
    assert not rights("dispatch", "dispatch=a").limits_dispatch
    assert rights("dispatch=a").limits_dispatch
    assert rights("watch").limits_dispatch


def test_a_refusal_names_the_key_what_it_wanted_and_the_command_that_helps():
    error = refusal(rights("watch", "serve=a").check_serve, ["a", "b"])

    assert error.reason == "the key 'ben' may not host an Axon of neuron 'b'"
    assert "cosmo keys allow ben --may +serve=b" in error.fix
    assert "'ben'" in str(error)
    assert URL in str(error)


@pytest.mark.parametrize(
    ("type", "word"),
    [
        (SignalType.STOP, "decide"),
        (SignalType.PERMISSION_DECISION, "decide"),
        (SignalType.TASK_OFFER, "dispatch"),
        (SignalType.BID, "serve"),
        (SignalType.PLAN, "broadcast"),
    ],
)
def test_the_command_gives_the_right_that_is_missing(type, word):
    assert refusal(rights("watch").check_emit, type).fix.endswith(f"--may +{word}")


def test_a_handler_is_named_in_the_refusal_of_what_it_listens_to():
    error = refusal(rights("dispatch").check_hear, {SignalType.PLAN}, None, "on_plan")

    assert "listen to PLAN, as on_plan does" in error.reason
    assert "--may +watch" in error.fix


@pytest.mark.parametrize(
    ("type", "word"),
    [
        (SignalType.CLARIFICATION, "decide"),
        (SignalType.ESCALATION, "decide"),
        (SignalType.BID, "dispatch"),
        (SignalType.TASK_OFFER, "serve"),
        (SignalType.STOP, "serve"),
        (SignalType.PLAN, "watch"),
    ],
)
def test_a_listener_is_told_to_get_the_narrowest_right_that_hears_it(type, word):
    error = refusal(rights("inspect").check_hear, {type}, None)

    assert error.fix.endswith(f"--may +{word}")


def test_the_command_takes_no_right_away():
    error = refusal(rights("watch", "teleport=x").check_dispatch, "a")

    assert error.fix.endswith("cosmo keys allow ben --may +dispatch=a")


def test_a_word_of_a_newer_synapse_is_no_fault():
    rights("dispatch", "teleport=x").check_dispatch("a")


def test_who_comes_over_a_unix_socket_is_named_as_in_the_folder_of_the_keys():
    error = refusal(rights("watch", user="uid:1000").check_dispatch, "a")

    assert "the key 'uid:1000'" in error.reason
    assert "cosmo keys allow uid-1000 --may +dispatch=a" in error.fix
