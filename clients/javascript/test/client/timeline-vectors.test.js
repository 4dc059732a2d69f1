// The workers that a caller names for its open tasks, by the timelines of docs/spec/vectors.json.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { Counts } from '../../src/client/counts.js'
import { ResyncPages } from '../../src/client/resync-pages.js'
import { RESEND, VERB, WORKERS } from '../../src/wire/wire.js'

const file = new URL('../../../../docs/spec/vectors.json', import.meta.url)
const { timelines } = JSON.parse(readFileSync(file, 'utf8'))
const hex = (text) => Buffer.from(text, 'hex')
const NOBODY = Buffer.alloc(16)

const bitsOf = (flags) => flags.reduce((bits, each) => bits | WORKERS[each], 0)
const flagsOf = (bits) => Object.keys(WORKERS).filter((each) => bits & WORKERS[each])

/** Return what a page says, in the words of the vectors. */
function said(items) {
  const [{ verb, kind, body }] = items
  if (verb === VERB.WORKERS) {
    const instances = body.toString('hex').match(/.{32}/g) ?? []
    return { verb: 'WORKERS', flags: flagsOf(kind), instances: instances.sort() }
  }
  if (kind === RESEND.END) return { verb: 'RESEND', kind: 'END' }
  return { verb: 'RESEND', kind: 'OPEN', tasks: items.map(({ task }) => task.toString('hex')) }
}

function callerOf() {
  const tasks = new Map()
  const pages = new ResyncPages(new Counts())
  pages.source = { openTasks: () => tasks.values() }
  const opened = (id) => ({ task: hex(id), trace: NOBODY, nextIndex: 0, leftMs: 1000, keep: false })
  return {
    workers: (step) =>
      pages.onWorkers(bitsOf(step.flags), step.instances.map(hex), step.at_s * 1000),
    opens: ({ task }) => tasks.set(task, opened(task)),
    ends: ({ task }) => tasks.delete(task),
    welcome: (step) => {
      const unsent = new Set(step.unsent.map((each) => hex(each).latin1Slice()))
      const sent = pages.listing(unsent, step.at_s * 1000, step.is_new_proxy)
      assert.deepEqual(sent.map(said), step.sends)
    },
  }
}

for (const { name, steps } of timelines)
  test(`timeline: ${name}`, () => {
    const caller = callerOf()
    for (const step of steps) caller[step.event](step)
  })
