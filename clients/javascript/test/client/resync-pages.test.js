// docs/spec/09-resync.md, "Who may have had a task", "After WELCOME", and the answers to queries.
import test from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Counts } from '../../src/client/counts.js'
import { FORMER_MS, KnownWorkers } from '../../src/client/known-workers.js'
import { ResyncPages } from '../../src/client/resync-pages.js'
import { CLAIM, RESEND, VERB, WORKERS, ZERO, item } from '../../src/wire/wire.js'

const { FIRST, LAST, LEFT } = WORKERS
const idOf = (name) => Buffer.from(String(name).padStart(16, '.'))
const nameOf = (bytes) => bytes.toString().replace(/^\.+/, '')
const namesIn = (body) =>
  Array.from({ length: body.length / 16 }, (_, at) => nameOf(body.subarray(at * 16, at * 16 + 16)))
const opened = (name) => ({ task: idOf(name), trace: ZERO, nextIndex: 0, leftMs: 9, keep: false })

/** A caller with open tasks and a proxy that tells it of workers. */
class Scene {
  counts = new Counts()
  pages = new ResyncPages(this.counts)
  open = []
  nowMs = 0
  constructor() {
    this.pages.source = {
      openTasks: () => this.open.map(opened),
      heldTasks: () => [],
      claimOf: () => null,
    }
  }
  hears(bits, ...names) {
    this.pages.onWorkers(bits, names.map(idOf), this.nowMs)
  }
  /** The list as lines: `workers a b LAST`, `open t1`, `end`. */
  lists({ isNewProxy, unsent = [] }) {
    const keys = new Set(unsent.map((each) => idOf(each).latin1Slice(0, 16)))
    return this.pages.listing(keys, this.nowMs, isNewProxy).map((page) => {
      const [{ verb, kind, body }] = page
      if (verb === VERB.WORKERS) {
        const bits = Object.keys(WORKERS).filter((bit) => kind & WORKERS[bit])
        return ['workers', ...namesIn(body).sort(), ...bits].join(' ')
      }
      if (kind === RESEND.END) return 'end'
      return ['open', ...page.map(({ task }) => nameOf(task))].join(' ')
    })
  }
}

test('a list names the workers, then the open tasks, and ends', () => {
  const caller = new Scene()
  caller.hears(FIRST | LAST, 'a', 'b')
  caller.hears(0, 'c')
  caller.open = ['t1', 't2']

  assert.deepEqual(caller.lists({ isNewProxy: true }), [
    'workers a b c FIRST LAST',
    'open t1 t2',
    'end',
  ])
})

test('a list of nothing is its end alone, and without a source there is no page', () => {
  const caller = new Scene()
  assert.deepEqual(caller.lists({ isNewProxy: true }), ['end'])

  const client = new ResyncPages(new Counts())
  assert.deepEqual(client.listing(new Set(), 0, true), [])
  assert.deepEqual(client.claims(), [])
})

test('a task that waits in the outbox is not listed: it has run nowhere', () => {
  const caller = new Scene()
  caller.hears(FIRST | LAST, 'a')
  caller.open = ['t1', 't2']

  assert.deepEqual(caller.lists({ isNewProxy: true, unsent: ['t1'] }), [
    'workers a FIRST LAST',
    'open t2',
    'end',
  ])
})

test('a caller that has not read LAST leaves LAST out', () => {
  const caller = new Scene()
  caller.hears(FIRST, 'a')
  caller.open = ['t1']

  assert.deepEqual(caller.lists({ isNewProxy: true })[0], 'workers a FIRST')
})

test('a worker that is missing in the list of the next proxy counts for another 10 s', () => {
  const caller = new Scene()
  caller.hears(FIRST | LAST, 'a', 'b')
  caller.hears(FIRST | LAST, 'b')
  caller.open = ['t1']
  assert.equal(caller.lists({ isNewProxy: true })[0], 'workers a b FIRST LAST')

  caller.open = ['t2']
  caller.nowMs = FORMER_MS
  assert.equal(caller.lists({ isNewProxy: true })[0], 'workers b FIRST LAST')
})

test('a worker that left counts no more, as its tasks have been reported', () => {
  const caller = new Scene()
  caller.hears(FIRST | LAST, 'a', 'b')
  caller.hears(FIRST | LAST, 'b')
  caller.hears(LEFT, 'a', 'b')
  caller.open = ['t1']

  assert.equal(caller.lists({ isNewProxy: true })[0], 'workers FIRST LAST')
})

test('a worker that was named for a task once is named for it again, for a new task not', () => {
  const caller = new Scene()
  caller.hears(FIRST | LAST, 'a')
  caller.open = ['old']
  caller.lists({ isNewProxy: true })
  caller.hears(LEFT, 'a')
  caller.hears(FIRST | LAST, 'b')
  caller.open = ['old', 'new']

  assert.deepEqual(caller.lists({ isNewProxy: true }), [
    'workers a b FIRST LAST',
    'open old',
    'workers b FIRST LAST',
    'open new',
    'end',
  ])
})

test('back at the same proxy a worker of an earlier one is unconfirmed, but for the tasks it was named for', () => {
  const caller = new Scene()
  caller.hears(FIRST | LAST, 'a') // of the first proxy
  caller.hears(FIRST | LAST, 'b') // of the second one, which says it ahead of WELCOME
  caller.open = ['old']
  assert.equal(caller.lists({ isNewProxy: true })[0], 'workers a b FIRST LAST')
  caller.hears(FIRST | LAST, 'b') // of the second one again
  caller.open = ['old', 'new']

  assert.deepEqual(caller.lists({ isNewProxy: false }), [
    'workers a b FIRST LAST',
    'open old',
    'workers a FIRST UNCONFIRMED',
    'workers b LAST',
    'open new',
    'end',
  ])
})

