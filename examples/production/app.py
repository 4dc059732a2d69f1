"""The Neurons of the worker: `cosmo worker app`."""

import logging

from cosmonapse import neuron

LOG = logging.getLogger("app")


@neuron(capabilities=["text"])
def shout(input, context):
    """Return the prompt in capitals; a plain `def` runs in a thread of its own."""
    LOG.info("asked", extra={"characters": len(input["prompt"])})
    return {"response": input["prompt"].upper()}
