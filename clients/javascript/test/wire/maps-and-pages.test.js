// The maps and pages of docs/spec/vectors.json, made and read.
import test from 'node:test'
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { Float, pack } from '../../src/signals/msgpack.js'
import * as wire from '../../src/wire/wire.js'
import { WireError } from '../../src/wire/wire-error.js'

const file = new URL('../../../../docs/spec/vectors.json', import.meta.url)
const v = JSON.parse(readFileSync(file, 'utf8'))
const hex = (text) => Buffer.from(text, 'hex')
/** Bytes as hex and floats as numbers, in the vectors and in what was read alike. */
const plain = (value) => {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  if ('$bytes' in value) return value.$bytes
  if ('$float' in value) return Number(value.$float)
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]))
}

const READERS = {
  hello: (body) => {
    const hello = wire.readHello(body)
    for (const key of ['calls', 'publish', 'runs', 'access', 'alone'])
      if (!hello[key]) delete hello[key]
    return hello
  },
  welcome: (body) => {
    const { epoch, listenPort, publishPort, heartbeatMs, maxBodyBytes, ...more } =
      wire.readWelcome(body)
    const { publish, older, runs, user, may, half, others } = more
    return {
      ...(publish && { publish }),
      ...(older && { older }),
      ...(runs && { runs }),
      ...(user && { user }),
      ...(may && { may }),
      ...(half && { half }),
      ...(others && { others }),
      epoch,
      listen_port: listenPort,
      publish_port: publishPort,
      heartbeat_ms: heartbeatMs,
      max_body_bytes: maxBodyBytes,
    }
  },
  who: wire.readMap,
  refused: wire.readMap,
  facts: wire.readMap,
  roster_seats: (body) => {
    const { rows, more } = wire.readSeats(body)
    return [rows.map(Object.values), more]
  },
  roster_clients: (body) => {
    const { rows, more } = wire.readClients(body)
    return { clients: rows, more }
  },
  roster_tasks: (body) => {
    const page = wire.readTasks(body)
    if (page === null) return null
    const { rows, after } = page
    return { tasks: rows, more: after !== null, ...(after !== null && { after }) }
  },
  state: wire.readState,
}
const WRITERS = {
  hello: (fields) =>
    wire.packHello({
      ...fields,
      secret: hex(fields.secret),
      instance: hex(fields.instance),
      epoch: hex(fields.epoch),
    }),
  facts: wire.packMap,
  roster_question: (fields) =>
    fields.clients ? wire.packClientsQuery(fields.after) : wire.packSeatsQuery(fields),
  tasks_question: ({ after }) => wire.packTasksQuery(after === undefined ? null : hex(after)),
  state_question: () => wire.STATE_QUERY,
}
const PROXY_ONLY = ['roster_question', 'tasks_question', 'state_question', 'role']

for (const m of [...v.maps, ...v.accepted_maps].filter((each) => each.as in READERS))
  test(`map read: ${m.name}`, () =>
    assert.deepEqual(plain(READERS[m.as](hex(m.body))), plain(m.fields)))

for (const m of v.maps.filter((each) => each.as in WRITERS))
  test(`map made: ${m.name}`, () =>
    assert.equal(WRITERS[m.as](plain(m.fields)).toString('hex'), m.body))

const ofClient = ({ as }) => !PROXY_ONLY.includes(as) && as !== 'facts'
for (const m of v.bad_maps.filter(ofClient))
  test(`bad map: ${m.as}, ${m.name}`, () =>
    assert.throws(
      () => READERS[m.as](hex(m.body)),
      (error) => error instanceof WireError && error.reason === m.reason,
    ))

test('a REFUSED says why', () => {
  const { body, fields } = v.maps.find((each) => each.as === 'refused')
  const read = (map) => {
    const { reason, fix, isAccess } = wire.readRefusal(wire.packMap(map))
    return [reason, fix, isAccess]
  }
  assert.equal(wire.readRefusal(hex(body)).reason, fields.reason)
  assert.deepEqual(read({}), ['no reason given', '', false])
  assert.deepEqual(read({ reason: 7, fix: 7, code: 7 }), ['7', '7', false])
  assert.deepEqual(read({ reason: 'r', fix: 'f', code: 'access' }), ['r', 'f', true])
})
test('a REFUSED of a standby names the others of its fabric', () => {
  const { body, fields } = v.maps.find((each) => each.name === 'REFUSED of a standby')
  const { isStandby, isAccess, fabric } = wire.readRefusal(hex(body))
  const read = (map) => wire.readRefusal(wire.packMap(map)).fabric

  assert.deepEqual([isStandby, isAccess, fabric], [true, false, fields.fabric])
  assert.deepEqual(read({ code: 'standby' }), [])
  assert.deepEqual(read({ code: 'standby', fabric: 'cosmo://a:1' }), [])
  assert.deepEqual(read({ code: 'standby', fabric: ['a', 7, null, 'b'] }), ['a', 'b'])
  assert.equal(read({ code: 'standby', fabric: Array(40).fill('a') }).length, 16)
  assert.deepEqual(read({ code: 'access', fabric: ['a'] }), [])
})
test('a page of seats in answer to a query for clients means that the proxy cannot tell', () => {
  const { body } = v.maps.find((each) => each.as === 'roster_seats')
  assert.deepEqual(wire.readClients(hex(body)), { rows: [], more: false })
  assert.equal(wire.readTasks(hex(body)), null)
})

