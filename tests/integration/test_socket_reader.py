"""A batch that is read while its connection ends."""

import asyncio

import pytest

PROGRAM = """
import asyncio, sys, time
import zmq
from zmq_transport.sockets import options as sockets
from zmq_transport.client.socket_reader import SocketReader

async def main(busy_at):
    router, seen, done = sockets.router(1000), [], asyncio.Event()
    dealer = sockets.dealer(1000)
    dealer.connect(sockets.bind(router, "127.0.0.1", 0))
    while not dealer.get(zmq.EVENTS) & zmq.POLLOUT:
        await asyncio.sleep(0.01)
    dealer.send_multipart([b"head", b"body"])
    who = None
    while who is None:
        if router.poll(100):
            frames = router.recv_multipart()
            who = frames[0] if len(frames) > 2 else None
    for _ in range(160):
        router.send_multipart([who, b"head", b"body"])
    await asyncio.sleep(0.3)

    def on_message(message):
        seen.append(message)
        if len(seen) == busy_at:
            router.close()
            time.sleep(0.3)  # this program is busy, the far end is gone meanwhile

    reader = SocketReader(dealer, on_message)
    await asyncio.sleep(1.0)
    reader.close()
    dealer.close()
    print("read", len(seen), flush=True)

asyncio.run(main(int(sys.argv[1])))
"""


@pytest.mark.asyncio
@pytest.mark.parametrize("busy_at", [1, 10, 30])
async def test_a_connection_that_ends_while_its_batch_is_read_does_not_end_the_process(
    busy_at, children
):
    child = children.start("-c", PROGRAM, busy_at)

    code = await asyncio.to_thread(child.wait, 10)

    assert code == 0, child.said
    assert child.line("read").text
