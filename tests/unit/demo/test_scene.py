"""The Synapse of the scene can come back to where it was."""

import contextlib
import socket

from cosmonapse.demo.scene import port_to_come_back_to


def test_its_three_ports_are_free_and_no_connection_gets_one_meanwhile():
    first_of_the_system = 32_768

    with contextlib.ExitStack() as stack:
        for _ in range(20):
            port = port_to_come_back_to()
            assert 1_024 < port < first_of_the_system - 3
            for each in (port, port + 2, port + 3):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", each))