const opened = ({ task, trace, next_index: nextIndex, left_ms: leftMs, keep }) => ({
  task: hex(task),
  trace: hex(trace),
  nextIndex,
  leftMs,
  keep,
})
const held = ({ kind, caller, task, trace, seat, left_ms: leftMs, keep }) => ({
  caller: hex(caller),
  task: hex(task),
  trace: hex(trace),
  neuronId: seat,
  claim: wire.CLAIM[kind],
  leftMs,
  keep,
})
const PAGES = {
  list: ({ items }) =>
    items.flatMap((each) => {
      if (each.kind === 'END') return wire.endOfList()
      return each.kind === 'GAP'
        ? [wire.gapItem(opened(each))]
        : wire.openedPages([opened(each)])[0]
    }),
  claims: ({ query, items }) => {
    const claims = items.filter((each) => each.kind !== 'END').map(held)
    return query === '' ? wire.claimPages(claims)[0] : wire.answerItems(claims)
  },
}
for (const page of v.pages.filter((each) => each.as in PAGES))
  test(`page made: ${page.message}`, () => {
    const { head, body } = v.messages.find((each) => each.name === page.message)
    const [madeHead, madeBody] = wire.packMessage(PAGES[page.as](page), page.query)
    assert.equal(madeHead.toString('hex'), head)
    assert.equal(madeBody.toString('hex'), body)
  })
for (const page of v.pages.filter((each) => each.as === 'workers'))
  test(`workers read: ${page.message}`, () => {
    const { head, body } = v.messages.find((each) => each.name === page.message)
    const [{ kind, body: ids }] = wire.parseMessage(hex(head), hex(body)).items
    assert.deepEqual(wire.readWorkers(ids).map(plain), page.instances)
    assert.equal(
      kind,
      page.flags.reduce((bits, flag) => bits | wire.WORKERS[flag], 0),
    )
  })
for (const page of v.pages.filter((each) => each.as === 'query'))
  test(`query read: ${page.message}`, () => {
    const { head, body } = v.messages.find((each) => each.name === page.message)
    const { address, peer, items } = wire.parseMessage(hex(head), hex(body))
    assert.deepEqual(
      {
        query: address,
        caller: peer.toString('hex'),
        items: items.map(({ task, number }) => ({
          task: task.toString('hex'),
          next_index: number,
        })),
      },
      { query: page.query, caller: page.caller, items: page.items },
    )
  })

const PAGE_READERS = {
  RESEND: wire.readOpened,
  CLAIM: wire.readClaim,
  WORKERS: ({ body }) => wire.readWorkers(body),
}
const PAGES_ONLY = new Set(Object.values(PAGE_READERS))
for (const { name, verb, kind, body, reason } of v.bad_pages)
  test(`bad page: ${name}`, () =>
    assert.throws(() => PAGE_READERS[verb](wire.item(0, { kind, body: hex(body) })), { reason }))

test('what a caller or a worker lists is read again', () => {
  const id = (byte) => Buffer.alloc(16, byte)
  const task = { task: id(1), trace: id(2), nextIndex: 7, leftMs: 250, keep: true }
  const claim = { task: id(1), trace: id(2), caller: id(3), neuronId: 'shouter', claim: 1 }
  const full = { ...claim, leftMs: 250, keep: true }

  assert.deepEqual(wire.readOpened(wire.openedPages([task])[0][0]), task)
  for (const address of ['mail', '?a,b', 'x'.repeat(128)]) {
    const addressed = { ...task, address }
    assert.deepEqual(wire.readOpened(wire.openedPages([addressed])[0][0]), addressed)
    assert.deepEqual(wire.readOpened(wire.gapItem(addressed)), task)
  }
  const long = `?${Array.from({ length: 300 }, (_, at) => `cap${at}`)}`
  assert.deepEqual(wire.readOpened(wire.openedPages([{ ...task, address: long }])[0][0]), task)
  assert.deepEqual(wire.readClaim(wire.claimPages([full])[0][0]), full)
})

