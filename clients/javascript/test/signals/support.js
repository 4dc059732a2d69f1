// Makes bytes of msgpack by hand, for what no writer of ours would write.
import { Signal } from '../../src/signals/signals.js'

/** Joins hex texts, numbers (bytes) and Buffers. */
export const bytes = (...parts) =>
  Buffer.concat(
    parts.map((part) =>
      typeof part === 'string'
        ? Buffer.from(part, 'hex')
        : typeof part === 'number'
          ? Buffer.of(part)
          : part,
    ),
  )

export const u32 = (value) => {
  const four = Buffer.alloc(4)
  four.writeUInt32BE(value)
  return four
}

/** A Signal of that payload. */
export const signalOf = (payload, more = {}) => new Signal({ type: 'PLAN', payload, ...more })

/** What arrives of a payload. */
export const sent = (payload, options) => Signal.decode(signalOf(payload).encode(), options).payload
