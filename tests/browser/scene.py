"""A scene of real processes: a Synapse, workers, a Prism, and callers in this process."""

import asyncio
import contextlib
from pathlib import Path

from cosmonapse import Dendrite, connect_synapse
from cosmonapse.errors import CosmonapseError
from support.processes import Children

ACTOR = Path(__file__).with_name("actor.py")
REPLAY = Path(__file__).with_name("replay.py")
NAMESPACE = "api-demo"


class Scene:
    """What stands on the stage.

    Args:
        children: Who ends the processes.
    """

    def __init__(self, children):
        self.children = children
        self.url = ""
        self.page_url = ""
        self.prism = None
        self.synapse = None
        self.workers = {}

    def raise_synapse(self, port=None):
        """Start the Synapse."""
        self.synapse, self.url = self.children.synapse(port=port)

    def raise_prism(self, port=0, *options):
        """Start Prism and wait until it listens."""
        self.prism = self.children.cosmo(
            *("prism", "--url", self.url, "-n", NAMESPACE),
            *("--port", str(port), "--no-browser", *options),
            merge_stderr=True,
        )
        self.page_url = address_of(self.prism)

    def hire(self, dendrite_id, *neurons):
        """Start a worker and wait until its Neurons are registered."""
        child = self.children.start(ACTOR, self.url, NAMESPACE, dendrite_id, *neurons)
        self.workers[dendrite_id] = child
        child.line("ready")
        return child

    @contextlib.asynccontextmanager
    async def caller(self, dendrite_id="web"):
        """Join as a program that asks."""
        synapse = await connect_synapse(self.url)
        async with Dendrite(
            synapse=synapse, namespace=NAMESPACE, dendrite_id=dendrite_id, role="orchestrator"
        ) as dendrite:

            @dendrite.on_clarification
            async def answer(sig):
                await asyncio.sleep(0.1)  # a person would think as well
                await dendrite.respond_to_clarification(sig, answer="French")

            yield dendrite


def address_of(prism):
    """Return the address of a Prism once it listens."""
    told = prism.line("Prism").text
    return "http://" + told.split("http://", 1)[1].split()[0].rstrip("/.,")


async def ask(dendrite, neuron, timeout_s=20.0, **input):
    """Ask and return the reply, an ERROR as well."""
    with contextlib.suppress(CosmonapseError):
        return await dendrite.dispatch_and_wait(neuron=neuron, input=input, timeout_s=timeout_s)


@contextlib.contextmanager
def scene():
    """Set up an empty stage: a Synapse and a Prism."""
    with Children() as children:
        stage = Scene(children)
        stage.raise_synapse()
        stage.raise_prism()
        yield stage


@contextlib.contextmanager
def recorded(path):
    """Show a recording, all of it at once; give the address of the page."""
    with Children() as children:
        prism = children.cosmo(
            "prism", "--replay", path, "--port=0", "--no-browser", merge_stderr=True
        )
        yield address_of(prism)