test('the facts of a seat have plain numbers, whole floats too', () => {
  const vitals = { loop_lag_ms: new Float(2), running: 3 }
  const row = ['a', [], 'client', Buffer.alloc(16), 'alive', 0, {}, vitals, 1]
  const { rows } = wire.readSeats(pack([[row], false]))
  assert.deepEqual(rows[0].vitals, { loop_lag_ms: 2, running: 3 })
})

test('a map over the limits is refused, whatever it holds', () => {
  const refused = (map, reason) => assert.throws(() => wire.readMap(pack(map)), { reason })
  const keys = (count) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, i]))
  let deep = null
  for (let i = 0; i < 190; i++) deep = [deep]

  refused(keys(65), 'bad_body')
  refused({ inner: keys(65) }, 'bad_body')
  refused(keys(10_000), 'long_body')
  refused({ text: 'x'.repeat(4097) }, 'bad_body')
  refused({ list: new Array(257).fill(1) }, 'bad_body')
  refused([1], 'bad_body')
  refused(null, 'bad_body')
  assert.equal(Object.keys(wire.readMap(pack(keys(64)))).length, 64)
  assert.ok(wire.readMap(pack({ deep })).deep)
})

test('arbitrary bytes are read or have a reason, by every reader', () => {
  const readers = [...Object.values(READERS), wire.readRefusal, ...Object.values(PAGE_READERS)]
  const bodies = [...v.maps, ...v.bad_maps].map((each) => hex(each.body))
  const mutated = fc
    .tuple(fc.constantFrom(...bodies), fc.nat(), fc.integer({ min: 0, max: 255 }))
    .map(([body, at, value]) => {
      const copy = Buffer.from(body)
      if (copy.length > 0) copy[at % copy.length] = value
      return copy
    })
  const random = fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes))
  fc.assert(
    fc.property(fc.oneof(mutated, random), fc.integer({ min: 0, max: 5 }), (body, kind) => {
      for (const read of readers)
        try {
          read(PAGES_ONLY.has(read) ? wire.item(0, { kind, body }) : body)
        } catch (error) {
          assert.ok(error instanceof WireError, error.stack)
        }
    }),
    { numRuns: 1000 },
  )
})

const ids = (count) =>
  Array.from({ length: count }, (_, i) => Buffer.from(i.toString(16).padStart(32, '0'), 'hex'))
test('a list of workers has FIRST on its first page and LAST on its last, if it is complete', () => {
  const kinds = (...args) => wire.workersPages(...args).map(([{ kind }]) => kind)

  assert.deepEqual(kinds(ids(2049), { isComplete: true }), [1, 0, 2])
  assert.deepEqual(kinds(ids(2049), { isComplete: false }), [1, 0, 0])
  assert.deepEqual(kinds([], { isComplete: true }), [3])
  assert.deepEqual(kinds(ids(1), { isComplete: true, unconfirmed: ids(1025) }), [9, 8, 2])
})
test('pages have at most 63 open tasks, and at most 64 claims', () => {
  const id = Buffer.alloc(16)
  const task = { task: id, trace: id, nextIndex: 0, leftMs: 1.5, keep: false }
  const claim = { ...task, caller: id, neuronId: 'a', claim: 0 }

  const sizes = (pages) => pages.map((page) => page.length)
  assert.deepEqual(sizes(wire.openedPages(new Array(64).fill(task))), [63, 1])
  assert.deepEqual(sizes(wire.claimPages(new Array(65).fill(claim))), [64, 1])
  assert.deepEqual(wire.openedPages([]), [])
})

test('a WELCOME with a port that is none is a bad field', () => {
  const welcome = { epoch: Buffer.alloc(16), listen_port: 1, publish_port: 2, heartbeat_ms: 3, max_body_bytes: 4 } // prettier-ignore
  const read = (more) => wire.readWelcome(wire.packMap({ ...welcome, ...more }))

  assert.equal(read({ listen_port: 65_535 }).listenPort, 65_535)
  for (const key of ['listen_port', 'publish_port'])
    for (const port of [65_536, 2 ** 40, 2n ** 62n])
      assert.throws(() => read({ [key]: port }), { reason: 'bad_field' })
})
