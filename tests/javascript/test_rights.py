"""What the words of a key allow is the same in both languages: the JavaScript table beside ours."""

import json
import subprocess

import pytest

from cosmonapse import SignalType
from cosmonapse.rights import ROLES, WORDS, Rights
from support.node import CLIENT

PROGRAM = """
import { Rights } from './src/access/rights.js'
import { SignalType } from './src/index.js'
const types = Object.keys(SignalType)
const all = Object.fromEntries(
  JSON.parse(process.argv[1]).map((words) => {
    const rights = new Rights(words)
    const hears = types.filter((each) => rights.mayHear(each))
    const publishes = types.filter((each) => rights.mayPublish(each))
    const names = ['mail', 'x-1', 'x-', 'X-1', 'honest2'].map((name) => [
      rights.mayDispatchTo(name),
      rights.mayServe(name),
    ])
    return [words.join(), { hears, publishes, names, traces: rights.mayHear(null) }]
  }),
)
console.log(JSON.stringify(all))
"""
NAMES = ("mail", "x-1", "x-", "X-1", "honest2")
SETS = [
    *[[each] for each in WORDS],
    *[list(each) for each in ROLES.values()],
    ["dispatch=x-*", "serve=x-?", "serve=honest"],
    [],
]


@pytest.fixture(scope="module")
def in_node(node):
    """What each set of words allows in JavaScript."""
    command = [node, "--input-type=module", "-e", PROGRAM, json.dumps(SETS)]
    done = subprocess.run(command, cwd=CLIENT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("words", SETS, ids=str)
def test_words_allow_the_same_in_both_languages(in_node, words):
    rights = Rights.of(words)

    assert in_node[",".join(words)] == {
        "hears": [each.value for each in SignalType if rights.may_hear(each)],
        "publishes": [each.value for each in SignalType if rights.may_emit(each)],
        "names": [[rights.may_dispatch_to(each), rights.may_serve(each)] for each in NAMES],
        "traces": rights.may_hear(None),
    }
