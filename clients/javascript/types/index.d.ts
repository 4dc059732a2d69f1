// The declarations of the package, by hand. `types/test` holds them to the code: `npm run types`.

/** What a Signal carries: null, booleans, numbers, BigInts of 64 bits, texts, bytes, arrays, maps. */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Float
  | readonly Value[]
  | ReadonlyMap<string, Value>
  | { readonly [key: string]: Value | undefined }

/** A payload or an output: text keys, any values. */
export interface Values {
  [key: string]: any
}

/** A number that travels as a float also when it is whole: `new Float(2)`. */
export class Float {
  constructor(value: number)
  readonly value: number
  valueOf(): number
  toJSON(): number
}

// ---- Signals

export type SignalType =
  | 'TASK'
  | 'AGENT_OUTPUT'
  | 'FINAL'
  | 'ERROR'
  | 'CLARIFICATION'
  | 'CLARIFICATION_ANSWER'
  | 'PERMISSION'
  | 'PERMISSION_DECISION'
  | 'ESCALATION'
  | 'THOUGHT_DELTA'
  | 'TOOL_CALL'
  | 'TOOL_RESULT'
  | 'PLAN'
  | 'CRITIQUE'
  | 'CONSENSUS'
  | 'CONTEXT_SYNC'
  | 'MEMORY_APPEND'
  | 'REGISTER'
  | 'HEARTBEAT'
  | 'DEREGISTER'
  | 'DISCOVER'
  | 'TASK_OFFER'
  | 'BID'
  | 'TASK_AWARDED'
  | 'TASK_DECLINED'
  | 'STOP'
  | 'STOPPED'

/** Each type under its own name. */
export const SignalType: { readonly [Type in SignalType]: Type }

/** The destination of a TASK; the producer of every other Signal. */
export class Directed {
  constructor(id?: string | null, type?: string | null, capabilities?: readonly string[])
  readonly id: string | null
  readonly type: string | null
  readonly capabilities: readonly string[]
}

/** One message between participants. Treat it, its payload and its meta as frozen. */
export class Signal {
  constructor(fields: {
    type: SignalType
    payload?: Values
    directed?: Directed | null
    traceId?: string
    parentId?: string | null
    meta?: Values
    id?: string
    ts?: number
  })
  readonly v: '1'
  readonly id: string
  readonly traceId: string
  readonly parentId: string | null
  readonly type: SignalType
  readonly directed: Directed | null
  /** Seconds UTC, for display. */
  readonly ts: number
  /** The keys are those of the wire: docs/spec/07-signals.md, "Payloads". */
  readonly payload: Values
  readonly meta: Values
  /** The name of the key that it came from; null where the transport does not know. */
  get origin(): string | null
  /**
   * The output of an AGENT_OUTPUT or a FINAL.
   * @throws {NeuronError} This is an ERROR.
   * @throws {NeedsAnswer} This is a CLARIFICATION, PERMISSION or ESCALATION.
   */
  get output(): any
  /** Make a Signal that answers this one: same trace, this one as its parent. */
  reply(
    type: SignalType,
    payload?: Values,
    more?: { directed?: Directed | null; meta?: Values },
  ): Signal
  /** Return the bytes for the wire. */
  encode(maxBytes?: number): Buffer
  /** Read a Signal. */
  static decode(bytes: Buffer, options?: { keepFloats?: boolean }): Signal
}

/** Return a new id: `evt_` and 26 characters. */
export function newEventId(): string
/** Return a new trace id: `trc_` and 26 characters. */
export function newTraceId(): string

// ---- Synapse

export const DEFAULT_URL: string

export interface SynapseOptions {
  /**
   * `zmtp` is written in JavaScript. `libzmq` is the package `zeromq`, which answers the Synapse also
   * while the event loop is blocked. By default the variable COSMO_CARRIER, else `zmtp`.
   */
  carrier?: 'zmtp' | 'libzmq'
  /** Where warnings go; null for silence. A Dendrite that has a logger of its own uses that. */
  logger?: Logger | null
  /**
   * For a Synapse with keys: the path of a file NAME.key, a `Key`, or its fields; null for none. By
   * default the variable COSMO_KEY, a path, else that of the context. Over a network it needs the package `zeromq`.
   */
  key?: string | Key | KeyFields | null
}

