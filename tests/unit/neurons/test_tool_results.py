"""What a model reads of the output of a tool."""

from cosmonapse.neurons.tool_results import output_text


def test_bytes_in_an_output_are_base64_for_the_model():
    assert output_text({"png": b"\x89PNG"}, 100) == '{"png": "iVBORw=="}'
