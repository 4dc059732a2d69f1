// A client over a carrier in this process, for the tests of this folder.
import { Client } from '../../src/client/client.js'
import { KEEP, SETTLES } from '../../src/wire/wire.js'
import { FakeCarrier } from '../support/fake-carrier.js'
import { Recorder } from './receiver.js'

export const URL_TEXT = 'cosmo://here:7070'
export const TIMEOUT_MS = 20_000
export const id = (name) => Buffer.from(String(name).padStart(16, '.'))
export const turn = () => new Promise(setImmediate)

/** A client that is not open yet; the test `t` closes it. */
export function scene(t, { carrier = {}, ...options } = {}) {
  const far = new FakeCarrier(carrier)
  const receiver = new Recorder()
  const logged = []
  const client = new Client(
    {
      carrier: far,
      url: URL_TEXT,
      namespace: 'demo',
      name: 'me',
      log: (...said) => logged.push(said),
      ...options,
    },
    receiver,
  )
  t.after(() => client.close(0))
  return { far, receiver, client, logged }
}

/** The same, open. */
export async function opened(t, options = {}) {
  const made = scene(t, options)
  await made.client.open(TIMEOUT_MS, options.topics)
  await turn() // so that the turn of the greeting has ended
  return made
}

/** Send a task that stands out by its name. */
export const sendTask = (
  client,
  name,
  { to = 'echo', size = 1, ttlMs = 5000, keep = false } = {},
) => client.sendTask(to, [], id(name), id('trace'), 1, Buffer.alloc(size), ttlMs, keep ? KEEP : 0)
export const sendReply = (client, name, { caller = 'caller', index = 0, settles = true } = {}) =>
  client.sendReply(
    id(caller),
    id(name),
    id('trace'),
    2,
    Buffer.from('r'),
    index,
    settles ? SETTLES : 0,
  )
