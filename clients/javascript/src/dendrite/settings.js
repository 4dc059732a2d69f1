// Check the arguments of a new Dendrite.
import { chosen } from '../configuration/configuration.js'
import { InvalidArgument, shown } from '../errors.js'
import { checkedName } from '../names.js'
import { checkedLogger } from '../runtime/logger.js'
import { checkOptions } from '../options.js'
import { checkedTracing } from '../tracing/tracing.js'

const OPTIONS = new Set([
  'synapse',
  'namespace',
  'dendriteId',
  'role',
  'maxSignalBytes',
  'logger',
  'floats',
  'tracing',
])
const ROLES = ['orchestrator', 'worker']
const MAX_SIGNAL_BYTES = 16 * 1024 * 1024

/**
 * Return the arguments of a Dendrite with their defaults.
 *
 * @param {object} options See `Dendrite`.
 * @throws {InvalidContext} The context cannot be used.
 * @throws {InvalidArgument} One is missing, unknown or invalid.
 */
export function checkedSettings(options) {
  checkOptions(options, OPTIONS, 'new Dendrite')
  const {
    synapse,
    dendriteId = 'dendrite',
    role = 'orchestrator',
    maxSignalBytes = MAX_SIGNAL_BYTES,
    floats = false,
  } = options
  if (typeof synapse?.carrier !== 'function')
    throw new InvalidArgument(
      typeof synapse?.then === 'function'
        ? "synapse is a promise: write 'synapse: await connectSynapse(url)'"
        : `new Dendrite needs synapse, what connectSynapse(url) resolves to, not ${shown(synapse)}`,
    )
  if (!ROLES.includes(role))
    throw new InvalidArgument(`role must be 'orchestrator' or 'worker', not ${shown(role)}`)
  if (!Number.isSafeInteger(maxSignalBytes) || maxSignalBytes <= 0)
    throw new InvalidArgument(
      `maxSignalBytes must be a whole number of bytes over 0, not ${shown(maxSignalBytes)}`,
    )
  return {
    synapse,
    namespace: namespaceOf(options.namespace),
    dendriteId: checkedName('dendriteId', dendriteId),
    role,
    maxSignalBytes,
    logger: checkedLogger(options.logger),
    floats: floats === true,
    tracing: checkedTracing(options.tracing),
  }
}

/** Return the namespace that counts. */
function namespaceOf(given) {
  const { value, what } = chosen('namespace', given ?? undefined)
  return checkedName(what, value)
}