/** What a file NAME.key holds. */
export interface KeyFields {
  name: string
  /** `cpk_...` */
  public: string
  /** `csk_...` */
  secret: string
  /** The public keys that the Synapse may have; during a rotation two. */
  synapse: readonly string[]
  url?: string | null
}

/** The key of one user. Its secret is shown nowhere. */
export class Key {
  /** @throws {InvalidKey} A field is missing or wrong. */
  constructor(fields: KeyFields, what?: string)
  /**
   * Read a file NAME.key.
   * @throws {InvalidKey} It is missing, others may read or change it, or a line of it is wrong.
   */
  static read(path: string): Key
  readonly name: string
  readonly public: string
  readonly synapse: readonly string[]
  readonly url: string | null
  toString(): string
  toJSON(): Omit<KeyFields, 'secret'>
}

/** A Synapse in a process of its own. Several Dendrites may share one. */
export class Synapse implements AsyncDisposable {
  /**
   * @throws {InvalidUrl} The URL names no endpoint.
   * @throws {InvalidContext} The context cannot be used.
   * @throws {InvalidKey} The key cannot be used.
   */
  constructor(url?: string, options?: SynapseOptions)
  get url(): string
  /** Resolve when a Synapse answers; null waits for ever. 5000 ms by default. */
  connect(timeoutMs?: number | null): Promise<void>
  /** Close every connection that was made by it and is still open. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Resolve to the Synapse behind a URL, once it has answered.
 * @param url `cosmo://host[:port]`, a list of them such as `cosmo://a:7070,b:7070`, or `cosmo+ipc://path`. By default the
 *   variable COSMO_URL, else that of the context, else that of the key, else `cosmo://127.0.0.1:7070`.
 * @throws {InvalidUrl} The URL names no endpoint.
 * @throws {InvalidContext} The context cannot be used.
 * @throws {InvalidKey} The key cannot be used.
 * @throws {AccessRefused} It needs a key, or lets this one not in.
 * @throws {SynapseUnreachable} No answer within `timeoutMs`, 5000 by default; null waits for ever.
 * @throws {SynapseRefused} A Synapse of another version answered.
 * @throws {MissingExtra} The package `zeromq` is needed and not installed.
 */
export function connectSynapse(
  url?: string,
  options?: SynapseOptions & { timeoutMs?: number | null },
): Promise<Synapse>

// ---- Axon and Neuron

type Promised<T> = T | PromiseLike<T>

/** Yields texts, which stream; returns the output, or yields an object as its last value. */
export type NeuronStream = AsyncGenerator<any, any, any> | Generator<any, any, any>

/** The function of an Axon. */
export type Neuron<Input = any> = (
  input: Input,
  context: TaskContext,
) => Promised<unknown> | NeuronStream

export interface AxonOptions<Input = any> {
  /** 1 to 128 characters of `A-Z a-z 0-9 . _ -`. Axons with the same id are replicas. */
  neuronId: string
  neuronFn: Neuron<Input>
  capabilities?: Iterable<string>
  version?: string | null
  /** The number of tasks that run at once, 64 by default. */
  concurrency?: number
  /** The number of tasks that may wait, 1024 by default. */
  maxQueued?: number
  /** Receives the `contextRef` of a TASK and returns the context items. */
  contextFetcher?: ((reference: any) => Promised<unknown[]>) | null
  /** How many tasks may begin in a time, such as '10/s', '100/m' or '5/2s'; others wait. */
  rateLimit?: string | null
  /** What it is for, for people and for models. */
  description?: string
  /** The JSON Schema of its input, with type 'object'; `check` checks values. */
  input?: Record<string, unknown> | null
  /** The JSON Schema of its output, likewise; `checkOutput` checks values. */
  output?: Record<string, unknown> | null
  /** Checks the input before `neuronFn` runs; what does not fit is ERROR `BAD_INPUT`. */
  check?: InputCheck | StandardSchema | null
  /** Checks what `neuronFn` gives before it is sent; what does not fit is ERROR `BAD_OUTPUT`. */
  checkOutput?: OutputCheck | StandardSchema | null
}

/** Returns what does not fit, as a text or several; nothing if the input fits. */
export type InputCheck = (
  input: any,
) => Promised<string | readonly (string | StandardIssue)[] | null | undefined | void>

/** The same of an output, as its caller receives it: what is no object as `{ value }`. */
export type OutputCheck = (
  output: any,
) => Promised<string | readonly (string | StandardIssue)[] | null | undefined | void>

/** One thing that does not fit, as Standard Schema tells it. */
export interface StandardIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** A schema of zod, valibot, arktype and others: see https://standardschema.dev. */
export interface StandardSchema {
  readonly '~standard': {
    readonly validate: (
      value: unknown,
    ) => Promised<{ readonly issues?: readonly StandardIssue[] | undefined }>
  }
}

/** What a Neuron is for, takes and gives. */
export interface Card {
  readonly neuronId: string
  /** Empty if it does not tell. */
  readonly description: string
  /** The JSON Schema of its input; null if anything may come. */
  readonly input: Record<string, unknown> | null
  readonly output: Record<string, unknown> | null
  readonly capabilities: readonly string[]
  readonly version: string | null
  /** 16 hex digits; cards with the same content have the same. */
  readonly digest: string
}

/** A Neuron with an id and capabilities. Frozen: several Dendrites may host the same one. */
export class Axon<Input = any> {
  /** @throws {InvalidArgument} An option is missing, unknown or invalid. */
  constructor(options: AxonOptions<Input>)
  readonly neuronId: string
  readonly neuronFn: Neuron<Input>
  readonly capabilities: readonly string[]
  readonly version: string | null
  readonly concurrency: number
  readonly maxQueued: number
  readonly rateLimit: string | null
  readonly description: string
  readonly input: Record<string, unknown> | null
  readonly output: Record<string, unknown> | null
}

export type StreamedType =
  | 'THOUGHT_DELTA'
  | 'TOOL_CALL'
  | 'TOOL_RESULT'
  | 'PLAN'
  | 'CRITIQUE'
  | 'CONSENSUS'
  | 'CONTEXT_SYNC'
  | 'MEMORY_APPEND'

/**
 * The second argument of a Neuron. Calls that stream send at once; the promise waits while the
 * outbox is full, so await it in a loop.
 */
export interface TaskContext {
  readonly task: Signal
  readonly traceId: string
  /** Aborts when the caller cancels or is gone, a STOP comes or the time is over. */
  readonly signal: AbortSignal
  readonly cancelled: boolean
  readonly deadline: Date
  readonly remainingMs: number
  readonly items: readonly any[]
  think(text: string, options?: { kind?: string }): Promise<Signal>
  toolCall(name: string, args?: unknown, options?: { callId?: string }): Promise<Signal>
  toolResult(
    call: string | Signal,
    result?: unknown,
    options?: { error?: string; callId?: string },
  ): Promise<Signal>
  plan(steps: Iterable<unknown>, rationale?: string): Promise<Signal>
  emit(type: StreamedType, payload?: Values): Promise<Signal>
  /** Send a child task: same trace, at most the remaining time, cancelled with this one. */
  dispatchAndWait(options: CallOptions): Promise<Signal>
  ask<Output = any>(options: CallOptions): Promise<Output>
  dispatch(options: DispatchOptions): Pathway
}

// ---- Dendrite

/** One Axon by its id, or any one that offers all of the capabilities. */
export type Address =
  | { neuron: string; capabilities?: undefined }
  | { neuron?: undefined; capabilities: Iterable<string> }

interface TaskOptions {
  input?: unknown
  /** The overall limit in milliseconds. */
  timeoutMs?: number
  /** Cancels the task, at its worker too. */
  signal?: AbortSignal
  traceId?: string
  parentId?: string
  contextRef?: unknown
  /** Whether the output ends the workflow: it arrives as FINAL. */
  finalize?: boolean
  meta?: Values
  /** Whether the task runs on when this process goes away. */
  keep?: boolean
  /** Whether to wait for answers to its questions from another Dendrite or `cosmo answer`. */
  answerElsewhere?: boolean
}

export type CallOptions = Address & TaskOptions
export type DispatchOptions = CallOptions & { scope?: 'all' | 'terminal' }
export type TaskOnlyOptions = Address & Omit<TaskOptions, 'signal' | 'keep' | 'answerElsewhere'>

/** Which Signals a handler gets. */
export interface SignalFilter {
  /** Neuron id of the producer, or of the destination of a TASK. */
  neuron?: string
  capability?: string
  traceId?: string
}

export type SignalHandler = (signal: Signal) => unknown
/** Stops the calls of a handler. */
export type Off = () => void

interface OnType {
  (fn: SignalHandler): Off
  (filter: SignalFilter, fn: SignalHandler): Off
}

export interface Logger {
  warn(text: string, error?: unknown): void
}

/** Another tool than OpenTelemetry: what it adds to a TASK, and how it calls a Neuron. */
export interface InjectedTracing {
  /** Add the `traceparent` of what is current to the meta of a TASK that is sent next. */
  inject?(meta: Record<string, unknown>): unknown
  /**
   * Call a Neuron within the trace context that came with its TASK. `fn` returns a promise that
   * resolves at the end of a Neuron that waits; undefined for one that has ended.
   */
  run?(
    meta: { traceparent?: string; tracestate?: string },
    fn: () => Promise<void> | undefined,
  ): unknown
}

/** The API of OpenTelemetry: `import * as api from '@opentelemetry/api'`. */
export interface TracingApi {
  trace: { getTracer(name: string, version?: string, options?: object): unknown }
  context?: object
}

export interface DendriteOptions {
  synapse: Synapse
  /** Signals never cross from one to another. By default COSMO_NAMESPACE, else that of the context, else `default`. */
  namespace?: string
  /** A name for people; need not be unique. */
  dendriteId?: string
  /** A `worker` may not dispatch by itself. */
  role?: 'orchestrator' | 'worker'
  /** 16 MiB by default. */
  maxSignalBytes?: number
  /** Null for silence; by default `process.emitWarning`. */
  logger?: Logger | null
  /** Whether whole floats arrive as `Float`, and so go on as floats. */
  floats?: boolean
  /** By default OpenTelemetry, if a TracerProvider is registered before `start`; null for none. */
  tracing?: TracingApi | InjectedTracing | null
}

/** A live Axon, as the Synapse knows it. */
export interface NeuronRecord {
  readonly neuronId: string
  readonly capabilities: readonly string[]
  readonly dendriteId: string
  /** 32 hex digits that name the connection. */
  readonly instance: string
  readonly state: 'alive' | 'stuck' | 'away'
  /** Its tasks in the Synapse. */
  readonly open: number
  /** As its last heartbeat says. */
  readonly running: number
  readonly queued: number
  readonly loopLagMs: number
  readonly version: string | null
  readonly role: string | null
  /** The first line of its description; null if it tells none. */
  readonly description: string | null
  /** The digest of its card; null without one. */
  readonly card: string | null
}

/** A Dendrite, as the Synapse knows it. */
export interface DendriteRecord {
  readonly dendriteId: string
  readonly instance: string
  readonly state: 'alive' | 'stuck' | 'away'
  /** The number of its Axons. */
  readonly axons: number
  /** Its own tasks in the Synapse. */
  readonly open: number
  /** Whether it has dispatched. */
  readonly calls: boolean
  readonly ageMs: number
}

/** An open task, as the Synapse knows it. */
export interface TaskRecord {
  /** The id of its TASK. */
  readonly id: string
  readonly traceId: string
  /** `running`: a worker has it; `parked`, `wanted`: the Synapse has just started. */
  readonly state: 'running' | 'parked' | 'wanted'
  /** The Axon that has it, or that it was sent to; empty if it was sent by capabilities. */
  readonly neuron: string
  /** Those that it was sent by. */
  readonly capabilities: readonly string[]
  /** The Dendrite that hosts that Axon; empty if none has it. */
  readonly dendriteId: string
  readonly instance: string
  /** The Dendrite that sent it; empty if it has left. */
  readonly caller: string
  readonly callerInstance: string
  /** The name of the key of its caller; empty without keys. */
  readonly user: string
  /** Whether its caller has cancelled it. */
  readonly cancelled: boolean
  readonly ageMs: number
  /** Until its deadline; null if that is not known. */
  readonly remainingMs: number | null
  /** The size of its TASK; null if that is not known. */
  readonly bytes: number | null
}

/** The load of a Synapse, and its counters. */
export interface SynapseState {
  readonly uptimeMs: number
  readonly draining: boolean
  readonly connections: number
  readonly away: number
  readonly axons: number
  readonly open: number
  readonly parked: number
  readonly subscriptions: number
  readonly counts: { readonly [name: string]: number }
  /** What grew in the last `recentMs`. */
  readonly recentMs: number
  readonly recent: { readonly [name: string]: number }
  /** The URL of this Synapse: of a list, or of a name, the one that was asked. */
  readonly url: string
  /** Whether it does not hear another Synapse of its fabric: there may be a second one that leads. */
  readonly half: boolean
  /** What its user should know about the fabric, as a sentence; empty if nothing. */
  readonly warning: string
  /** Whose state it is, for a key without the right `inspect`; null for that of all. */
  readonly namespace: string | null
  /** The version of the package that it runs; empty if it does not tell. */
  readonly release: string
  /** Its wall clock at the answer, in ms as of Date; null if it does not tell. */
  readonly tsMs: number | null
  /** `leader` or `leaving`, as one of several Synapses; empty for one that was told of no other. */
  readonly role: string
  /** The number of the time in which it leads. */
  readonly term: number
  /** The other Synapses that it was told of; empty for a key without the right `inspect`. */
  readonly peers: readonly SynapsePeer[]
}

/** Another Synapse of the same fabric, as the one that was asked knows it. */
export interface SynapsePeer {
  readonly url: string
  /** As it reports: `standby`, `leader`, `leaving`; or `closed`, `silent`, `unknown`, `own`. */
  readonly role: string
  /** Of its last report; null without one. */
  readonly term: number | null
  readonly clients: number | null
  /** Since its last report; null without one. */
  readonly heardMs: number | null
  /** Whether the same keys are allowed there; null without keys. */
  readonly sameUsers: boolean | null
}

export interface EmitOptions {
  /** The Signal that it belongs to: gives traceId and parentId. */
  about?: Signal
  traceId?: string
  parentId?: string | null
  /** The producer; this Dendrite by default. */
  directed?: Directed | null
  meta?: Values
}

/** 32,768 Signals may wait to be read; further ones are dropped and counted. */
export interface SignalIterator extends AsyncIterableIterator<Signal> {
  readonly dropped: number
}

/** The client of a Synapse that hosts Axons, dispatches TASKs and receives Signals. */
export class Dendrite implements AsyncDisposable {
  /** @throws {InvalidArgument} An option is missing, unknown or invalid. */
  constructor(options: DendriteOptions)
  readonly synapse: Synapse
  readonly namespace: string
  readonly dendriteId: string
  get role(): 'orchestrator' | 'worker'
  get state(): 'new' | 'starting' | 'running' | 'away' | 'stopping' | 'stopped'
  /** For how long the Synapse has been away, in milliseconds; null while it is there. */
  get awayMs(): number | null
  /** What was dropped, lost, missed and sent again so far, by name; a copy. */
  get counts(): { [name: string]: number }
  /** The name of our key at the Synapse; empty without one. */
  get user(): string
  /** What our key may do, in words such as `serve=invoice-*`; null for everything, and before `start`. */
  get may(): readonly string[] | null

