"""The one table from words to types, and its errors."""

import pytest

from cosmonapse.errors import InvalidKey
from cosmonapse.payloads import STREAMED
from cosmonapse.rights import DEFAULT_ROLE, ROLES, WORDS, Rights, about
from cosmonapse.signals import SignalType

T = SignalType
ANSWERS = {T.CLARIFICATION_ANSWER, T.PERMISSION_DECISION}
QUESTIONS = {T.CLARIFICATION, T.PERMISSION, T.ESCALATION}
SHARED = {T.PLAN, T.CRITIQUE, T.CONSENSUS, T.CONTEXT_SYNC, T.MEMORY_APPEND}
ALL_BUT_THE_FABRIC = set(T) - {T.TASK, T.REGISTER, T.HEARTBEAT, T.DEREGISTER, T.DISCOVER}
HEARD = {
    "dispatch": ANSWERS | {T.BID, T.REGISTER, T.STOP, T.STOPPED, T.TASK_DECLINED},
    "serve": {T.STOP, T.TASK_OFFER, T.TASK_AWARDED, T.TASK_DECLINED},
    "watch": set(T),
    "decide": ANSWERS | QUESTIONS | {T.STOPPED, T.TASK_DECLINED},
    "broadcast": set(),
    "inspect": set(),
}
PUBLISHED = {
    "dispatch": {T.TASK_OFFER, T.TASK_AWARDED, T.TASK_DECLINED, T.ERROR},
    "serve": QUESTIONS
    | {T.BID, T.STOPPED, T.AGENT_OUTPUT, T.FINAL, T.ERROR}
    | {T.THOUGHT_DELTA, T.TOOL_CALL, T.TOOL_RESULT},
    "watch": set(),
    "decide": ANSWERS | {T.STOP},
    "broadcast": SHARED,
    "inspect": set(),
}


@pytest.mark.parametrize("word", WORDS)
def test_a_word_allows_what_its_row_says_and_nothing_else(word):
    rights = Rights.of([word])

    assert {each for each in T if rights.may_hear(each)} == HEARD[word]
    assert {each for each in T if rights.may_emit(each)} == PUBLISHED[word]
    assert rights.may_hear(None) is (word == "watch")
    assert rights.may_dispatch_to("any") is (word == "dispatch")
    assert rights.may_serve("any") is (word == "serve")
    assert rights.inspects is (word == "inspect")
    assert about(word)


def test_no_words_are_no_rights():
    rights = Rights.of([])

    assert not any(map(rights.may_hear, [None, *T]))
    assert not any(map(rights.may_emit, T))
    assert not rights.may_dispatch_to("x")
    assert not rights.may_serve("x")
    assert str(rights) == "nothing"


def test_a_member_may_publish_whatever_a_program_publishes_and_not_inspect():
    member = Rights.of([DEFAULT_ROLE])

    assert {each for each in T if member.may_emit(each)} == ALL_BUT_THE_FABRIC
    assert all(map(member.may_hear, [None, *T]))
    assert member.may_dispatch_to("x")
    assert member.may_serve("x")
    assert not member.inspects
    assert Rights.of(["admin"]).inspects


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_the_set_of_its_words_and_is_told_by_its_name(role):
    assert Rights.of([role]) == Rights.of(ROLES[role])
    assert Rights.of([role]).words == ROLES[role]
    assert str(Rights.of([role])) == role
    assert about(role) == ", ".join(ROLES[role])


def test_only_who_decides_may_grant_answer_and_stop():
    deciders = {word for word in WORDS if any(map(Rights.of([word]).may_emit, [*ANSWERS, T.STOP]))}

    assert deciders == {"decide"}


def test_a_worker_may_publish_what_a_neuron_streams_once_it_may_broadcast():
    rights = Rights.of(["serve", "broadcast"])

    assert not [each for each in STREAMED if not rights.may_emit(each)]


@pytest.mark.parametrize(
    ("glob", "matching", "others"),
    [
        ("honest", ["honest"], ["honest2", "dishonest", "Honest", ""]),
        ("invoice-*", ["invoice-", "invoice-1", "invoice-1.2"], ["invoice", "x-invoice-1"]),
        ("a?", ["ab"], ["a", "abc"]),
        ("a.b", ["a.b"], ["axb"]),
    ],
)
def test_a_glob_takes_whole_names(glob, matching, others):
    rights = Rights.of([f"serve={glob}", f"dispatch={glob}"])

    assert all(rights.may_serve(each) and rights.may_dispatch_to(each) for each in matching)
    assert not any(rights.may_serve(each) or rights.may_dispatch_to(each) for each in others)


def test_globs_add_up_and_the_word_alone_is_all():
    both = Rights.of(["serve=a", "serve=b-*", "serve=a"])

    assert both.words == ("serve=a", "serve=b-*")
    assert both.may_serve("a")
    assert both.may_serve("b-1")
    assert not both.may_serve("c")
    assert Rights.of(["serve=a", "serve"]).may_serve("c")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("dispath", r"'dispath': there is no such right: did you mean 'dispatch'\?"),
        ("Watch", r"did you mean 'watch'\?"),
        ("workr", r"did you mean 'worker'\?"),
        ("zzz", r"no such right: The words are dispatch, serve, .*the roles are member"),
        ("", "no such right"),
        ("watch=x", "'watch' takes no names"),
        ("worker=x", "no such right"),
        ("serve=", "after serve= comes a neuron id"),
        ("serve=a,b", "write the word again: serve=a, serve=b"),
        ("serve=[a-z]", "comes a neuron id"),
        ("serve=" + "a" * 129, "comes a neuron id"),
        (7, "a right is a word"),
        (None, "a right is a word"),
    ],
)
def test_a_wrong_word_is_named_with_what_was_meant(given, said):
    with pytest.raises(InvalidKey, match=said):
        Rights.of(["watch", given])


@pytest.mark.parametrize("given", ["watch", None, 7])
def test_words_come_as_a_list(given):
    with pytest.raises(InvalidKey, match="as a list of words"):
        Rights.of(given)


def test_words_are_bounded():
    with pytest.raises(InvalidKey, match="at most 64"):
        Rights.of([f"serve=a{number}" for number in range(65)])
    with pytest.raises(InvalidKey, match="4,000 characters"):
        Rights.of([f"serve={number:0100}" for number in range(40)])


def test_a_word_that_a_newer_synapse_tells_is_left_out():
    assert Rights.told(["watch", "teleport", "serve=a"]) == Rights.of(["watch", "serve=a"])
