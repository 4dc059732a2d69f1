"""One turn of the proxy's loop on libzmq, with its sockets replaced: what one message costs."""

from collections import Counter
from unittest import mock

import pytest
import zmq

from zmq_transport.proxy import libzmq_router
from zmq_transport.proxy import proxy as shell
from zmq_transport.proxy.line_table import LibzmqConnection
from zmq_transport.proxy.poller import READ
from zmq_transport.proxy.tables import SEND
from zmq_transport.sockets.carriers import LIBZMQ
from zmq_transport.sockets.sent import Sent


class TurnEnded(Exception):
    """The loop waits for the second time."""


@pytest.fixture
def calls():
    return Counter()


@pytest.fixture
def turn(calls):
    """Run one turn of a proxy that finds these messages at its ROUTER."""

    def run(*messages):
        arriving = list(messages)

        def count(name, answer):
            def counted(*_):
                calls[name] += 1
                return answer()

            return counted

        multipart = libzmq_router.multipart
        with (
            shell.Proxy(carrier=LIBZMQ) as proxy,
            mock.patch.object(multipart, "receive", count("receive", lambda: arriving.pop(0))),
            mock.patch.object(multipart, "send", count("send", lambda: Sent.OK)),
            mock.patch.object(libzmq_router, "readable", count("poll", lambda: bool(arriving[0]))),
            mock.patch.dict(proxy._directed._by_name, {b"c": LibzmqConnection(None, 0.0)}),
            mock.patch.object(proxy, "_tick"),
            mock.patch.object(proxy._exchange, "_flush", count("flush", lambda: None)),
            mock.patch.object(proxy._poller, "touch", count("touch", lambda: None)),
            mock.patch.object(
                proxy._poller, "wait", side_effect=[[(proxy._directed._receive, READ)], TurnEnded]
            ),
            mock.patch.object(proxy.engine, "on_message", return_value=[(SEND, b"c", b"h", b"b")]),
            pytest.raises(TurnEnded),
        ):
            proxy.run()

    return run


def test_one_message_is_received_polled_for_and_sent_once_and_nothing_is_flushed(turn, calls):
    turn([b"c", b"head", zmq.Frame(b"body")], None)

    assert calls == {"receive": 1, "poll": 1, "send": 1, "touch": 1}