  /**
   * Connect and register the Axons.
   * @throws {SynapseUnreachable} Not within `timeoutMs`, 5000 by default; null waits for ever.
   * @throws {SynapseRefused} The Synapse does not serve this namespace, or is full.
   * @throws {AccessRefused} Our key may not enter the namespace, serve an Axon, or listen to what a
   *   handler wants.
   */
  start(options?: { timeoutMs?: number | null }): Promise<this>
  /** Deregister, finish the running tasks within `drainMs` (10,000), send all replies, close. */
  stop(options?: { reason?: string; drainMs?: number }): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
  /** Wait for SIGINT or SIGTERM, then stop; resolve to its name. Starts a Dendrite that is new. */
  serve(): Promise<'SIGINT' | 'SIGTERM'>
  onAway(fn: (why: string) => unknown): Off
  onBack(fn: () => unknown): Off

  /** Host an Axon; before `start`. */
  attachAxon(axon: Axon): this
  /** Host an Axon at any time. */
  addAxon(axon: Axon): Promise<void>
  detachAxon(neuronId: string, options?: { drainMs?: number }): Promise<void>

  /**
   * Send a TASK; resolve to the Signal that settles it. 30,000 ms by default.
   * @throws {TimeoutError} Nothing settled it in time; SynapseAway, if it never left.
   * @throws {AccessRefused} Our key may not send it; nothing has left.
   */
  dispatchAndWait(options: CallOptions): Promise<Signal>
  /**
   * Send a TASK; resolve to its output.
   * @throws {NeuronError} The outcome is an ERROR.
   * @throws {NeedsAnswer} The outcome is a question.
   */
  ask<Output = any>(options: CallOptions): Promise<Output>
  /** Send a TASK and return a Pathway, which receives all of its Signals. 300,000 ms by default. */
  dispatch(options: DispatchOptions): Pathway
  /** Send a TASK and return it; its outcome goes to the handlers. */
  dispatchTask(options: TaskOnlyOptions): Signal
  /** Resolve to a Pathway on a trace of other Dendrites, when it is in force. */
  observePathway(traceId: string): Promise<Pathway>

