// The input and the right output of each kind of task, as in tools/soak/tasks.py.
import { createHash } from 'node:crypto'

export const NAMESPACE = 'soak'
export const THOUGHTS = 50
export const CHILD = '/child'
const PAYLOAD_BYTES = 64 * 1024
/** How often each kind is chosen, out of 100. */
export const WEIGHTS = { echo: 50, sleep: 20, payload: 12, child: 10, stream: 8 }

function dataOf(nonce) {
  const eight = Buffer.alloc(8)
  eight.writeBigUInt64BE(BigInt(nonce))
  return Buffer.alloc(PAYLOAD_BYTES, eight)
}

/** Return the input of a task. */
export function request(kind, task, nonce) {
  const data = kind === 'payload' ? { data: dataOf(nonce) } : {}
  return { kind, task, nonce, ...data }
}

/** Return the right output; it names the task, so that no other output can pass for it. */
export function wanted(kind, task, nonce) {
  if (kind === 'payload') return { task, nonce, data: dataOf(nonce).reverse() }
  if (kind === 'child') return { task, nonce, child: { task: task + CHILD, nonce: nonce + 1 } }
  return { task, nonce }
}

/** Return a text that is the same for equal outputs only, whatever the order of their keys. */
export function digest(output) {
  return createHash('sha256').update(inOrder(output)).digest('hex').slice(0, 16)
}

function inOrder(value) {
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('base64')}`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const keys = Object.keys(value).sort()
  return `{${keys.map((key) => `${key}: ${inOrder(value[key])}`).join()}}`
}

/** Write numbers down in short, in their order: `0-2,5,4` for 0, 1, 2, 5, 4. */
export function runs(numbers) {
  const found = []
  for (const number of numbers) {
    const last = found.at(-1)
    if (last !== undefined && number === last[1] + 1) last[1] = number
    else found.push([number, number])
  }
  return found.map(([first, last]) => (last > first ? `${first}-${last}` : `${first}`)).join(',')
}
