"""Values cross unchanged, never by reference; an invalid value is refused at its sender."""

from __future__ import annotations

import asyncio
import math
import struct
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ... import Axon, Dendrite, SignalTooLarge, UnencodableValue
from .harness import Harness
from .joined import Joiner
from .recording import recorded
from .waiting import until

MAX_SIGNAL_BYTES = 16 * 1024 * 1024
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.binary(max_size=40)
    | TEXT
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5),
    max_leaves=20,
)
CORNERS = [
    b"",
    bytes(range(256)),
    -(2**63),
    2**63 - 1,
    2**64 - 1,
    0.1,
    -0.0,
    5e-324,
    math.inf,
    -math.inf,
    math.nan,
    "".join(map(chr, (*range(0xD800), *range(0xE000, 0x11_0000, 7)))),
    {"": {"a": [{"b": [None, True, False, [], {}]}]}, "\0": 1, "é": 2, "\u0065\u0301": 3},
]


def exactly(value: Any) -> Any:
    """Return something that is equal only for values of the same type and bits."""
    if isinstance(value, float):
        return "float", struct.pack(">d", value)
    if isinstance(value, list):
        return "list", [exactly(each) for each in value]
    if isinstance(value, dict):
        return "dict", [(key, exactly(each)) for key, each in value.items()]
    return type(value).__name__, value


class Echo:
    """A Neuron that returns its input and records it."""

    def __init__(self) -> None:
        self.got: list[Any] = []

    async def __call__(self, input: Any, context: Any) -> Any:
        """See the class."""
        self.got.append(input)
        return {"echo": input}


@pytest.fixture
def echo() -> Any:
    """The Neuron of `host`."""
    return Echo()


@pytest_asyncio.fixture
async def host(join: Joiner, echo: Echo) -> Any:
    """A worker, not yet started."""
    return join(Axon(neuron_id="worker", neuron_fn=echo))


@pytest.mark.asyncio
async def test_corner_values_come_back_exactly(join: Joiner, host: Dendrite) -> None:
    """P38"""
    async with host, join() as caller:
        for value in CORNERS:
            output = await caller.ask(neuron="worker", input=value)

            assert exactly(output["echo"]) == exactly(value)


