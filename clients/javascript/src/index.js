export { Dendrite } from './dendrite/dendrite.js'
export { Axon } from './dendrite/worker/axon.js'
export { Pathway } from './dendrite/caller/pathway.js'
export { Signal, Directed, SignalType } from './signals/signals.js'
export { Float } from './signals/msgpack.js'
export { newEventId, newTraceId } from './signals/ids.js'
export { Key } from './access/key.js'
export {
  AccessRefused,
  BadSignal,
  CODES,
  Clarification,
  CosmonapseError,
  DendriteProtocolError,
  Escalation,
  InvalidArgument,
  InvalidContext,
  InvalidKey,
  InvalidName,
  InvalidUrl,
  LocalError,
  MissingExtra,
  NeedsAnswer,
  NeuronError,
  PathwayClosedError,
  PermissionNeeded,
  Question,
  RemoteError,
  SignalTooLarge,
  SynapseAway,
  SynapseRefused,
  SynapseUnreachable,
  TimeoutError,
  UnencodableValue,
  factsOf,
} from './errors.js'
export { DEFAULT_URL, Synapse, connectSynapse } from './synapse.js'
