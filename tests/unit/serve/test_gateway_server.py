"""The HTTP server of a gateway: how it is set up, without a socket."""

from collections import Counter

from cosmonapse.serve.admission import Admission
from cosmonapse.serve.gate import Gate
from cosmonapse.serve.gateway_server import _http_server

USUAL_KEEP_S = 60
"""How long proxies and clients keep an idle connection, at most as a rule."""


def test_a_connection_may_be_idle_for_longer_than_those_keep_it_who_use_it():
    gate = Gate(None, Admission(), 10, counts=Counter())

    server = _http_server(gate, True, lambda: None)

    assert server.config.timeout_keep_alive > USUAL_KEEP_S