def test_any_value_comes_back_exactly(harness_class: type[Harness], namespace: str) -> None:
    """P38"""
    harness = harness_class()
    runner = asyncio.Runner()

    async def started(*axons: Axon) -> Any:
        dendrite = harness.dendrite(synapse=harness.synapse(), namespace=namespace)
        for axon in axons:
            dendrite.attach_axon(axon)
        await dendrite.start()
        return dendrite

    @settings(
        max_examples=60,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(value=VALUES)
    def check(value: Any) -> None:
        output = runner.run(caller.ask(neuron="worker", input=value))
        assert exactly(output["echo"]) == exactly(value)

    with runner:
        host = runner.run(started(Axon(neuron_id="worker", neuron_fn=Echo())))
        caller = runner.run(started())
        try:
            check()
        finally:
            runner.run(caller.stop())
            runner.run(host.stop())
            harness.stop()


@pytest.mark.asyncio
async def test_changing_an_input_after_dispatch_changes_nothing_on_the_other_side(
    join: Joiner, host: Dendrite, echo: Echo
) -> None:
    """P38"""
    caller = join()
    tasks = recorded(caller.on_task_signal)
    given_input = {"list": [1], "bytes": bytearray(b"ab")}
    async with host, caller:
        task = await caller.dispatch_task(neuron="worker", input=given_input)
        given_input["list"].append(2)
        given_input["bytes"][0] = 0
        await until(lambda: echo.got and tasks)
        echo.got[0]["list"].append(3)

    assert echo.got == [{"list": [1, 3], "bytes": b"ab"}]
    assert given_input["list"] == [1, 2]
    assert tasks == [task]


@pytest.mark.asyncio
async def test_changing_an_output_afterwards_changes_nothing_on_the_other_side(
    join: Joiner,
) -> None:
    """P38"""
    output = {"list": [1]}

    async def keep(input: Any, context: Any) -> Any:
        return output

    watcher = join()
    watched = recorded(watcher.on_agent_output)
    async with join(Axon(neuron_id="worker", neuron_fn=keep)), watcher, join() as caller:
        first = await caller.ask(neuron="worker", input={})
        first["list"].append("by the caller")
        output["list"].append(2)
        second = await caller.ask(neuron="worker", input={})
        await until(lambda: len(watched) == 2)

    assert output == second == {"list": [1, 2]}
    assert [sig.output for sig in watched] == [{"list": [1]}, {"list": [1, 2]}]


@pytest.mark.asyncio
@pytest.mark.parametrize("size", [70_000, 1 << 20, MAX_SIGNAL_BYTES - 1_000])
async def test_large_values_cross_in_both_directions(
    join: Joiner, host: Dendrite, size: int
) -> None:
    """P39"""
    blob = bytes(range(256)) * (size // 256)
    async with host, join() as caller:
        output = await caller.ask(neuron="worker", input=blob)

    assert output == {"echo": blob}


@pytest.mark.asyncio
async def test_an_input_over_the_limit_is_refused_before_anything_leaves(
    join: Joiner, host: Dendrite, echo: Echo
) -> None:
    """P39"""
    async with host, join() as caller:
        with pytest.raises(SignalTooLarge) as caught:
            await caller.ask(neuron="worker", input=bytes(MAX_SIGNAL_BYTES))
        with pytest.raises(SignalTooLarge):
            await caller.dispatch_task(neuron="worker", input=bytes(MAX_SIGNAL_BYTES))
        output = await caller.ask(neuron="worker", input=1)

    assert caught.value.limit == MAX_SIGNAL_BYTES
    assert MAX_SIGNAL_BYTES < caught.value.size < MAX_SIGNAL_BYTES + 500
    assert echo.got == [1]
    assert output == {"echo": 1}


@pytest.mark.asyncio
async def test_an_output_over_the_limit_becomes_an_error_and_the_next_call_works(
    join: Joiner,
) -> None:
    """P39"""

    async def zeros(input: Any, context: Any) -> Any:
        return {"zeros": bytes(input)}

    async with join(Axon(neuron_id="worker", neuron_fn=zeros)), join() as caller:
        error = await caller.dispatch_and_wait(neuron="worker", input=MAX_SIGNAL_BYTES)
        output = await caller.ask(neuron="worker", input=3)

    assert error.payload["code"] == "BAD_OUTPUT"
    assert f"{MAX_SIGNAL_BYTES:,}" in error.payload["message"]
    assert output == {"zeros": bytes(3)}


@pytest.mark.asyncio
async def test_a_value_that_cannot_travel_is_named_by_its_path_at_the_caller(
    join: Joiner, host: Dendrite, echo: Echo
) -> None:
    """P39"""
    async with host, join() as caller:
        for culprit in ({1, 2}, object(), 2**64, "\ud800", {1: 2}):
            with pytest.raises(UnencodableValue) as caught:
                await caller.ask(neuron="worker", input={"items": [0, {"bad": culprit}]})

            assert caught.value.path == "payload.input.items[1].bad"
        output = await caller.ask(neuron="worker", input=1)

    assert echo.got == [1]
    assert output == {"echo": 1}


@pytest.mark.asyncio
async def test_an_output_that_cannot_travel_becomes_an_error_with_its_path(join: Joiner) -> None:
    """P39"""

    async def bad(input: Any, context: Any) -> Any:
        return {"items": [object()]}

    async with join(Axon(neuron_id="worker", neuron_fn=bad)), join() as caller:
        error = await caller.dispatch_and_wait(neuron="worker", input={})

    assert error.payload["code"] == "BAD_OUTPUT"
    assert "payload.output.items[0]" in error.payload["message"]
    assert error.payload["recoverable"] is False
