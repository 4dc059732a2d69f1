// Axons: a function with an id and capabilities. Pure.
import { InvalidArgument, shown } from '../../errors.js'
import { checkedCapabilities, checkedName } from '../../names.js'
import { checkOptions } from '../../options.js'
import { Directed } from '../../signals/signals.js'
import { cardOf } from '../../signals/cards.js'
import { checkFor } from './input-check.js'
import { outputCheckFor } from './output-check.js'
import { checkedRate } from './rate-limit.js'

const OPTIONS = new Set([
  'neuronId',
  'neuronFn',
  'capabilities',
  'version',
  'concurrency',
  'maxQueued',
  'contextFetcher',
  'rateLimit',
  'description',
  'input',
  'output',
  'check',
  'checkOutput',
])

/** A Neuron with an id and capabilities. Frozen: several Dendrites may host the same one. */
export class Axon {
  /**
   * @param {object} options
   * @param {string} options.neuronId 1 to 128 characters of `A-Z a-z 0-9 . _ -`. Axons with the
   *   same id, in any process, are replicas and share the load.
   * @param {(input: any, context: import('./context.js').TaskContext) => any} options.neuronFn An
   *   async function, an async generator function, a plain function, which runs on the event loop,
   *   or a generator function.
   * @param {Iterable<string>} [options.capabilities] The capabilities that it offers.
   * @param {string} [options.version] A text for people.
   * @param {number} [options.concurrency] The number of tasks that run at once, at least 1.
   * @param {number} [options.maxQueued] The number of tasks that may wait; over it the caller
   *   gets ERROR `OVERLOADED`.
   * @param {(reference: any) => any} [options.contextFetcher] Receives the `context_ref` of a
   *   TASK and returns the context items, or a promise of them. Without one, an array is the items.
   * @param {string} [options.rateLimit] How many tasks may begin in a time, such as '10/s', '100/m'
   *   or '5/2s', for each Dendrite that hosts it: at even intervals, whatever the concurrency.
   *   Others wait as for a place.
   * @param {string} [options.description] What it is for, for people and for models.
   * @param {object} [options.input] The JSON Schema of its input; `check` checks values.
   * @param {object} [options.output] The JSON Schema of its output; `checkOutput` checks values.
   * @param {Function | object} [options.check] Checks the input before `neuronFn` runs: a function that
   *   returns findings (a text, or a list of texts), or nothing if the input fits; or an object of
   *   Standard Schema, such as those of zod, valibot and arktype. Either may return a promise. What
   *   does not fit is ERROR `BAD_INPUT`; `neuronFn` gets the input as it came.
   * @param {Function | object} [options.checkOutput] Checks what `neuronFn` gives, likewise, as its
   *   caller would receive it: what is no object as `{ value }`. What does not fit is ERROR `BAD_OUTPUT`.
   * @throws {InvalidArgument} An option is missing, unknown, of the wrong type or below its
   *   minimum; a schema is no object, or the card is over 64 KiB.
   */
  constructor(options) {
    checkOptions(options, OPTIONS, 'new Axon')
    const { neuronId, neuronFn, capabilities = [], version = null } = options
    const { concurrency = 64, maxQueued = 1024, contextFetcher = null, rateLimit = null } = options
    this.neuronId = checkedName('neuronId', neuronId)
    this.neuronFn = checkedFunction('neuronFn', neuronFn)
    this.capabilities = checkedCapabilities(capabilities)
    if (version !== null && typeof version !== 'string') {
      throw new InvalidArgument(`version must be a text, not ${shown(version)}`)
    }
    this.version = version
    this.#describe(options)
    /** Returns what does not fit in an input; null without a check. */
    this.findingsOf = checkFor(options.check ?? null, this.input)
    /** Returns what does not fit in an output; null without a check. */
    this.outputFindingsOf = outputCheckFor(options.checkOutput ?? null)
    this.concurrency = checkedCount('concurrency', concurrency, 1)
    this.maxQueued = checkedCount('maxQueued', maxQueued, 0)
    this.contextFetcher =
      contextFetcher === null ? null : checkedFunction('contextFetcher', contextFetcher)
    this.rateLimit = checkedRate(rateLimit)
    /** The producer of the Signals of its Neuron. */
    this.producer = Object.freeze(new Directed(neuronId, 'neuron', this.capabilities))
    Object.freeze(this)
  }

  #describe({ description = '', input = null, output = null }) {
    if (typeof description !== 'string') {
      throw new InvalidArgument(`description must be a text, not ${shown(description)}`)
    }
    this.description = description
    this.input = checkedSchema('input', input)
    this.output = checkedSchema('output', output)
    const isDescribed = description !== '' || input !== null || output !== null
    const { card = null, digest = null } = isDescribed ? cardOf(this) : {}
    /** What whoever asks for its card receives, and its digest; null without a description. */
    this.card = card
    this.digest = digest
  }
}

function checkedSchema(what, value) {
  if (value === null || (typeof value === 'object' && value.type === 'object')) return value
  throw new InvalidArgument(
    `${what} must be a JSON Schema with type: 'object' at its root, not ${shown(value)}`,
  )
}

function checkedFunction(what, value) {
  if (typeof value !== 'function') {
    throw new InvalidArgument(`${what} must be a function, not ${shown(value)}`)
  }
  if (/^class\b/.test(Function.prototype.toString.call(value))) {
    throw new InvalidArgument(
      `${what} must be a function, not the class ${value.name}: pass a method of an instance, as an arrow function`,
    )
  }
  return value
}

function checkedCount(what, value, least) {
  if (!Number.isInteger(value) || value < least) {
    throw new InvalidArgument(
      `${what} must be an integer of at least ${least}, not ${shown(value)}`,
    )
  }
  return value
}
