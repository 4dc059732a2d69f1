"""A far end with keys resets the connection of one without, in the middle of the handshake."""

import asyncio
import contextlib
import time

import pytest
import uvloop
import zmq

from zmq_transport import AccessRefused, TcpEndpoint, probe

TIMEOUT_S = 20.0
SOON_S = 2.0  # a handshake has 3 s


@contextlib.contextmanager
def keyed_router():
    """Listen with a key, without a word to anybody."""
    with zmq.Context() as context, context.socket(zmq.ROUTER) as router:
        router.curve_server = True
        router.curve_secretkey = zmq.curve_keypair()[1]
        yield router.bind_to_random_port("tcp://127.0.0.1")


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_a_reset_in_the_handshake_is_seen_at_once_on_every_loop(run):
    with keyed_router() as port:
        begun_s = time.monotonic()
        with pytest.raises(AccessRefused, match="it has keys"):
            run(probe(TcpEndpoint("127.0.0.1", port), TIMEOUT_S, carrier="zmtp"))
        took_s = time.monotonic() - begun_s

    assert took_s < SOON_S
