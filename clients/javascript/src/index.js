import { ZmtpCarrier } from './carriers/zmtp-carrier.js'
export { Dendrite } from './dendrite/dendrite.js'
export { Axon } from './dendrite/worker/axon.js'
export { Pathway } from './dendrite/caller/pathway.js'
export { Signal, Directed, SignalType } from './signals/signals.js'
export { Float } from './signals/msgpack.js'
export { newEventId, newTraceId } from './signals/ids.js'
export {
  BadSignal,
  CODES,
  Clarification,
  CosmonapseError,
  DendriteProtocolError,
  Escalation,
  InvalidArgument,
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

export const DEFAULT_URL = 'cosmo://127.0.0.1:7070'
function parse(text) {
  if (text.startsWith('cosmo+ipc://')) return { text, path: text.slice(12) }
  const url = new URL(text)
  if (url.protocol !== 'cosmo:')
    throw new RangeError(`${text}: cosmo://host[:port] or cosmo+ipc://path is needed`)
  return { text, host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 7070) }
}
export class Synapse {
  constructor(url, Carrier = ZmtpCarrier) {
    this.url = parse(url)
    this.Carrier = Carrier
  }
  carrier() {
    return new this.Carrier(this.url)
  }
}
/** Several Dendrites may share one. Whether somebody is there shows at start(). */
export async function connectSynapse(url = process.env.COSMO_URL ?? DEFAULT_URL, { carrier } = {}) {
  return new Synapse(url, carrier)
}
