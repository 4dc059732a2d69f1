// What a client can ask its Synapse: docs/spec/04-liveness.md, "Roster" and "State".
import test from 'node:test'
import assert from 'node:assert/strict'
import { SynapseUnreachable } from '../../src/errors.js'
import { Float } from '../../src/signals/msgpack.js'
import { VERB, packMap, readMap } from '../../src/wire/wire.js'
import { id, opened } from './scene.js'

const TIMEOUT_MS = 20_000
const seat = (number, facts = {}, vitals = {}) => [
  `seat${number}`,
  ['chat'],
  'worker',
  id('w'),
  'alive',
  2,
  facts,
  vitals,
  number,
]
/** Let the far end answer queries by `answer(query)`. */
function answering(far, answer) {
  far.queries = []
  far.onQuery = ({ task, body }) => {
    const query = readMap(body)
    far.queries.push(query)
    far.receive(VERB.ROSTER, { task, body: packMap(answer(query)) })
  }
}

test('the roster comes page by page, in the words of the port', async (t) => {
  const { client, far } = await opened(t)
  const facts = { version: '1.0', role: 'worker', description: 'Books', card: '0'.repeat(16) }
  const pages = [
    [[seat(3, facts, { running: 1, queued: 2, loop_lag_ms: 4 }), seat(5)], true],
    [[seat(9, { version: 7 })], false],
  ]
  answering(far, () => pages.shift())

  const rows = await client.roster({ neuronId: 'n', capability: 'c' }, TIMEOUT_MS)

  assert.deepEqual(far.queries, [
    { name: 'n', capability: 'c', after: 0 },
    { name: 'n', capability: 'c', after: 5 },
  ])
  assert.equal(rows.length, 3)
  assert.deepEqual(rows[0], {
    neuronId: 'seat3',
    capabilities: ['chat'],
    dendriteId: 'worker',
    instance: id('w').toString('hex'),
    state: 'alive',
    open: 2,
    running: 1,
    queued: 2,
    loopLagMs: 4,
    version: '1.0',
    role: 'worker',
    description: 'Books',
    card: '0'.repeat(16),
  })
  assert.deepEqual([rows[2].running, rows[2].version, rows[2].role], [0, null, null])
  assert.deepEqual([rows[2].description, rows[2].card], [null, null])
})

test('the Dendrites are told with times in ms; none by a Synapse that cannot tell', async (t) => {
  const { client, far } = await opened(t)
  const row = {
    name: 'web',
    instance: id('w'),
    state: 'away',
    seats: 1,
    open: 2,
    calls: true,
    age_s: new Float(2),
    number: 1,
  }
  answering(far, () => ({ clients: [row], more: false }))
  assert.deepEqual(await client.dendrites(TIMEOUT_MS), [
    {
      dendriteId: 'web',
      instance: id('w').toString('hex'),
      state: 'away',
      axons: 1,
      open: 2,
      calls: true,
      ageMs: 2000,
    },
  ])

  answering(far, () => [[], false])
  assert.deepEqual(await client.dendrites(TIMEOUT_MS), [])
})

test('open tasks are read page by page, each once; a Synapse that cannot tell gives null', async (t) => {
  const { client, far } = await opened(t)
  const row = (task, more = {}) => ({
    task: id(task),
    trace: id('t'),
    caller: id('c'),
    caller_name: 'web',
    user: 'ada',
    address: 'echo',
    state: 'running',
    worker: id('w'),
    worker_name: 'host',
    seat: 'echo',
    cancelled: false,
    age_ms: 7,
    left_ms: 93,
    bytes: 120,
    ...more,
  })
  const unserved = { address: '?chat,fr', state: 'wanted', worker: Buffer.alloc(0) }
  const unknown = row('2', { ...unserved, worker_name: '', seat: '' })
  delete unknown.left_ms
  delete unknown.bytes
  const asked = []
  answering(far, (fields) => {
    asked.push(fields)
    if (fields.after === undefined)
      return { tasks: [row('1'), unknown], more: true, after: Buffer.from([7]) }
    return { tasks: [row('2'), row('3')], more: false }
  })

  const tasks = await client.openTasks(TIMEOUT_MS)

  assert.deepEqual(
    asked.map(({ tasks: wanted, after }) => [wanted, after === undefined ? null : [...after]]),
    [
      [true, null],
      [true, [7]],
    ],
  )
  assert.deepEqual(
    tasks.map((each) => [each.id.slice(0, 4), each.neuron, each.capabilities, each.remainingMs]),
    [
      ['evt_', 'echo', [], 93],
      ['evt_', 'echo', [], 93],
      ['evt_', 'echo', [], 93],
    ],
  )
  assert.equal(new Set(tasks.map((each) => each.id)).size, 3)

  answering(far, () => ({ tasks: [unknown], more: false }))
  const [found] = await client.openTasks(TIMEOUT_MS)
  assert.deepEqual(
    [found.state, found.neuron, found.capabilities, found.instance, found.remainingMs, found.bytes],
    ['wanted', '', ['chat', 'fr'], '', null, null],
  )

  answering(far, () => [[], false])
  assert.equal(await client.openTasks(TIMEOUT_MS), null)
})

