"""Many clients that start together on a busy machine, before their Synapse does, all come up."""

import asyncio
from unittest import mock

import pytest

from cosmonapse import synapse_from_url
from support.processes import free_ports

CLIENTS = 200
BUSY = "print('busy', flush=True)\nwhile True: pass"


@pytest.mark.asyncio
async def test_two_hundred_clients_without_a_limit_all_come_up_on_a_busy_machine(children):
    port = free_ports()
    synapse = synapse_from_url(f"cosmo://127.0.0.1:{port}")
    for loop in [children.start("-c", BUSY) for _ in range(2)]:
        loop.line("busy")
    receivers = [mock.Mock() for _ in range(CLIENTS)]
    transports = [
        synapse.transport("default", f"client-{number}", receiver, 1_000_000)
        for number, receiver in enumerate(receivers)
    ]

    opening = [asyncio.create_task(each.open(None, ())) for each in transports]
    await asyncio.sleep(0)
    await asyncio.to_thread(children.synapse, port=port)
    await asyncio.gather(*opening)

    assert all(receiver.on_welcomed.called for receiver in receivers)
    assert all(transport.away_s is None for transport in transports)
    await synapse.close()
