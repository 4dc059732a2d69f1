"""Types of many kinds have a schema whose root is an object, and check values by it."""

import dataclasses
import enum
import json
import logging
import typing
from importlib import metadata
from typing import Annotated, Any, Literal

import jsonschema
import msgspec
import pytest
import typing_extensions
from pydantic import BaseModel, Field, field_validator

from cosmonapse import Axon, MissingExtra, NeuronError
from cosmonapse.cards import card_from
from cosmonapse.dendrite.worker import invoke
from cosmonapse.schemas import type_choice


class Booking(BaseModel):
    model_config = {"extra": "forbid"}
    city: str = Field(description="Where to")
    nights: int = Field(ge=1, le=30)


class Tree(BaseModel):
    name: str
    children: "list[Tree]" = []


class Struct(msgspec.Struct):
    city: str
    nights: Annotated[int, msgspec.Meta(ge=1)]


@dataclasses.dataclass
class Plain:
    city: str
    nights: Annotated[int, Field(ge=1)]


class Typed(typing_extensions.TypedDict):
    city: str
    nights: Annotated[int, Field(ge=1)]


READY = {
    "properties": {"city": {"type": "string"}, "nights": {"type": "integer", "minimum": 1}},
    "required": ["city", "nights"],
}
KINDS = [Booking, Struct, Plain, Typed, READY]
NAMES = ["model", "Struct", "dataclass", "TypedDict", "JSON Schema"]
GOOD = {"city": "Oslo", "nights": 2}


async def book(input, context): ...


def axon(**settings):
    return Axon(neuron_id="book", neuron_fn=book, **settings)


def refusal(checked, value):
    with pytest.raises(NeuronError) as caught:
        checked(value)
    return caught.value.code, caught.value.message


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_each_kind_of_type_has_a_schema_and_checks_by_it(kind):
    made = axon(input=kind, output=kind)

    for schema in (made.card.input, made.card.output):
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["type"] == "object"
        assert schema["required"] == ["city", "nights"]
    assert made.contract.given(GOOD) is GOOD
    assert made.contract.gives(GOOD) == GOOD
    code, text = refusal(made.contract.given, {"city": "Oslo", "nights": 0})
    assert (code, text.partition(":")[0]) == ("BAD_INPUT", "nights")
    assert "1" in text
    code, text = refusal(made.contract.gives, {"city": "Oslo", "nights": 0})
    assert (code, "nights" in text) == ("BAD_OUTPUT", True)


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_an_answer_to_a_question_is_set_aside_and_stays_in_the_input(kind):
    followed_up = {**GOOD, "clarification": {"question": "?", "answer": "!"}, "permission": {}}

    assert axon(input=kind).contract.given(followed_up) is followed_up


def test_a_type_with_a_field_of_the_name_of_an_answer_checks_it():
    class Badge(BaseModel):
        permission: int

    text = refusal(axon(input=Badge).contract.given, {"permission": {}})

    assert text == ("BAD_INPUT", "permission: Input should be a valid integer")


def test_a_model_is_given_to_the_function_only_when_it_is_wanted():
    assert axon(input=Booking, as_model=True).contract.given(GOOD) == Booking(**GOOD)
    assert axon(input=Struct, as_model=True).contract.given(GOOD) == Struct(**GOOD)


@pytest.mark.parametrize("made", [Booking(**GOOD), Struct(**GOOD), Plain(**GOOD)], ids=NAMES[:3])
def test_an_object_that_is_returned_becomes_a_dict(made):
    assert axon(output=type(made)).contract.gives(made) == GOOD


@pytest.mark.parametrize("kind", [Struct, Plain], ids=NAMES[1:3])
def test_an_object_that_checks_nothing_itself_is_checked(kind):
    code, _ = refusal(axon(output=kind).contract.gives, kind(city="Oslo", nights=0))

    assert code == "BAD_OUTPUT"


def test_at_most_five_findings_are_told_and_no_value():
    class Many(BaseModel):
        model_config = {"extra": "forbid"}
        kind: Literal["a", "b"]

    value = {"kind": "s3cret", **{f"k{n}": "s3cret" for n in range(8)}}
    _, text = refusal(axon(input=Many).contract.given, value)

    assert text.count(";") == 5
    assert text.endswith("; and 4 more")
    assert "s3cret" not in text


class Color(enum.Enum):
    RED = "red"


class Circle(BaseModel):
    shape: Literal["circle"]


class Square(BaseModel):
    shape: Literal["square"]


class Own(BaseModel):
    name: Any

    @field_validator("name")
    @classmethod
    def _refuse(cls, value):
        raise ValueError(f"not {value}, please")


class Painted(msgspec.Struct):
    color: Color


class Strict(msgspec.Struct):
    name: str

    def __post_init__(self):
        raise ValueError(f"not {self.name}, please")


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (dict[str, Annotated[Circle | Square, Field(discriminator="shape")]], "shape"),
        (Own, "name"),
        (Painted, "color"),
        (Strict, "name"),
        ({"properties": {"name": {"enum": ["a"]}}}, "name"),
        ({"properties": {"name": {"pattern": "^a$"}}}, "name"),
    ],
    ids=["tag", "validator", "enum", "__post_init__", "ready enum", "pattern"],
)
def test_no_text_of_a_library_repeats_the_value(kind, value):
    given = {"a": {value: "s3cret"}} if value == "shape" else {value: "s3cret"}

    _, text = refusal(axon(input=kind).contract.given, given)

    assert "s3cret" not in text
    assert text


def test_a_schema_that_refers_to_itself_has_an_object_at_its_root():
    schema = axon(input=Tree).card.input

    assert schema["type"] == "object"
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid({"name": "a", "children": [{"name": "b", "children": []}]})
    assert not validator.is_valid({"name": "a", "children": [{"children": []}]})