test('the state of the Synapse has the words of the port', async (t) => {
  const { client, far } = await opened(t)
  answering(far, () => ({
    uptime_s: 1.5,
    draining: false,
    clients: 3,
    away: 1,
    seats: 2,
    open: 5,
    parked: 0,
    topics: 4,
    counts: { copies: 2 },
  }))

  assert.deepEqual(await client.state(TIMEOUT_MS), {
    namespace: null,
    release: '',
    tsMs: null,
    role: '',
    term: 0,
    peers: [],
    uptimeMs: 1500,
    draining: false,
    connections: 3,
    away: 1,
    axons: 2,
    open: 5,
    parked: 0,
    subscriptions: 4,
    counts: { copies: 2 },
    recentMs: 0,
    recent: {},
  })
  assert.deepEqual(far.queries, [{ state: true }])
})

test('the state of a leader tells of the others of its fabric', async (t) => {
  const { client, far } = await opened(t)
  const counts = { clients: 3, away: 1, seats: 2, open: 5, parked: 0, topics: 4, counts: {} }
  const here = { uptime_s: 1.5, draining: false, ...counts, role: 'leader', term: 3 }
  const heard = { role: 'standby', term: 2, clients: 0, heard_s: 0.25, same_users: true }
  let peers = [{ url: 'cosmo://b:1', ...heard }, { url: 'cosmo://c:1', role: 'closed' }] // prettier-ignore
  answering(far, () => ({ ...here, peers }))

  const state = await client.state(TIMEOUT_MS)
  const known = { role: 'standby', term: 2, clients: 0, heardMs: 250, sameUsers: true }
  const unknown = { term: null, clients: null, heardMs: null, sameUsers: null }

  assert.deepEqual([state.role, state.term], ['leader', 3])
  assert.deepEqual(state.peers, [
    { url: 'cosmo://b:1', ...known },
    { url: 'cosmo://c:1', role: 'closed', ...unknown },
  ])
  peers = [{ url: 7 }]
  assert.deepEqual((await client.state(TIMEOUT_MS)).peers, [])
})

test('queries that cross get each its own answer', async (t) => {
  const { client, far } = await opened(t)
  const open = []
  far.onQuery = (query) => open.push(query)
  const one = client.roster({ neuronId: 'one' }, TIMEOUT_MS)
  const two = client.roster({ neuronId: 'two' }, TIMEOUT_MS)
  await far.until(() => far.of('ROSTER').length === 2)
  await new Promise(setImmediate)
  for (const { task, body } of open.reverse()) {
    const row = seat(1)
    row[0] = readMap(body).name
    far.receive(VERB.ROSTER, { task, body: packMap([[row], false]) })
    far.receive(VERB.ROSTER, { task, body: packMap([[], false]) }) // a second answer means nothing
  }

  assert.deepEqual([(await one)[0].neuronId, (await two)[0].neuronId], ['one', 'two'])
})

test('a query that a lost connection left unanswered is asked again, a barrier is not', async (t) => {
  const { client, far } = await opened(t)
  far.onQuery = () => {}
  const asked = client.roster({ neuronId: 'n' }, TIMEOUT_MS)
  const barrier = client.barrier(TIMEOUT_MS)
  await far.until(() => far.of('ROSTER').length === 2)
  await new Promise(setImmediate)
  const before = far.of('ROSTER').length

  far.disconnect()
  answering(far, () => [[seat(1)], false])
  far.welcome()

  assert.equal((await asked).length, 1)
  assert.equal(far.of('ROSTER').length, before + 1)
  assert.deepEqual(far.queries, [{ name: 'n', capability: '', after: 0 }])
  await client.close(0)
  assert.equal(await barrier, false)
})

test('a query without an answer, or with one that cannot be read, is SynapseUnreachable', async (t) => {
  const { client, far } = await opened(t)
  await assert.rejects(client.state(5), /no answer to a query in time/)
  answering(far, () => ({ draining: 'perhaps' }))
  await assert.rejects(client.state(TIMEOUT_MS), /cannot be read \(.*uptime_s/)

  far.onQuery = undefined
  const overtaken = client.roster({}, TIMEOUT_MS)
  await client.close(1000)
  await assert.rejects(overtaken, SynapseUnreachable)
})

test('a barrier is true when its answer has come, and false when that is not known', async (t) => {
  const { client, far } = await opened(t)
  assert.equal(await client.barrier(5), false)
  answering(far, () => [[], false])
  assert.equal(await client.barrier(TIMEOUT_MS), true)
  far.disconnect()
  assert.equal(await client.barrier(TIMEOUT_MS), false)
})
