// The names of spans, and of what they say: docs/tracing.md has them for people, and
// cosmonapse/telemetry/span_names.py is the same table. Pure.

export const SCHEMA_URL = 'https://opentelemetry.io/schemas/1.41.0'

// ---- operations: the first word of the name of a span

export const DISPATCH = 'dispatch'
export const QUEUE = 'queue'
export const INVOKE_AGENT = 'invoke_agent'
export const EXECUTE_TOOL = 'execute_tool'

// ---- what is said by the conventions

export const OPERATION = 'gen_ai.operation.name'
export const AGENT_NAME = 'gen_ai.agent.name'
export const AGENT_VERSION = 'gen_ai.agent.version'
export const PROVIDER = 'gen_ai.provider.name'
export const TOOL_NAME = 'gen_ai.tool.name'
export const TOOL_CALL_ID = 'gen_ai.tool.call.id'
export const ERROR_TYPE = 'error.type'
export const MESSAGING_SYSTEM = 'messaging.system'
export const MESSAGING_OPERATION = 'messaging.operation.name'
export const MESSAGING_OPERATION_TYPE = 'messaging.operation.type'
export const DESTINATION = 'messaging.destination.name'
export const MESSAGE_ID = 'messaging.message.id'

// ---- our own

export const SYSTEM = 'cosmonapse'
export const NAMESPACE = 'cosmonapse.namespace'
export const DENDRITE = 'cosmonapse.dendrite'
export const TRACE = 'cosmonapse.trace_id'
export const ATTEMPT = 'cosmonapse.attempt'
export const OUTCOME = 'cosmonapse.outcome'
export const QUEUED_MS = 'cosmonapse.queued_ms'
export const CAPABILITIES = 'cosmonapse.capabilities'
export const FIRST_THOUGHT = 'cosmonapse.first_thought'

/** Return the name of a span: the operation and what it is done to, if that has a name. */
export const spanName = (operation, subject) => (subject ? `${operation} ${subject}` : operation)
