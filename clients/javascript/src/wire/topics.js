// Topics of the broadcast plane: docs/spec/01-wire.md, "Topics". Pure. Nobody else builds one.

const MAX_TOPIC_BYTES = 512

/** The sentinel: a publisher that sees it knows all its listeners (05-broadcast.md). */
export const SENTINEL = '~live/'

/** Return the topic of all messages of one kind. @param {string} namespace @param {number} code 0 to 255 */
export const kindTopic = (namespace, code) => `${namespace}/t/${code}/`

/** Return the topic of all messages of one trace. @param {string} namespace @param {Buffer} trace 16 bytes */
export const traceTopic = (namespace, trace) => `${namespace}/r/${trace.hexSlice(0, 16)}/`

/**
 * Return a topic whose subscription the proxy answers at once with a message on it.
 * @param {string} namespace
 * @param {Buffer} instance 16 bytes
 * @param {number} turn 0 to 999,999,999, another one each time
 */
export const syncTopic = (namespace, instance, turn) =>
  `${namespace}/_sync/${instance.hexSlice(0, 16)}-${turn}/`

const TOPIC =
  /^([A-Za-z0-9._-]{1,128})\/(?:t\/(0|[1-9][0-9]{0,2})|r\/([0-9a-f]{32})|_sync\/[0-9a-f]{32}-[0-9]{1,9})\/$/

/**
 * Read a topic.
 * @param {string} topic one character a byte (latin1)
 * @returns {{ namespace: string, kind: number | null, trace: Buffer | null } | string} kind and
 *   trace are null for a sync topic; or the reason why it is refused: `long_topic`, `bad_topic`
 */
export function readTopic(topic) {
  if (topic.length > MAX_TOPIC_BYTES) return 'long_topic'
  const match = TOPIC.exec(topic)
  if (match === null) return 'bad_topic'
  const [, namespace, kind, trace] = match
  if (kind !== undefined && Number(kind) > 255) return 'bad_topic'
  return {
    namespace,
    kind: kind === undefined ? null : Number(kind),
    trace: trace === undefined ? null : Buffer.from(trace, 'hex'),
  }
}
