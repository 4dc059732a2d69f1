// Calls the function of a Neuron, whole or as a generator.
import { InvalidArgument, shown } from '../../errors.js'
import { TaskContext } from './context.js'
import { refuseMisfit } from './input-check.js'
import { isMap, isThrowable } from './outcomes.js'

/**
 * Call the function of a job and return its value as it comes: the value itself, a promise, or a
 * generator. An input that does not fit the check of its Axon throws BAD_INPUT.
 * @param {import('./job.js').Job} job
 * @param {{ think: Function, thinkOn: Function, child: Function, clock: () => number }} port See TaskContext.
 */
export function invoke(job, port) {
  const { findingsOf } = job.slots.axon
  if (findingsOf === null) return invoked(job, port)
  const { input } = job.signal.payload
  const findings = findingsOf(input)
  if (isPromise(findings)) return checkedAndInvoked(job, port, findings)
  refuseMisfit(findings, input)
  return invoked(job, port)
}

async function checkedAndInvoked(job, port, findings) {
  refuseMisfit(await findings, job.signal.payload.input)
  if (job.reason !== null) throw job.reason
  return invoked(job, port)
}

function invoked(job, port) {
  const { axon } = job.slots
  const { context_ref: reference } = job.signal.payload
  if (reference === undefined || reference === null || axon.contextFetcher === null) {
    return called(job, port, Array.isArray(reference) ? reference : [])
  }
  return fetchedAndCalled(job, port, reference)
}

function called(job, port, items) {
  const { neuronFn } = job.slots.axon // so that its `this` is not the Axon
  return neuronFn(job.signal.payload.input, new TaskContext(job, port, items))
}

async function fetchedAndCalled(job, port, reference) {
  const items = await job.slots.axon.contextFetcher(reference)
  return called(job, port, [...(items ?? [])])
}

/** Tell whether a value is to be awaited, or iterated over, for the value of the Neuron. */
export const isPending = (value) => isPromise(value) || isGenerator(value)

/**
 * Return the value of the Neuron behind a promise or a generator.
 *
 * Every text that a generator yields is sent as a THOUGHT_DELTA. Its value is the one that it
 * returns, else the last object that it yielded, else `{ response }` with the joined texts.
 * @param {unknown} pending See `isPending`.
 * @param {import('./job.js').Job} job
 * @param {{ thinkOn: Function }} port
 */
export async function valueOf(pending, job, port) {
  const value = isPromise(pending) ? await pending : pending
  return isGenerator(value) ? outputOf(value, job, port) : value
}

const isPromise = (value) =>
  typeof value === 'object' && value !== null && typeof value.then === 'function'

/**
 * Tell whether a value is iterated over: an async iterable, or a generator. An array or a Map is a
 * value.
 */
function isGenerator(value) {
  if (typeof value !== 'object' || value === null) return false
  if (typeof value[Symbol.asyncIterator] === 'function') return true
  return typeof value.next === 'function' && typeof value[Symbol.iterator] === 'function'
}

/** Step a generator by hand: `for await` would lose what it returns. */
async function outputOf(iterable, job, port) {
  const isAsync = typeof iterable[Symbol.asyncIterator] === 'function'
  const generator = iterable[isAsync ? Symbol.asyncIterator : Symbol.iterator]()
  let text = ''
  let output
  let isDone = false
  try {
    for (;;) {
      const step = isAsync ? await generator.next() : generator.next()
      isDone = step.done === true
      if (job.reason !== null) throw job.reason
      if (isDone) return step.value ?? output ?? { response: text }
      if (typeof step.value === 'string') {
        text += step.value
        const wait = port.thinkOn(job, step.value)
        if (wait !== null) await wait
      } else output = checkedOutput(step.value)
    }
  } finally {
    // Its `finally` blocks run: it may hold a connection. One that has thrown ignores this.
    if (!isDone) await generator.return?.()
  }
}

function checkedOutput(value) {
  if (isMap(value) || isThrowable(value)) return value
  throw new InvalidArgument(`a Neuron yields strings or a final object, not ${shown(value)}`)
}
