"""Hugging Face: the router, inference endpoints and servers that speak their APIs.

Sources: https://huggingface.co/docs/inference-providers (chat completions) and
https://huggingface.co/docs/text-generation-inference (text generation).
"""

from __future__ import annotations

from types import NoneType
from typing import Any, ClassVar
from urllib.parse import quote

import attrs

from ..errors import NeuronError
from .answers import Answer, Output, output_of, read_whole, reason_in
from .chat import ChatDialect, Sampling, api_url, messages_from
from .dialect import Dialect
from .faults import Faults
from .settings import is_endpoint, of_type
from .vendor import CommonSettings


@attrs.frozen(kw_only=True)
class Settings(CommonSettings):
    """The arguments of `Neuron(source="huggingface")`; no key, or "", sends none.

    Args:
        endpoint: The base URL, such as https://router.huggingface.co.
        model: Which model answers; the router demands one, a server of one model does not.
        use_chat_api: Whether to speak chat completions; False: text generation, never streamed.
    """

    endpoint: str = attrs.field(validator=[of_type(str), is_endpoint])
    model: str | None = attrs.field(default=None, validator=of_type(str, NoneType))
    use_chat_api: bool = attrs.field(default=True, validator=of_type(bool))

    def dialect(self) -> Dialect:
        """Return which of its two APIs is asked."""
        faults = Faults("huggingface", self.key_or("HF_TOKEN"))
        sampling = self.sampling()
        if not self.use_chat_api:
            url = generation_url(self.endpoint, self.model)
            return TextGeneration(faults=faults, url=url, model=self.model, sampling=sampling)
        return ChatDialect(
            faults=faults,
            url=api_url(self.endpoint, ChatDialect.path),
            model=self.model,
            sampling=sampling,
            stream=self.stream,
        )


def generation_url(endpoint: str, model: str | None) -> str:
    """Return where text generation is served: the endpoint, or the model's place under it."""
    base = endpoint.rstrip("/")
    return base if model is None or "/models/" in base else f"{base}/models/{quote(model)}"


@attrs.frozen(kw_only=True)
class TextGeneration:
    """The text-generation API: one text in, its continuation out.

    Args:
        faults: Names and masks the provider's errors; holds the key.
        url: Where to POST.
        model: Which model answers; None when the endpoint serves one only.
        sampling: How it answers.
    """

    stream: ClassVar[bool] = False
    faults: Faults
    url: str
    model: str | None
    sampling: Sampling

    def headers(self) -> dict[str, str]:
        """Return the headers that prove who asks."""
        return self.faults.key.bearer()

    def body(self, input: Any) -> dict[str, Any]:
        """Return the request for a TASK's input; a conversation becomes one text.

        Raises:
            NeuronError: BAD_INPUT, see `messages_from`, or a message is not plain text.
        """
        contents = [message.get("content") for message in messages_from(input)]
        texts = [content for content in contents if isinstance(content, str)]
        if len(texts) < len(contents):
            what = "text generation takes only messages whose content is a str"
            raise NeuronError("BAD_INPUT", what, recoverable=False)
        parameters = {**self.sampling.named("max_new_tokens"), "return_full_text": False}
        return {"inputs": "\n\n".join(texts), "parameters": parameters}

    def answer(self, document: Any, runs_tools: bool = False) -> Output:
        """Return the output that an answer holds.

        Args:
            document: The answer.
            runs_tools: See `output_of`.

        Raises:
            NeuronError: PROVIDER_ERROR, the answer reports an error, has another form, or ended
                without being one; see `output_of`.
        """
        first = document[0] if isinstance(document, list) and document else document
        answer = read_whole(first, self._read, "generated_text", self.faults)
        return output_of(answer, self.faults, runs_tools)

    def _read(self, document: Any) -> Answer:
        text = document["generated_text"]
        if not isinstance(text, str):
            raise TypeError
        details = document.get("details")  # servers send them on request only, and not all of them
        return Answer(
            text=text,
            reason=reason_in(details, "finish_reason") if isinstance(details, dict) else None,
            model=self.model,
        )

    def reader(self) -> None:
        """Return nothing: this API does not stream."""
