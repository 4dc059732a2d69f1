import pytest

from cosmonapse.serve.openai.error_bodies import ChatRefusal
from cosmonapse.serve.openai.input_forms import THE_CHAT, form_of, form_of_all, text_in

CHAT = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hi"}]
TEXT = {"type": "string"}
NUMBER = {"type": "integer"}


def schema(required=(), closed=False, **properties):
    made = {"type": "object", "properties": properties, "required": list(required)}
    return {**made, "additionalProperties": False} if closed else made


def given(form, options=None, text="hi"):
    return form.input_of([*CHAT[:1], {"role": "user", "content": text}], options or {})


@pytest.mark.parametrize(
    "open_schema",
    [
        None,
        {},
        {"type": "object"},
        {"$ref": "#/$defs/A"},
        {"anyOf": [{"required": ["prompt"]}]},
        schema(messages={"type": "array"}),
        schema(city=TEXT, nights=NUMBER),
    ],
)
def test_a_neuron_that_takes_anything_or_messages_gets_the_chat(open_schema):
    assert given(form_of(open_schema), {"seed": 1}) == {"messages": CHAT, "seed": 1}


def test_a_closed_schema_gets_only_the_options_that_it_names():
    form = form_of(schema(closed=True, messages={}, seed=NUMBER))

    assert given(form, {"seed": 1, "stop": "x"}) == {"messages": CHAT, "seed": 1}


@pytest.mark.parametrize("key", ["prompt", "text", "query", "question", "message", "input"])
@pytest.mark.parametrize("required", [True, False])
def test_a_neuron_of_a_text_gets_the_last_text_of_the_user(key, required):
    form = form_of(schema([key] * required, seed=NUMBER, **{key: TEXT}))

    assert given(form, {"seed": 1, "stop": "x"}) == {key: "hi", "seed": 1}


def test_the_text_that_must_come_goes_before_the_usual_name():
    form = form_of(schema(["query"], prompt=TEXT, query=TEXT))

    assert given(form) == {"query": "hi"}


def test_a_text_field_may_also_be_null():
    assert given(form_of(schema(prompt={"type": ["string", "null"]}))) == {"prompt": "hi"}


def test_a_json_object_is_only_a_text_to_a_neuron_of_a_prompt():
    assert given(form_of(schema(["prompt"], prompt=TEXT)), text='{"prompt": "a"}') == {
        "prompt": '{"prompt": "a"}'
    }


def test_one_required_text_of_another_name_gets_the_text_or_the_object_with_it():
    form = form_of(schema(["city"], city=TEXT, nights=NUMBER))

    assert given(form, text="Oslo") == {"city": "Oslo"}
    assert given(form, text='{"city": "Oslo", "nights": 2}') == {"city": "Oslo", "nights": 2}
    assert given(form, text='{"nights": 2}') == {"city": '{"nights": 2}'}


@pytest.mark.parametrize("text", ["two nights", "[1]", "3", "[" * 100_000])
def test_a_neuron_of_other_values_refuses_what_is_no_object(text):
    form = form_of(schema(["city", "nights"], city=TEXT, nights=NUMBER))

    with pytest.raises(ChatRefusal, match="takes no chat but city, nights") as caught:
        given(form, text=text)
    assert caught.value.answer.status == 400
    assert caught.value.answer.body["error"]["param"] == "messages"


def test_a_chat_without_a_text_of_the_user_is_refused():
    form = form_of(schema(["prompt"], prompt=TEXT))

    with pytest.raises(ChatRefusal, match="last text of the user"):
        form.input_of([{"role": "user", "content": [{"type": "image_url"}]}], {})


def test_replicas_that_take_different_things_get_the_chat():
    a, b = schema(["prompt"], prompt=TEXT), schema(["text"], text=TEXT)

    assert form_of_all([a, a]) == form_of(a)
    assert form_of_all([a, b]) == form_of_all([]) == form_of_all([None]) == THE_CHAT


def test_parts_of_a_content_are_joined_and_images_left_out():
    parts = [{"type": "text", "text": "a"}, {"type": "image_url"}, "x", {"text": "b"}]

    assert text_in(parts) == "a\nb"
    assert text_in(None) == text_in(3) == ""


def test_a_requirement_that_is_no_name_is_passed_over():
    assert form_of(schema([{}, "prompt"], prompt=TEXT)).required == ("prompt",)
