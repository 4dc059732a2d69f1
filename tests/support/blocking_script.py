"""A program without asyncio for tests: `python blocking_script.py SCENE URL NAMESPACE`.

It uses the neuron "worker" of the namespace and prints the events.
"""

import contextlib
import logging
import os
import resource
import sys
import time

from cosmonapse import Axon, BlockingDendrite, DendriteProtocolError


def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def fork(dendrite, url, namespace):
    """Use it in a child, which must not work, and one of its own there, which must."""
    child = os.fork()
    if child == 0:
        try:
            dendrite.ask(neuron="worker", input={"n": 1})
        except DendriteProtocolError as error:
            say("refused:", error)
        with BlockingDendrite(url, namespace=namespace) as own:
            say("own:", own.ask(neuron="worker", input={"n": 2})["echo"])
        dendrite.stop()
        sys.exit(0)
    _, status = os.waitpid(child, 0)
    say("child:", os.waitstatus_to_exitcode(status))
    say("parent:", dendrite.ask(neuron="worker", input={"n": 3})["echo"])
    dendrite.stop()


def interrupt(dendrite, url, namespace):
    """Wait for an event that never comes, until Ctrl-C."""
    try:
        dendrite.dispatch_and_wait(neuron="worker", input={"n": 1}, timeout_s=60.0)
    except KeyboardInterrupt:
        say("interrupted")
    dendrite.stop()


def forget(dendrite, url, namespace):
    """End without stop, with a stream open and an Axon hosted, when told to."""
    dendrite.add_axon(Axon(neuron_id="hosted", neuron_fn=lambda input, context: {}))
    dendrite.left_open = dendrite.stream(neuron="worker", input={"n": 1})
    sys.stdin.readline()
    say("leaving")


def serve(dendrite, url, namespace):
    """Host an Axon until a signal; its Synapse may come later."""
    dendrite.attach_axon(Axon(neuron_id="hosted", neuron_fn=lambda input, context: {"n": input}))
    logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(message)s")
    say("serving")
    dendrite.serve()
    say("served")


def fork_early(dendrite, url, namespace):
    """Make it, fork, and start it in the child."""
    child = os.fork()
    if child == 0:
        try:
            dendrite.start()
        except DendriteProtocolError as error:
            say("refused:", error)
        sys.exit(0)
    os.waitpid(child, 0)


def refused(name, start):
    """Say what a start raises, and how long it took."""
    began_at_s = time.perf_counter()
    try:
        start()
    except Exception as error:  # noqa: BLE001  # the test looks at it
        say(f"{name}:", f"{time.perf_counter() - began_at_s:.3f}", type(error).__name__, error)


def no_descriptor(dendrite, url, namespace):
    """Start without a descriptor left, and again with some."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    opened = []
    with contextlib.suppress(OSError):
        while True:
            opened.append(os.open(os.devnull, os.O_RDONLY))
    refused("no descriptor", dendrite.start)
    for each in opened:
        os.close(each)
    dendrite.start()
    say("then:", dendrite.ask(neuron="worker", input={"n": 1})["echo"])
    dendrite.stop()


def gevent_twice(dendrite, url, namespace):
    """Start a second one where threads are greenlets."""
    from gevent import monkey

    monkey.patch_all()
    dendrite.start()
    refused("second", BlockingDendrite(url, namespace=namespace).start)
    say("first:", dendrite.ask(neuron="worker", input={"n": 1})["echo"])
    dendrite.stop()


def main(scene, url, namespace):
    dendrite = BlockingDendrite(url, namespace=namespace, dendrite_id="script")
    started = {each.__name__: each for each in (fork, interrupt, forget)}
    new = {each.__name__: each for each in (serve, fork_early, no_descriptor, gevent_twice)}
    if scene in started:
        dendrite.start()
        say("ready")
    {**started, **new}[scene](dendrite, url, namespace)


if __name__ == "__main__":
    main(*sys.argv[1:])