test('a worker that this very proxy has met is confirmed', () => {
  const caller = new Scene()
  caller.lists({ isNewProxy: true })
  caller.hears(FIRST | LAST, 'a', 'b')
  caller.hears(FIRST | LAST, 'b')
  caller.open = ['t']

  assert.equal(caller.lists({ isNewProxy: false })[0], 'workers a b FIRST LAST')
})

test('too many workers are counted, and the list is no longer called complete', () => {
  const counts = new Counts()
  const workers = new KnownWorkers(counts, 2)
  workers.onWorkers(FIRST, [idOf('a'), idOf('b')], 0)
  workers.onWorkers(LAST, [idOf('c')], 0)
  workers.onWorkers(LAST, [], 0)

  assert.equal(workers.isComplete, false)
  assert.deepEqual(counts.toObject(), { 'drop.known_workers': 1 })
  workers.onWorkers(FIRST | LAST, [idOf('a')], 0)
  assert.equal(workers.isComplete, true)
})

test('lists that follow each other without end name no more workers than one', () => {
  const counts = new Counts()
  const workers = new KnownWorkers(counts, 2)
  for (const [at, name] of ['a', 'b', 'c', 'd'].entries())
    workers.onWorkers(FIRST | LAST, [idOf(name)], at)

  const { named } = workers.forList(4, true)
  assert.deepEqual([...named].map((each) => nameOf(Buffer.from(each, 'latin1'))).sort(), [
    'b',
    'c',
    'd',
  ])
  assert.equal(workers.isComplete, false, 'one that was forgotten may have a task')
  assert.deepEqual(counts.toObject(), { 'drop.known_workers': 1 })
  workers.onWorkers(FIRST | LAST, [idOf('d')], 4 + FORMER_MS)
  assert.equal(workers.isComplete, true)
})

test('an answer has a claim for each task that is known, and END in the same message', () => {
  const pages = new ResyncPages(new Counts())
  const held = (task, claim) => ({ ...opened(task), caller: idOf('me'), neuronId: 'n', claim })
  const claims = { run: CLAIM.RUNNING, old: CLAIM.ANSWERED, gone: CLAIM.FORGOTTEN }
  pages.source = {
    claimOf: (_, task) => {
      const name = nameOf(task)
      return name in claims ? held(name, claims[name]) : null
    },
  }
  const asked = ['run', 'never', 'old', 'gone'].map((name, number) =>
    item(VERB.RESEND, { task: idOf(name), number }),
  )

  const { items, again } = pages.answer(idOf('me'), asked)

  assert.deepEqual(
    items.map(({ kind }) => kind),
    [CLAIM.RUNNING, CLAIM.ANSWERED, CLAIM.FORGOTTEN, CLAIM.END],
  )
  assert.deepEqual(
    again.map(({ task, number }) => [nameOf(task), number]),
    [
      ['run', 0],
      ['old', 2],
    ],
  )
})

test('a client that keeps no tasks counts the query and does not answer', () => {
  const counts = new Counts()
  assert.equal(new ResyncPages(counts).answer(ZERO, [item(VERB.RESEND)]), null)
  assert.deepEqual(counts.toObject(), { 'drop.question': 1 })
})

const names = fc.subarray(['a', 'b', 'c', 'd'])
const happenings = fc.array(
  fc.oneof(
    fc.record({ does: fc.constant('news'), who: names }),
    fc.record({ does: fc.constant('left'), who: names }),
    fc.record({ does: fc.constant('list'), who: names, isComplete: fc.boolean() }),
    fc.record({ does: fc.constant('open') }),
    fc.record({ does: fc.constant('settle') }),
    fc.record({ does: fc.constant('greet'), isNewProxy: fc.boolean() }),
    fc.record({ does: fc.constant('wait'), ms: fc.integer({ min: 0, max: FORMER_MS }) }),
  ),
  { maxLength: 40, size: 'max' },
)
test('every list names each open task once, behind all workers that could have it', () =>
  fc.assert(
    fc.property(happenings, (script) => {
      const caller = new Scene()
      let here = new Set()
      let isComplete = false
      const namedFor = new Map()
      script.forEach(({ does, who = [], isComplete: last, isNewProxy, ms }, at) => {
        if (does === 'wait') caller.nowMs += ms
        else if (does === 'open') caller.open.push(`t${at}`)
        else if (does === 'settle') caller.open.shift()
        else if (does === 'news') {
          caller.hears(0, ...who)
          who.forEach((each) => here.add(each))
        } else if (does === 'left') {
          caller.hears(LEFT, ...who)
          who.forEach((each) => here.delete(each))
        } else if (does === 'list') {
          caller.hears(FIRST | (last ? LAST : 0), ...who)
          here = new Set(who)
          isComplete = last
        } else check(isNewProxy)
      })

      function check(isNewProxy) {
        const lines = caller.lists({ isNewProxy })
        assert.equal(lines.at(-1), 'end')
        const listed = []
        let named = []
        let isLast = false
        for (const line of lines.slice(0, -1)) {
          const [what, ...words] = line.split(' ')
          if (what === 'workers') {
            if (words.includes('FIRST')) named = []
            isLast = words.includes('LAST')
            if (!words.includes('UNCONFIRMED')) named.push(...words)
          } else
            for (const task of words) {
              listed.push(task)
              for (const each of here) assert.ok(named.includes(each), `${each} is named`)
              for (const each of namedFor.get(task) ?? []) assert.ok(named.includes(each))
              if (isLast) assert.ok(isComplete)
              namedFor.set(
                task,
                named.filter((each) => each.length === 1),
              )
            }
        }
        assert.deepEqual(listed.sort(), [...caller.open].sort())
      }
    }),
    { numRuns: 200 },
  ))
