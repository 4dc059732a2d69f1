export class CosmonapseError extends Error {
  constructor(message, options) {
    super(message, options)
    this.name = new.target.name
  }
}
export class SynapseUnreachable extends CosmonapseError {}
export class SynapseRefused extends CosmonapseError {}
export class DendriteProtocolError extends CosmonapseError {}
export class BadSignal extends CosmonapseError {}
export class PathwayClosedError extends CosmonapseError {}
export class TimeoutError extends CosmonapseError {}
export class SignalTooLarge extends CosmonapseError {
  constructor(size, limit) {
    super(`the Signal has ${size} bytes, ${limit} are allowed`)
    this.size = size
    this.limit = limit
  }
}
export class UnencodableValue extends CosmonapseError {
  constructor(path, what) {
    super(`${path}: ${what} cannot travel`)
    this.path = path
  }
}
export class NeuronError extends CosmonapseError {
  constructor(code, message, recoverable = CODES[code]?.[0] ?? false) {
    super(message)
    this.code = code
    this.recoverable = recoverable
    this.status = CODES[code]?.[1] ?? 502
  }
}
export class NeedsAnswer extends CosmonapseError {
  constructor(signal) {
    super(
      `${signal.type}: ${signal.payload.question ?? signal.payload.action ?? signal.payload.reason ?? ''}`,
    )
    this.signal = signal
    this.status = 409
  }
}
/** code -> [recoverable, HTTP status], docs/spec/07-signals.md */
export const CODES = {
  NO_SUCH_NEURON: [true, 503],
  NO_CAPABLE_NEURON: [true, 503],
  OVERLOADED: [true, 503],
  WORKER_LOST: [true, 502],
  TASK_LOST: [true, 502],
  REPLY_LOST: [false, 502],
  EXPIRED: [false, 504],
  CANCELLED: [false, 499],
  CANCEL_TIMEOUT: [false, 504],
  NEURON_EXCEPTION: [false, 502],
  BAD_OUTPUT: [false, 502],
  BAD_SIGNAL: [false, 400],
  BAD_INPUT: [false, 400],
  PROVIDER_ERROR: [false, 502],
  PROVIDER_UNREACHABLE: [true, 502],
}
