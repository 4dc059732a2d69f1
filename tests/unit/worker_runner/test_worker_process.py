"""What a process is given may come from a runner of another version: one that began before."""

import json

import attrs

from cosmonapse.worker_runner.worker_process import ProcessSettings

SETTINGS = ProcessSettings(
    targets=["app"],
    url="cosmo://127.0.0.1:7070",
    key=None,
    namespace="default",
    concurrency=None,
    grace_s=10.0,
    folders=["/opt/app"],
)


def test_what_a_process_is_given_arrives():
    given = attrs.evolve(SETTINGS, reloads=True, descriptor=5)

    assert ProcessSettings.of(given.as_argument()) == given


def test_what_has_its_default_is_left_out_for_an_older_process():
    defaults = {
        each.name for each in attrs.fields(ProcessSettings) if each.default is not attrs.NOTHING
    }

    assert defaults > {"reloads", "descriptor"}
    assert not json.loads(SETTINGS.as_argument()).keys() & defaults


def test_what_a_newer_runner_says_besides_is_left_out():
    newer = json.dumps({**json.loads(SETTINGS.as_argument()), "unheard_of": [1]})

    assert ProcessSettings.of(newer) == SETTINGS
