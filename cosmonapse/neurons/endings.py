"""Why an answer ended, in one word for all providers, and which ends are failures. Pure.

Sources, for the words of each provider:
https://platform.openai.com/docs/api-reference/chat/object (OpenAI, Groq, Ollama, Together),
https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons (Anthropic),
https://docs.mistral.ai/api (`model_length`, `error`),
https://openrouter.ai/docs/api-reference/overview (`error`, native words of Gemini and others),
https://huggingface.co/docs/text-generation-inference (`eos_token`, `stop_sequence`).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

STOP, LENGTH, TOOL_CALLS = "stop", "length", "tool_calls"
CONTENT_FILTER, REFUSAL, ERROR = "content_filter", "refusal", "error"
FAILURES = frozenset({CONTENT_FILTER, REFUSAL, ERROR})

_WORD_OF: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(
            ("stop", "end_turn", "stop_sequence", "eos", "eos_token", "complete"), STOP
        ),
        **dict.fromkeys(
            ("length", "max_tokens", "model_length", "model_context_window_exceeded"), LENGTH
        ),
        **dict.fromkeys(("tool_calls", "tool_call", "tool_use", "function_call"), TOOL_CALLS),
        **dict.fromkeys(
            (
                "content_filter",
                "content_filtered",
                "guardrail_intervened",
                "safety",
                "recitation",
                "blocklist",
                "prohibited_content",
                "spii",
            ),
            CONTENT_FILTER,
        ),
        "refusal": REFUSAL,
        **dict.fromkeys(("error", "abort", "insufficient_system_resource"), ERROR),
    }
)


def told_reason(value: Any) -> str | None:
    """Return the reason that a provider gave; None for none, such as null or an empty text."""
    return value.strip() or None if isinstance(value, str) else None


def finish_reason(told: str | None) -> str | None:
    """Return the word for the reason that a provider gave; an unknown one stays as it is."""
    return None if told is None else _WORD_OF.get(told.lower(), told)
