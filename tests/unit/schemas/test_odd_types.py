"""Types that are harder than most: strict ones, keys that are numbers, generics, broken checks."""

import datetime
import uuid
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, NewType, TypeVar

import msgspec
import pytest
from pydantic import BaseModel, Strict, field_validator

from cosmonapse import Axon
from cosmonapse.errors import NeuronError
from cosmonapse.schemas import contract_of
from cosmonapse.testing import Fabric

T = TypeVar("T")
A_UUID = "00000000-0000-4000-8000-000000000001"


def loaded(kind: Any, value: Any) -> Any:
    return contract_of(kind, None, True).given(value)


def plain(kind: Any, value: Any) -> Any:
    return contract_of(None, kind, False).gives(value)


def refusal(kind: Any, value: Any) -> str:
    with pytest.raises(NeuronError) as error:
        loaded(kind, value)
    assert error.value.code == "BAD_INPUT"
    return error.value.message


class Exact(BaseModel, strict=True):
    day: datetime.date
    id: uuid.UUID
    pair: tuple[int, str]
    counts: dict[int, str]


class OneStrict(BaseModel):
    day: Annotated[datetime.date, Strict()]


def test_a_strict_model_takes_what_json_has_for_dates_ids_tuples_and_numbers_as_keys():
    value = {"day": "2030-01-31", "id": A_UUID, "pair": [1, "a"], "counts": {"7": "x"}}

    exact = Exact(
        day=datetime.date(2030, 1, 31), id=uuid.UUID(A_UUID), pair=(1, "a"), counts={7: "x"}
    )
    assert loaded(Exact, value) == exact
    assert plain(Exact, value) == plain(Exact, exact) == value
    assert loaded(OneStrict, {"day": "2030-01-31"}).day == datetime.date(2030, 1, 31)


def test_a_strict_model_takes_no_text_for_a_number():
    value = {"day": "2030-01-31", "id": A_UUID, "pair": ["1", "a"], "counts": {}}

    assert refusal(Exact, value) == "pair.0: Input should be a valid integer"


class Counts(msgspec.Struct):
    counts: dict[int, str]


class Box(msgspec.Struct, Generic[T]):
    item: T


@dataclass
class Named:
    names: list[str] = field(default_factory=list)


NewNamed = NewType("NewNamed", Named)


def test_numbers_as_keys_of_a_struct_are_texts_on_the_wire():
    assert loaded(Counts, {"counts": {"7": "x"}}) == Counts({7: "x"})
    assert plain(Counts, Counts({7: "x"})) == {"counts": {"7": "x"}}


def test_a_generic_struct_and_a_new_type_are_types():
    assert loaded(Box[int], {"item": 3}) == Box(3)
    assert loaded(NewNamed, {"names": ["a"]}) == Named(["a"])


class BrokenCheck(BaseModel):
    city: Any

    @field_validator("city")
    @classmethod
    def _check(cls, value):
        raise {"no": KeyError, "mine": NeuronError}[value](value, "it is mine")


@pytest.mark.asyncio
async def test_a_check_that_breaks_is_bad_input_and_its_place_is_in_the_log(caplog):
    async def book(input, context): ...

    async with Fabric() as fabric:
        await fabric.worker(Axon(neuron_id="book", neuron_fn=book, input=BrokenCheck))
        caller = await fabric.dendrite()
        with pytest.raises(NeuronError) as error:
            await caller.ask(neuron="book", input={"city": "no"})

    assert error.value.code == "BAD_INPUT"
    assert error.value.message == "input: the check of its type failed with KeyError"
    assert "test_odd_types.py" in caplog.text
    assert "KeyError: ('no'" in caplog.text


def test_a_check_may_raise_an_error_of_its_own():
    with pytest.raises(NeuronError) as error:
        loaded(BrokenCheck, {"city": "mine"})

    assert error.value.code == "mine"


class Node(BaseModel):
    inner: list["Node"] = []


class NodeStruct(msgspec.Struct):
    inner: list["NodeStruct"]


@pytest.mark.parametrize("node", [Node(), NodeStruct([])], ids=["pydantic", "msgspec"])
def test_an_output_that_holds_itself_is_bad_output(node):
    node.inner.append(node)
    with pytest.raises(NeuronError) as error:
        plain(type(node), node)

    assert error.value.code == "BAD_OUTPUT"


def test_the_path_in_a_deep_value_is_cut_in_its_midst():
    value: Any = 1
    for _ in range(60):
        value = {"inner": [value]}

    text = refusal(Node, value)
    assert len(text) < 300
    assert "…" in text


