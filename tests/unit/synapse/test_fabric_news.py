"""What a user is told of a fabric of several Synapses: each change once."""

import logging

import pytest

from cosmonapse.synapse.fabric_news import FabricNews

A, B = "cosmo://10.0.0.1:7070", "cosmo://10.0.0.2:7070"
LIST = "cosmo://10.0.0.1:7070,10.0.0.2:7070"


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.INFO, "cosmonapse.synapse.fabric_news")
    return caplog


def levels(log):
    return [record.levelname for record in log.records]


def test_a_half_is_a_warning_once_and_its_end_is_told(log):
    news = FabricNews("d1", LIST)

    for half in (False, True, True, False, False):
        news.on_welcome(A, half=half, has_others=True)

    assert levels(log) == ["WARNING", "INFO"]
    assert f"dendrite d1: the Synapse at {A} does not hear another one" in log.messages[0]
    assert (news.url, news.half, news.warning) == (A, False, "")


def test_another_half_is_told_anew(log):
    news = FabricNews("d1")

    news.on_welcome(A, half=True, has_others=True)
    news.on_welcome(B, half=True, has_others=True)

    assert levels(log) == ["WARNING", "WARNING"]
    assert B in news.warning


def test_a_list_of_synapses_that_do_not_know_each_other_is_a_warning(log):
    news = FabricNews("d1", LIST)

    news.on_welcome(A, half=False, has_others=False)

    assert levels(log) == ["WARNING"]
    assert LIST in news.warning
    assert "--peer" in news.warning


def test_a_synapse_alone_is_nothing_to_tell(log):
    news = FabricNews("d1")

    news.on_welcome(A, half=False, has_others=False)

    assert log.records == []
    assert news.url == A
