"""Both languages take the same value of each setting, from every combination of its sources."""

import json
import os
import subprocess

import pytest

from cosmonapse.keys import Key
from support import configured
from support.configured import VARIABLES, Told, save
from support.node import CLIENT

PROGRAM = """
import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { Dendrite, Synapse } from '%s/src/index.js'

const NAMES = %s
for (const { setting, argument, variables, folder } of JSON.parse(readFileSync(0, 'utf8'))) {
  for (const each of NAMES) delete process.env[each]
  Object.assign(process.env, variables, { XDG_CONFIG_HOME: folder })
  const given = { [setting]: argument ?? undefined }
  const options = { key: given.key, carrier: given.carrier }
  const synapse = new Synapse(given.url, options)
  const dendrite = new Dendrite({ synapse, namespace: given.namespace })
  const found = {
    url: synapse.url,
    namespace: dendrite.namespace,
    key: / Key\\((.*?),/.exec(inspect(synapse))?.[1] ?? null,
    carrier: synapse.carrier().constructor.name,
  }
  console.log(JSON.stringify(found[setting]))
}
"""
CASES = [case for case in configured.CASES if case[0] != "creds"]  # that client has no NATS
CARRIERS = {"libzmq": "LibzmqCarrier", "zmtp": "ZmtpCarrier", None: "ZmtpCarrier"}


@pytest.fixture(scope="module")
def taken(node, tmp_path_factory):
    """What the JavaScript client takes in each case, and what should count."""
    folder = tmp_path_factory.mktemp("cases")
    folder.chmod(0o700)
    told = [Told(setting, said, folder) for setting, said in CASES]
    cases = []
    for number, ((setting, _), each) in enumerate(zip(CASES, told, strict=True)):
        config = folder / str(number)
        if each.contexts:
            save(*each.contexts, selected="office", file=f"{config}/cosmonapse/contexts.toml")
        argument = each.values.get("argument")
        facts = {"setting": setting, "argument": argument, "variables": each.variables}
        cases.append(facts | {"folder": str(config)})
    names = json.dumps([*VARIABLES.values(), "COSMO_CONTEXT"])
    ended = subprocess.run(
        [node, "--input-type=module", "-e", PROGRAM % (CLIENT, names)],
        input=json.dumps(cases),
        cwd=CLIENT,
        env=os.environ | {"NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return told, [json.loads(line) for line in ended.stdout.splitlines()]


def test_every_setting_counts_in_javascript_as_in_python(taken):
    told, found = taken
    expected = []
    for (setting, _), each in zip(CASES, told, strict=True):
        match setting:
            case "key":
                expected.append(Key.read(each.counts).name if each.counts else None)
            case "carrier":
                expected.append(CARRIERS[each.counts])
            case _:
                expected.append(each.counts)

    assert len(found) == len(CASES)
    assert found == expected
