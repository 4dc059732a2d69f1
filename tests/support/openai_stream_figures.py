"""What a token costs that is streamed through the OpenAI-compatible face, by one and by many.

Run it with `PYTHONPATH=tests:. python -m support.openai_stream_figures`.
"""

import asyncio
import json
import os
import sys

from cosmonapse import Axon
from support.gateways import serving
from support.processes import Children

_TOKENS = 400
_TICKS = os.sysconf("SC_CLK_TCK")


async def tokens(input, context):
    for _ in range(_TOKENS):
        yield "token "
        await asyncio.sleep(0.002)


def main():
    axon = Axon(neuron_id="tokens", neuron_fn=tokens, concurrency=256)
    with (
        Children() as children,
        serving(children.synapse()[1], axon, flags=["--openai"]) as gateway,
    ):
        for count in (1, 10, 100):
            sys.stdout.write(json.dumps(asyncio.run(of_streams(gateway, count))) + "\n")


async def of_streams(gateway, count):
    """Return the cost of a token over so many streams at once."""
    used_s = cpu_s(gateway)
    read = await asyncio.gather(*(stream(gateway) for _ in range(count)))
    sent = count * _TOKENS
    return {
        "streams": count,
        "gateway_cpu_us_per_token": round((cpu_s(gateway) - used_s) / sent * 1e6),
        "bytes_per_token": round(sum(map(len, read)) / sent),
        "tokens_per_piece": round(sent / sum(got.count(b'"content":"token') for got in read), 1),
    }


async def stream(gateway):
    host, _, port = gateway.base_url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    messages = [{"role": "user", "content": "x"}]
    body = json.dumps({"model": "tokens", "messages": messages, "stream": True})
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n"
        f"Authorization: Bearer {gateway.token}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    writer.write((head + body).encode())
    got = await reader.read()
    writer.close()
    return got


def cpu_s(gateway):
    with open(f"/proc/{gateway.process.pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


if __name__ == "__main__":
    main()
