"""Whatever checks an input, the text of BAD_INPUT repeats nothing of its values."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, field_validator, model_validator
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from cosmonapse.schemas import Unfit, contract_of


def refuse(value: Any) -> Any:
    raise ValueError(f"Invalid {value}, x{value}x, {value!r}")


class Told(BaseModel):
    city: Any
    nights: Any

    @field_validator("nights")
    @classmethod
    def _beside(cls, value, info):
        raise ValueError(f"Expected a night, got {value} for {info.data.get('city')!r}")


class Custom(BaseModel):
    city: Any
    nights: Any

    @model_validator(mode="after")
    def _check(self):
        raise PydanticCustomError("of_mine", "no {city} for {nights}", dict(self))


class Odd(BaseModel):
    city: Any
    nights: Any

    @model_validator(mode="after")
    def _check(self):
        raise KeyError(self.city, self.nights)


class Struct(msgspec.Struct):
    city: Any
    nights: Any

    def __post_init__(self):
        refuse((self.city, self.nights))


class Narrow(BaseModel, extra="forbid"):
    city: Literal["Oslo-on-Sea"]
    nights: list[int] | dict[str, int]


class Keys(TypedDict):
    city: Annotated[Any, AfterValidator(refuse)]
    nights: bytes


@dataclass
class Plain:
    city: int
    nights: Annotated[Any, AfterValidator(refuse)]


class Tags(msgspec.Struct):
    city: Literal["Oslo-on-Sea"]
    nights: dict[int, Annotated[str, msgspec.Meta(pattern="^[0-9]$")]]


READY = {
    "type": "object",
    "properties": {
        "city": {"enum": ["Oslo-on-Sea"]},
        "nights": {"oneOf": [{"type": "boolean"}, {"type": "object", "minProperties": 99}]},
    },
}
KINDS = [Told, Custom, Odd, Struct, Narrow, Keys, Plain, Tags, READY]
contracts = {getattr(kind, "__name__", "ready"): contract_of(kind, None, False) for kind in KINDS}
# Long enough to stand in no text by chance.
words = st.text(
    st.characters(categories=["Lu", "Nd", "Po", "Sc", "Zs"], exclude_characters=",:;"),
    min_size=6,
    max_size=20,
).filter(lambda text: text.strip() == text)
values = words | st.integers(1234567, 2**53).map(str) | st.integers(1234567, 2**53)
inputs = st.fixed_dictionaries(
    {"city": values, "nights": values | st.lists(values, min_size=1, max_size=3)}
)


@pytest.mark.parametrize("name", contracts)
@given(given_input=inputs)
def test_the_text_of_bad_input_repeats_no_value(name, given_input):
    with pytest.raises(Unfit) as unfit:
        contracts[name].given(given_input)

    text = unfit.value.message
    nights = given_input["nights"]
    for value in [given_input["city"], *(nights if isinstance(nights, list) else [nights])]:
        assert str(value) not in text, text
