// Which way the tasks of a Dendrite are traced: by OpenTelemetry, by functions, not at all.
import { InvalidArgument, shown } from '../errors.js'
import { GuardedTracing } from './guarded.js'
import { InjectedTracing } from './injected.js'
import { OpenTelemetry, registered } from './opentelemetry.js'
import { TaskSpans } from './task-spans.js'

const isFunction = (value) => typeof value === 'function'

/**
 * Return the argument `tracing` of a Dendrite, checked.
 * @throws {InvalidArgument} It is neither the API of OpenTelemetry nor an object of functions.
 */
export function checkedTracing(tracing) {
  if (tracing === undefined) return undefined
  if (tracing === null || tracing === false) return null
  const { inject, run, trace } = Object(tracing)
  const isInjected =
    (isFunction(inject) || isFunction(run)) &&
    [inject, run].every((each) => each === undefined || isFunction(each))
  if (isInjected || isFunction(trace?.getTracer)) return tracing
  throw new InvalidArgument(
    'tracing is the API of OpenTelemetry, an object with the functions inject and run, or null, ' +
      `not ${shown(tracing)}`,
  )
}

/**
 * Return what traces the tasks of a Dendrite that starts now; null for nothing.
 * @param {object | null | undefined} tracing As of `checkedTracing`; undefined: OpenTelemetry, if the
 *   program has registered a TracerProvider.
 * @param {{ namespace: string, dendriteId: string }} facts
 * @param {Record<string, number>} counts
 * @param {(text: string, error: unknown) => void} warn
 */
export function tracingFor(tracing, facts, counts, warn) {
  const api = tracing === undefined ? registered() : tracing
  return api === null ? null : new GuardedTracing(() => inner(api, facts, counts), warn)
}

function inner(api, facts, counts) {
  if (isFunction(api.trace?.getTracer)) return new TaskSpans(new OpenTelemetry(api), facts, counts)
  return new InjectedTracing(api, counts)
}