@pytest.mark.parametrize(
    ("kind", "returned", "received"),
    [
        (int, 3, {"value": 3}),
        (list[Plain], [Plain(**GOOD)], {"value": [GOOD]}),
        (list[Struct], [Struct(**GOOD)], {"value": [GOOD]}),
        (Booking | None, None, {"value": None}),
        (Booking | None, Booking(**GOOD), GOOD),
        ({"type": "string"}, "a", {"value": "a"}),
        ({"type": ["object", "null"]}, None, {"value": None}),
    ],
)
def test_the_schema_of_an_output_is_that_of_the_dict_which_callers_receive(
    kind, returned, received
):
    made = axon(output=kind)

    plain = made.contract.gives(returned)

    assert (plain if isinstance(plain, dict) else {"value": plain}) == received
    jsonschema.validate(received, made.card.output)
    assert made.card.output["type"] == "object"


class Undescribed(typing.TypedDict):
    city: str


@pytest.mark.parametrize(
    ("settings", "error", "text"),
    [
        ({"input": int}, TypeError, "the Axon book: an input is a dict"),
        ({"input": "Booking"}, TypeError, "give a type or a JSON Schema"),
        ({"input": {"properties": 5}}, ValueError, "it is no JSON Schema, at properties"),
        ({"output": object()}, TypeError, "give a type or a JSON Schema"),
        ({"description": "x" * 70_000}, ValueError, "the card of book has 70,.* shorten"),
    ],
)
def test_a_type_that_cannot_be_used_is_refused_when_the_axon_is_made(settings, error, text):
    with pytest.raises(error, match=text):
        axon(**settings)


@pytest.mark.skipif("sys.version_info >= (3, 12)")
def test_a_typed_dict_that_pydantic_cannot_read_is_told_with_its_remedy():
    with pytest.raises(TypeError, match=r"use typing_extensions\.TypedDict"):
        axon(input=Undescribed)


def test_without_pydantic_msgspec_reads_dataclasses_and_typed_dicts(monkeypatch):
    monkeypatch.setattr(type_choice, "_has_pydantic", lambda: False)

    assert axon(input=Undescribed).card.input["required"] == ["city"]
    assert axon(input=Plain, as_model=True).contract.given(GOOD) == Plain(**GOOD)


@pytest.mark.parametrize("kind", [Plain, dict[str, int]])
def test_without_any_package_the_extra_is_named(monkeypatch, kind):
    monkeypatch.setattr(type_choice, "_has_pydantic", lambda: False)
    monkeypatch.setitem(__import__("sys").modules, "cosmonapse.schemas.msgspec_check", None)

    with pytest.raises(MissingExtra, match=r"the extra \[schema\]"):
        axon(input=kind)


def test_without_jsonschema_a_ready_schema_is_carried_and_that_it_is_not_checked_is_said_once(
    monkeypatch, caplog
):
    invoke._tell_unchecked.cache_clear()
    monkeypatch.setitem(__import__("sys").modules, "jsonschema", None)

    with caplog.at_level(logging.WARNING):
        made = [axon(input=READY) for _ in range(2)]
        for each in made:
            invoke.warn_unchecked(each)

    assert [each.contract.given({}) for each in made] == [{}, {}]
    (told,) = (each.getMessage() for each in caplog.records)
    assert told.startswith("inputs and outputs are not checked against schemas that are a dict: ")
    assert "the extra [schema] wants jsonschema" in told


@pytest.mark.parametrize(
    ("package", "found", "kind"),
    [
        ("pydantic", "1.10.27", Booking),
        ("pydantic", "2.1.0", Booking),
        ("msgspec", "0.14.2", Struct),
    ],
)
def test_a_package_that_is_too_old_is_told_when_the_axon_is_made(package, found, kind, monkeypatch):
    real = metadata.version
    monkeypatch.setattr(metadata, "version", lambda name: found if name == package else real(name))

    with pytest.raises(MissingExtra, match=rf"{package} {found} is too old; the extra \[schema\]"):
        axon(input=kind)


def test_a_card_of_a_type_passes_through_json_with_the_same_digest():
    card = axon(input=Tree, output=list[Booking], description="Books").card

    assert card_from(json.loads(json.dumps(card.as_dict()))).digest == card.digest


def test_a_misspelt_type_of_a_schema_and_a_description_of_another_type_are_one_line_each():
    async def neuron(input, context):
        return {}

    with pytest.raises(TypeError, match=r"'objct' is no type of JSON Schema: there are array, "):
        Axon(neuron_id="a", neuron_fn=neuron, input={"type": "objct"})
    with pytest.raises(TypeError, match=r"^description must be a str, not 3$"):
        Axon(neuron_id="a", neuron_fn=neuron, description=3)
    with pytest.raises(TypeError, match=r"'objct' is no type of JSON Schema: there are array, "):
        Axon(neuron_id="a", neuron_fn=neuron, output={"type": "objct"})


def test_sets_as_defaults_give_one_digest_in_whatever_order_a_process_has_them():
    def digest(numbers: list[int]) -> str:
        class Inner(BaseModel):
            one: set[int] = set(numbers)
            several: list[frozenset[int]] = [frozenset(numbers)]
            named: dict[str, set[int]] = {"x": set(numbers)}

        return axon(input=Inner).card.digest

    assert list({0, 8}) != list({8, 0}), "the same hash, so the first one stays the first"
    assert digest([0, 8]) == digest([8, 0])


def test_a_default_that_is_no_json_is_left_out_without_a_warning():
    class Inner(BaseModel):
        anything: Any = object()

    assert axon(input=Inner).card.input["properties"]["anything"] == {"title": "Anything"}
