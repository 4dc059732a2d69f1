"""An agent whose model calls tools, with a stand-in for the model: needs no key and no network.

    $ pip install '.[llm,test]'
    $ python examples/tool_agent.py

With a real model give `Neuron` its name and leave `endpoint` and `api_key` away.
"""

import asyncio

from cosmonapse import Axon, Neuron, SignalType
from cosmonapse.testing import ChatServer, Fabric

PRICES = {"tea": 3, "coffee": 4}
SCHEMA = {
    "type": "object",
    "properties": {"article": {"type": "string"}},
    "required": ["article"],
}


async def price(input, context):
    """Return the price of an article."""
    return {"euros": PRICES[input["article"]]}


async def main():
    """Ask the agent, and print what happens on the way."""
    with ChatServer() as model:
        model.calls_tools(
            ("shop_price", {"article": "tea"}),
            ("shop_price", {"article": "coffee"}),
            text="Let me look.",
        ).answers("Tea is 3 euros and coffee 4.")
        agent = Neuron(
            source="openai", model="m", endpoint=model.url, api_key="k", tools=["shop.*"]
        )
        tool = Axon(
            neuron_id="shop.price",
            neuron_fn=price,
            description="The price of an article, in euros.",
            input=SCHEMA,
        )
        async with Fabric() as fabric:
            await fabric.worker(tool, Axon(neuron_id="seller", neuron_fn=agent))
            caller = await fabric.dendrite()
            question = {"prompt": "What do tea and coffee cost?"}
            async with await caller.dispatch(neuron="seller", input=question) as pathway:
                async for signal in pathway:
                    if signal.type is SignalType.THOUGHT_DELTA:
                        print(signal.payload["delta"], end="")
                    elif signal.type is SignalType.TOOL_CALL:
                        print(f"\n  {signal.payload['tool_name']}({signal.payload['args']})")
                    elif signal.type is SignalType.TOOL_RESULT:
                        print(f"  -> {signal.payload.get('result')}")
            print(f"\n{signal.output['turns']} turns, {signal.output['tool_calls']} calls")
        await agent.aclose()


if __name__ == "__main__":
    asyncio.run(main())
