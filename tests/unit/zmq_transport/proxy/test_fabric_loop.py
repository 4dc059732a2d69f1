"""What the loop of a proxy does where there are others."""

import time
from unittest import mock

from support.processes import closed_port
from zmq_transport.proxy.fabric_loop import STOOD_STILL_S
from zmq_transport.proxy.proxy import Proxy
from zmq_transport.sockets.endpoints import TcpEndpoint
from zmq_transport.wire.role_messages import ProxyRole


def one_of_two():
    return Proxy(peers=[TcpEndpoint("127.0.0.1", closed_port())])


def test_a_leader_that_stood_still_goes_on_with_the_time_at_which_the_others_had_answered():
    with one_of_two() as proxy:
        fabric, election = proxy._fabric, proxy._fabric._role._election
        now_s = time.monotonic()
        election.on_closed(0, now_s)
        election.on_asked(True, now_s)
        assert election.role is ProxyRole.LEADER
        fabric._turned_at_s = now_s - 2 * STOOD_STILL_S  # a rounded difference may be less than one

        turned_at_s = fabric.begin_turn(now_s)

        assert now_s < turned_at_s <= time.monotonic()
        assert fabric.begin_turn(turned_at_s) == turned_at_s


def test_the_proxy_goes_on_with_the_time_after_a_wait_for_the_others():
    with one_of_two() as proxy:
        ended = []

        def end_turn(now_s):
            ended.append(now_s)
            proxy.ask_to_stop()
            return time.monotonic()  # there is more at once

        with (
            mock.patch.object(proxy._fabric, "begin_turn", lambda now_s: now_s + 1000.0),
            mock.patch.object(proxy._fabric, "end_turn", end_turn),
        ):
            began_s = time.monotonic()
            proxy.run()

    assert ended[0] >= began_s + 1000.0
