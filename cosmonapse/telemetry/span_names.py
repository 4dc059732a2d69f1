"""The names of spans, and of what they say: one table, as the conventions are in development. Pure.

Sources: the semantic conventions of OpenTelemetry in the version below, for agents, models and
tools (https://opentelemetry.io/docs/specs/semconv/gen-ai/), for messages, and for errors. What has
no name there begins with `cosmonapse.`. docs/tracing.md has the same table for people.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

CONVENTIONS_VERSION: Final = "1.41.0"
SCHEMA_URL: Final = f"https://opentelemetry.io/schemas/{CONVENTIONS_VERSION}"
CAPTURE_VARIABLE: Final = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"

# -- operations: the first word of the name of a span

DISPATCH: Final = "dispatch"
QUEUE: Final = "queue"
INVOKE_AGENT: Final = "invoke_agent"
CHAT: Final = "chat"
TEXT_COMPLETION: Final = "text_completion"
EXECUTE_TOOL: Final = "execute_tool"

# -- what is said by the conventions

OPERATION: Final = "gen_ai.operation.name"
AGENT_NAME: Final = "gen_ai.agent.name"
AGENT_VERSION: Final = "gen_ai.agent.version"
PROVIDER: Final = "gen_ai.provider.name"
REQUEST_MODEL: Final = "gen_ai.request.model"
RESPONSE_MODEL: Final = "gen_ai.response.model"
RESPONSE_ID: Final = "gen_ai.response.id"
FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
TOOL_NAME: Final = "gen_ai.tool.name"
TOOL_CALL_ID: Final = "gen_ai.tool.call.id"
SERVER_ADDRESS: Final = "server.address"
SERVER_PORT: Final = "server.port"
ERROR_TYPE: Final = "error.type"
MESSAGING_SYSTEM: Final = "messaging.system"
MESSAGING_OPERATION: Final = "messaging.operation.name"
MESSAGING_OPERATION_TYPE: Final = "messaging.operation.type"
DESTINATION: Final = "messaging.destination.name"
MESSAGE_ID: Final = "messaging.message.id"

# -- the content, which is recorded only on demand

INPUT_MESSAGES: Final = "gen_ai.input.messages"
OUTPUT_MESSAGES: Final = "gen_ai.output.messages"
TOOL_ARGUMENTS: Final = "gen_ai.tool.call.arguments"
TOOL_RESULT: Final = "gen_ai.tool.call.result"

# -- our own

SYSTEM: Final = "cosmonapse"
NAMESPACE: Final = "cosmonapse.namespace"
DENDRITE: Final = "cosmonapse.dendrite"
TRACE: Final = "cosmonapse.trace_id"
ATTEMPT: Final = "cosmonapse.attempt"
OUTCOME: Final = "cosmonapse.outcome"
QUEUED_MS: Final = "cosmonapse.queued_ms"
CAPABILITIES: Final = "cosmonapse.capabilities"
FIRST_THOUGHT: Final = "cosmonapse.first_thought"

PROVIDER_OF_SOURCE: Final[Mapping[str, str]] = MappingProxyType(
    {"mistral": "mistral_ai", "hf": "huggingface"}
)
"""The name of a provider in the conventions, where it is not that of its Neuron."""

INPUT_TOKEN_KEYS: Final = ("input_tokens", "prompt_tokens")
OUTPUT_TOKEN_KEYS: Final = ("output_tokens", "completion_tokens")
"""The names of the counts in the usage that providers tell."""


def span_name(operation: str, subject: str | None) -> str:
    """Return the name of a span: the operation and what it is done to, if that has a name."""
    return f"{operation} {subject}" if subject else operation
