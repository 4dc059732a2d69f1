// Make the TASK of the options of a dispatch. Pure.
import { InvalidArgument, shown } from '../../errors.js'
import { checkedCapabilities, checkedName } from '../../names.js'
import { CARD_MARK } from '../../signals/cards.js'
import { Directed, Signal } from '../../signals/signals.js'
import { idBytes, isId, newEventId } from '../../signals/ids.js'
import { checkOptions } from '../../options.js'
import { checkAbortSignal, checkedTimeout } from './checks.js'
import { OpenTask } from './open-tasks.js'

const KNOWN_NEURONS = 1024

const OPTIONS = new Set([
  'neuron',
  'capabilities',
  'input',
  'timeoutMs',
  'signal',
  'traceId',
  'parentId',
  'contextRef',
  'finalize',
  'meta',
  'keep',
  'answerElsewhere',
])
const DISPATCH_OPTIONS = new Set([...OPTIONS, 'scope'])
const TASK_OPTIONS = new Set(
  [...OPTIONS].filter((each) => !['signal', 'keep', 'answerElsewhere'].includes(each)),
)

/** The verbs that make a TASK: their options, and the time that it may take by default. */
export const VERBS = Object.freeze({
  ask: { name: 'ask', options: OPTIONS, timeoutMs: 30_000 },
  dispatchAndWait: { name: 'dispatchAndWait', options: OPTIONS, timeoutMs: 30_000 },
  dispatch: { name: 'dispatch', options: DISPATCH_OPTIONS, timeoutMs: 300_000 },
  dispatchTask: { name: 'dispatchTask', options: TASK_OPTIONS, timeoutMs: 300_000 },
})

/**
 * Return the open task that the options of a dispatch describe; it is not sent yet.
 *
 * @param {object} options See `Dendrite.dispatchAndWait`.
 * @param {{ name: string, options: Set<string>, timeoutMs: number }} verb One of VERBS.
 * @returns {OpenTask}
 * @throws {InvalidArgument} An option is unknown or has an invalid value; not exactly one of neuron
 *   and capabilities is given.
 */
export function taskFor(options, verb) {
  checkOptions(options, verb.options, verb.name)
  const { traceId = null, parentId = null, timeoutMs = verb.timeoutMs, meta } = options
  const directed = destination(options, verb.name)
  if (parentId !== null) checkedId('parentId', parentId)
  if (meta !== undefined) checkMeta(meta)
  checkAbortSignal(options.signal ?? null)
  const id = newEventId()
  const task = idBytes(id)
  const trace = traceId === null ? task : checkedId('traceId', traceId)
  const signal = new Signal({
    type: 'TASK',
    id,
    // 07-signals, "Ids", 4: a TASK that begins a trace has the same 26 characters in both ids.
    traceId: traceId ?? `trc_${id.slice(4)}`,
    parentId,
    directed,
    payload: payloadOf(options, directed),
    meta: meta ?? {},
  })
  const opened = new OpenTask(signal, task, trace, checkedTimeout(timeoutMs))
  opened.answerElsewhere = options.answerElsewhere === true
  opened.keep = options.keep === true
  return opened
}

/** Return the open task that asks a Neuron for its card; it has no input, and runs nothing. */
export function cardTask(neuronId, timeoutMs) {
  const id = newEventId()
  const signal = new Signal({
    type: 'TASK',
    id,
    traceId: `trc_${id.slice(4)}`,
    directed: named(neuronId),
    payload: {},
    meta: { [CARD_MARK]: true },
  })
  const opened = new OpenTask(signal, idBytes(id), idBytes(id), timeoutMs)
  opened.isObserved = false
  return opened
}

function payloadOf({ input, contextRef, finalize }, { capabilities }) {
  // A TASK without an input is none; null is what JSON makes of undefined, too.
  const payload = { input: input === undefined ? null : input }
  if (capabilities.length > 0) payload.capabilities = capabilities
  if (contextRef !== undefined && contextRef !== null) payload.context_ref = contextRef
  if (finalize === true) payload.finalize = true
  return payload
}

/**
 * Return the destination of a TASK.
 *
 * @param {{ neuron?: string, capabilities?: Iterable<string> }} options Exactly one of them.
 * @param {string} verb The verb, for the error.
 * @returns {Directed}
 */
export function destination({ neuron, capabilities }, verb) {
  if (neuron !== undefined && neuron !== null) {
    if (capabilities === undefined || capabilities === null) return named(neuron)
    throw new InvalidArgument(`${verb} takes either neuron or capabilities, and not both`)
  }
  const names = capabilities ?? []
  const list = checkedCapabilities(typeof names === 'string' ? [names] : names)
  if (list.length > 0) return new Directed(null, 'neuron', list)
  throw new InvalidArgument(
    `${verb} needs neuron, the id of one, or capabilities, a list of what one must offer`,
  )
}

const known = new Map()

/** Return the same destination for the same name: few neurons get many TASKs. */
function named(neuron) {
  let directed = known.get(neuron)
  if (directed === undefined) {
    directed = Object.freeze(new Directed(checkedName('neuron', neuron), 'neuron'))
    if (known.size >= KNOWN_NEURONS) known.clear()
    known.set(neuron, directed)
  }
  return directed
}

/** Return the 16 bytes of an id that the program gave. */
export function checkedId(name, id) {
  if (typeof id === 'string' && isId(id)) return idBytes(id)
  throw new InvalidArgument(
    `${name} must be an id, 'evt_' or 'trc_' and 26 characters of 0-9 a-v, not ${shown(id)}`,
  )
}

function checkMeta(meta) {
  if (typeof meta !== 'object' || meta === null || Array.isArray(meta) || meta instanceof Map)
    throw new InvalidArgument(`meta must be a plain object, not ${shown(meta)}`)
}