@pytest.mark.parametrize("ref", ["#/$defs/none", "http://127.0.0.1:1/a.json", "other.json"])
def test_a_schema_that_refers_to_what_is_not_in_it_is_refused_and_nothing_is_fetched(ref):
    schema = {"type": "object", "properties": {"a": {"$ref": ref}}}
    with pytest.raises(ValueError, match=r"it refers to .*; nothing is fetched: put it in"):
        contract_of(schema, None, False)

    with_id = {**schema, "$id": "http://127.0.0.1:1/"}  # another root: looked at when it is used
    assert refusal(with_id, {"a": 1}).startswith("input: the check of its type failed")


@pytest.mark.parametrize("ref", ["#/city", "#/$defs/a/b", "#/allOf/0"])
def test_the_root_of_a_schema_may_refer_to_any_part_of_it(ref):
    part = {"type": "object", "properties": {"a": {"type": "string"}}}
    schema = {"$ref": ref, "city": part, "$defs": {"a": {"b": part}}, "allOf": [part]}

    assert loaded(schema, {"a": "x"}) == {"a": "x"}
    assert refusal(schema, {"a": 1}).startswith("a: must be of type string")


def test_a_schema_may_refer_to_itself_by_any_path_and_name_a_property_ref():
    schema = {
        "type": "object",
        "properties": {"$ref": {"type": "string"}, "a": {"$ref": "#/allOf/0/properties/a%25"}},
        "allOf": [{"properties": {"a%": {"const": {"$ref": "no schema"}}}}],
    }

    assert loaded(schema, {"a": {"$ref": "no schema"}, "$ref": "x"})
    assert refusal(schema, {"a": 1})


@pytest.mark.parametrize("of_schema", ["$anchor", "$dynamicAnchor"])
def test_a_schema_may_refer_to_a_named_part_and_to_no_name_that_is_missing(of_schema):
    schema = {"properties": {"a": {"$ref": "#n"}}, "$defs": {"x": {of_schema: "n", "const": 1}}}

    assert refusal(schema, {"a": 2}) == "a: must be 1"
    with pytest.raises(ValueError, match="it refers to '#n', which is not in it"):
        contract_of({**schema, "$defs": {}}, None, False)


def test_a_list_that_is_given_out_may_refer_to_definitions_of_draft_7():
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "array",
        "items": {"$ref": "#/definitions/n"},
        "definitions": {"n": {"type": "integer"}},
    }

    assert plain(schema, [1]) == [1]
    with pytest.raises(NeuronError, match=r"value\.0: must be of type integer"):
        plain(schema, ["x"])


def test_what_a_schema_of_false_forbids_is_told_as_such():
    text = refusal({"properties": {"a": False}}, {"a": "kept back"})

    assert text == "input: holds what a schema of false forbids"


def test_a_type_that_msgspec_does_not_know_is_named():
    class Inner(BaseModel):
        a: int

    kind = msgspec.defstruct("Outer", [("inner", Inner)])

    with pytest.raises(TypeError, match=r"msgspec knows no type Inner, .* use a Struct"):
        contract_of(kind, None, False)


def test_the_texts_of_pydantic_stay_whole_beside_short_values():
    text = refusal(Exact, {"day": "x", "id": A_UUID, "pair": [1, "a"], "counts": {}})

    assert text.startswith("day: Input should be a valid date")


class Said(BaseModel):
    response: str


@pytest.mark.asyncio
async def test_a_stream_with_a_type_for_its_output_may_end_with_a_value_of_it():
    async def on_the_loop(input, context):
        yield "so"
        yield Said(response="So.")

    def in_a_thread(input, context):
        yield "so"
        yield Said(response="So.")

    async with Fabric() as fabric:
        await fabric.worker(
            Axon(neuron_id="loop", neuron_fn=on_the_loop, output=Said),
            Axon(neuron_id="thread", neuron_fn=in_a_thread, output=Said),
            Axon(neuron_id="untyped", neuron_fn=on_the_loop),
        )
        caller = await fabric.dendrite()
        outputs = [await caller.ask(neuron=each, input={}) for each in ("loop", "thread")]
        with pytest.raises(NeuronError, match="yields str or a final dict, not Said; with output="):
            await caller.ask(neuron="untyped", input={})

    assert outputs == [{"response": "So."}] * 2


@pytest.mark.asyncio
async def test_a_pattern_of_tools_that_is_no_text_is_named():
    async with Fabric() as fabric:
        caller = await fabric.dendrite()

        with pytest.raises(TypeError, match=r"tools are ids of Neurons, or patterns .*, not 5"):
            await caller.tools(5)
