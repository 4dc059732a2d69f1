"""The spans of callers without asyncio."""

from cosmonapse import Axon, BlockingDendrite
from cosmonapse.tracing import enable
from support.spans import Spans


async def leaf(input, context):
    return {}


def test_a_call_from_a_thread_is_below_the_span_of_that_thread():
    spans = Spans()
    dendrite = BlockingDendrite(
        "memory://traced-thread", axons=[Axon(neuron_id="leaf", neuron_fn=leaf)]
    )
    enable(dendrite, spans.provider)

    with dendrite, spans.tracer.start_as_current_span("request"):
        dendrite.ask(neuron="leaf", input={})
        list(dendrite.stream(neuron="leaf", input={}))

    assert spans.tree()[:3] == [
        " > request",
        "dispatch leaf > invoke_agent leaf",
        "dispatch leaf > invoke_agent leaf",
    ]
    assert spans.tree()[-2:] == ["request > dispatch leaf"] * 2
