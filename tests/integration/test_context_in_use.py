"""A context that is selected once: programs of every kind find that fabric, with its key."""

import pytest

from support.keyed_synapse import KeyedSynapse
from support.node import CLIENT, node_or_skip
from support.processes import Children

NOTHING = dict.fromkeys(
    ("COSMO_URL", "COSMO_NAMESPACE", "COSMO_KEY", "COSMO_CARRIER", "COSMO_CONTEXT"), ""
)
WORKER = """
import asyncio
from cosmonapse import Axon, Dendrite, connect_synapse

async def main():
    dendrite = Dendrite(synapse=await connect_synapse())
    dendrite.attach_axon(Axon(neuron_id="worker", neuron_fn=lambda input, context: {"at": "home"}))
    async with dendrite:
        print("ready", dendrite.namespace, dendrite.synapse.user, flush=True)
        await dendrite.serve()

asyncio.run(main())
"""
BLOCKING = """
from cosmonapse import BlockingDendrite

with BlockingDendrite() as dendrite:
    print("found", dendrite.ask(neuron="worker", input={}))
"""
FLASK = """
import flask
from cosmonapse.edge.flask import Cosmo

app = flask.Flask("app")
cosmo = Cosmo(app)

@app.get("/")
def home():
    return cosmo.ask(neuron="worker", input={})

assert app.test_client().get("/").json == {"at": "home"}
"""
NODE = f"""
import {{ Dendrite, connectSynapse }} from '{CLIENT}/src/index.js'

const dendrite = await new Dendrite({{ synapse: await connectSynapse() }}).start()
console.log('found', dendrite.user, await dendrite.ask({{ neuron: 'worker', input: {{}} }}))
await dendrite.stop()
"""


@pytest.fixture(scope="module")
def env(tmp_path_factory):
    """The environment of a user who has selected a context, with a worker in that fabric."""
    folder = tmp_path_factory.mktemp("user")
    folder.chmod(0o700)
    synapse = KeyedSynapse(folder / "keys", {"ada": ["admin"]})
    synapse.keys["ada"].write(folder / "ada.key")
    found = NOTHING | {"XDG_CONFIG_HOME": str(folder / "config")}
    values = ("--url", synapse.server.url, "-n", "team", "--key", str(folder / "ada.key"))
    with Children() as children:
        added = children.cosmo("context", "add", "office", *values, "--select", env=found)
        assert added.wait() == 0
        worker = children.start("-c", WORKER, env=found)
        assert worker.line("ready").text == "team ada"
        yield found
    synapse.close()


@pytest.mark.parametrize(
    "command",
    [
        ("cosmonapse.cli", "dispatch", "worker", "hello"),
        ("cosmonapse.cli", "bench", "latency", "--seconds", "0.3"),
        ("-c", BLOCKING),
        ("-c", FLASK),
    ],
    ids=["cosmo", "bench", "blocking", "flask"],
)
def test_a_program_that_says_nothing_is_in_the_selected_context(command, env, children):
    program = command if command[0] == "-c" else ("-m", *command)

    child = children.start(*program, env=env, merge_stderr=True)

    assert child.wait(40.0) == 0, child.said


def test_a_program_in_node_is_there_too(env, children):
    child = children.start(
        "--input-type=module", "-e", NODE, program=node_or_skip(), env=env, merge_stderr=True
    )

    assert child.line("found").text == "ada { at: 'home' }"
    assert child.wait() == 0