  /** Answer a CLARIFICATION. Resolves to the new TASK, or to null if it has an answer already. */
  respondToClarification(
    question: Signal,
    answer: unknown,
    more?: { extra?: Values },
  ): Promise<Signal | null>
  respondToPermission(
    question: Signal,
    granted: boolean,
    more?: { reason?: string; ttlMs?: number },
  ): Promise<Signal | null>
  grantPermission(
    question: Signal,
    more?: { reason?: string; ttlMs?: number },
  ): Promise<Signal | null>
  denyPermission(
    question: Signal,
    more?: { reason?: string; ttlMs?: number },
  ): Promise<Signal | null>
  respondToEscalation(
    question: Signal,
    more?: { input?: unknown; neuron?: string },
  ): Promise<Signal | null>
  /** Resolve to the answer to a question, from any Dendrite. 300,000 ms by default. */
  awaitDecision(question: Signal, more?: { timeoutMs?: number }): Promise<Signal>

  /**
   * Call a function for every matching Signal of the namespace, one at a time. `onPlan` and the like
   * are the same for one type. 32,768 Signals may wait for it; further ones are dropped and counted.
   */
  onSignal(type: SignalType | SignalType[], fn: SignalHandler): Off
  onSignal(type: SignalType | SignalType[], filter: SignalFilter, fn: SignalHandler): Off
  /** Call a function for every Signal of a trace, in causal order. */
  onTrace(traceId: string, fn: SignalHandler): Off
  onTrace(traceId: string, filter: { types?: SignalType | SignalType[] }, fn: SignalHandler): Off
  /** Remove a function that was given to any `on...`; return how often it was. */
  off(fn: SignalHandler): number
  onAgentOutput: OnType
  onBid: OnType
  onClarification: OnType
  onClarificationAnswer: OnType
  onConsensus: OnType
  onContextSync: OnType
  onCritique: OnType
  onDeregisterSignal: OnType
  onErrorSignal: OnType
  onEscalation: OnType
  onFinal: OnType
  onHeartbeatSignal: OnType
  onMemoryAppend: OnType
  onPermission: OnType
  onPermissionDecision: OnType
  onPlan: OnType
  onRegisterSignal: OnType
  onTaskAwarded: OnType
  onTaskDeclined: OnType
  onTaskOffer: OnType
  onTaskSignal: OnType
  onThoughtDelta: OnType
  onToolCall: OnType
  onToolResult: OnType
  /** The matching Signals from now on; ends when this Dendrite stops. */
  signals(type: SignalType | SignalType[], filter?: SignalFilter): SignalIterator
  /** Publish a Signal to every subscriber of its type or its trace; return it. */
  emit(type: SignalType, payload?: Values, options?: EmitOptions): Signal
  emit(signal: Signal): Signal
  /** Resolve when every handler is in force. */
  sync(): Promise<void>
  /** Resolve to the live Axons that offer a capability, or to all of them. */
  findNeurons(capability?: string): Promise<NeuronRecord[]>
  /** Resolve to every live Axon of the namespace. */
  registrySnapshot(): Promise<NeuronRecord[]>
  /** Resolve to the first live Axon that serves an address. 30,000 ms by default. */
  waitForNeuron(options: Address & WaitLimits): Promise<NeuronRecord>
  /**
   * Resolve to the card of a live Neuron; kept by its digest. 5000 ms by default.
   * @throws {NeuronError} NO_SUCH_NEURON; BAD_OUTPUT, it sent no card; BAD_SIGNAL, it is of an
   *   older version.
   * @throws {TimeoutError | AccessRefused | SynapseUnreachable}
   */
  card(neuron: string, options?: { timeoutMs?: number }): Promise<Card>
  /** Resolve to the cards that match a pattern such as `fs.*`, by id; what fails is left out. */
  cards(pattern?: string, options?: { timeoutMs?: number }): Promise<Map<string, Card>>
  /** Resolve to every Dendrite of the namespace. */
  dendritesSnapshot(): Promise<DendriteRecord[]>
  /** Resolve to the open tasks of the namespace that the key may see. */
  openTasks(): Promise<TaskRecord[]>
  /** Resolve to the state of the Synapse. */
  synapseState(): Promise<SynapseState>
}

/**
 * All Signals of a dispatched TASK, or of a trace, in order, for any number of readers. `break`
 * leaves a loop and nothing else; `close()` and `await using` cancel the task.
 */
export class Pathway implements AsyncDisposable, AsyncIterable<Signal> {
  private constructor()
  readonly traceId: string
  readonly role: 'caller' | 'observer'
  readonly scope: 'all' | 'terminal'
  readonly task: Signal | null
  get closed(): boolean
  /** The number of oldest Signals that were dropped. */
  get dropped(): number
  readonly counts: { [name: string]: number }
  /** Resolve to the next Signal that no `wait` has returned yet. */
  wait(limits?: WaitLimits): Promise<Signal>
  /** Resolve to the next Signal of a type that no `waitFor` of this type has returned yet. */
  waitFor(type: SignalType, limits?: WaitLimits): Promise<Signal>
  /** Resolve to the Signal that ended this Pathway. */
  outcome(limits?: WaitLimits): Promise<Signal>
  [Symbol.asyncIterator](): AsyncIterableIterator<Signal>
  /** The texts of the THOUGHT_DELTAs without reasoning. */
  thoughts(): AsyncIterableIterator<string>
  /** Call a function for every Signal of a type, from the first on, one at a time. */
  on(type: SignalType, fn: SignalHandler): Off
  on(fn: SignalHandler): Off
  /** End it, and cancel the task if it still runs. */
  close(): void
  [Symbol.asyncDispose](): Promise<void>
}

export interface WaitLimits {
  timeoutMs?: number
  signal?: AbortSignal
}

// ---- errors

/** The root of every error that this package raises itself. */
export class CosmonapseError extends Error {
  constructor(message: string, options?: ErrorOptions)
  /** A text of the class that does not change from one version to the next. */
  readonly code: string
}
/** An error that this program can correct. */
export class LocalError extends CosmonapseError {}
/** A failure of another process, or of the network. */
export class RemoteError extends CosmonapseError {}
export class InvalidArgument extends LocalError {}
export class InvalidName extends InvalidArgument {
  constructor(what: string, value: unknown)
  readonly what: string
  readonly value: unknown
}
export class InvalidUrl extends InvalidArgument {
  constructor(url: string, reason: string)
  readonly url: string
  readonly reason: string
}
/** A context, or the file of the contexts, that cannot be used. */
export class InvalidContext extends InvalidArgument {
  constructor(what: string, reason: string, options?: ErrorOptions)
  readonly what: string
  readonly reason: string
}
/** A key, or the file of one, that cannot be used. */
export class InvalidKey extends InvalidArgument {
  constructor(what: string, reason: string, options?: ErrorOptions)
  readonly what: string
  readonly reason: string
}
export class UnencodableValue extends LocalError {
  constructor(path: string, reason: string)
  readonly path: string
  readonly reason: string
}
export class SignalTooLarge extends LocalError {
  constructor(size: number, limit: number)
  readonly size: number
  readonly limit: number
}
export class DendriteProtocolError extends LocalError {}
export class PathwayClosedError extends LocalError {}
export class MissingExtra extends LocalError {
  constructor(missing: string, why: string, options?: ErrorOptions)
  readonly package: string
}
export class SynapseUnreachable extends RemoteError {
  constructor(url: string, reason: string, hint: string)
  readonly url: string
  readonly reason: string
  readonly hint: string
}
/** The Synapse went away, and a TASK waited for it in vain: it ran nowhere. */
export class SynapseAway extends SynapseUnreachable {
  constructor(url: string, awayMs: number, task: string, refusal?: string)
  readonly awayMs: number
}
/** A task, a question or a wait had no outcome in its time. A SynapseAway is one, too. */
export class TimeoutError extends CosmonapseError {}
export class SynapseRefused extends RemoteError {
  constructor(url: string, reason: string)
  readonly url: string
  readonly reason: string
}
/** The Synapse refused for want of a key or of a right; `fix` says what to do. */
export class AccessRefused extends SynapseRefused {
  constructor(url: string, reason: string, fix?: string)
  readonly fix: string
  /** The status that an HTTP edge answers with. */
  readonly status: number
}
export class BadSignal extends RemoteError {}

export interface NeuronErrorOptions {
  code?: string
  /** Whether a retry may help; by default that of the code. */
  recoverable?: boolean
  retryAfterMs?: number | null
  cause?: unknown
}

/** A Neuron ended its task with an ERROR. A Neuron throws one to do so. */
export class NeuronError extends RemoteError {
  constructor(message: string, options?: NeuronErrorOptions)
  constructor(code: string, message: string, options?: NeuronErrorOptions)
  readonly recoverable: boolean
  readonly retryAfterMs: number | null
  /** The status that an HTTP edge answers with. */
  readonly status: number
}
/** The base of the errors that a Neuron throws to ask. */
export class Question extends RemoteError {
  readonly payload: Values
}
export class Clarification extends Question {
  constructor(question: string, more?: { context?: unknown })
}
export class PermissionNeeded extends Question {
  constructor(action: string, more?: { scope?: unknown; reason?: string; context?: unknown })
}
export class Escalation extends Question {
  constructor(reason: string, more?: { target?: string; context?: unknown })
}
/** A Neuron asked a question instead of answering. */
export class NeedsAnswer extends RemoteError {
  constructor(signal: Signal)
  readonly signal: Signal
  readonly status: 409
}

export interface CodeFacts {
  readonly recoverable: boolean
  readonly httpStatus: number
  readonly exitCode: number
}
/** The codes that the fabric itself uses; a Neuron may use codes of its own. */
export const CODES: { readonly [code: string]: CodeFacts }
/** Return the facts of a code, known or not. */
export function factsOf(code: string): CodeFacts
