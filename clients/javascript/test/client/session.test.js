// The table of docs/spec/02-session.md, read from the page itself: every (state, event) pair.
import test from 'node:test'
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import {
  EVENTS,
  IllegalTransition,
  STATES,
  Session,
  TRANSITIONS,
} from '../../src/client/session.js'

const page = readFileSync(new URL('../../../../docs/spec/02-session.md', import.meta.url), 'utf8')
const rows = page.split('\n').filter((line) => line.startsWith('|'))
const head = rows.findIndex((line) => line.startsWith('| state \\ event'))
const cells = (line) =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim())
const columns = cells(rows[head]).slice(1)
const table = new Map(
  rows.slice(head + 2, head + 2 + STATES.length).map((line) => {
    const [state, ...next] = cells(line)
    return [state, new Map(columns.map((event, at) => [event, next[at]]))]
  }),
)

/** The shortest ways from IDLE to each state. */
const ways = new Map([['IDLE', []]])
for (const [state, way] of ways)
  for (const [event, next] of Object.entries(TRANSITIONS[state]))
    if (!ways.has(next)) ways.set(next, [...way, event])

test('the states and events are those of the page', () => {
  assert.deepEqual([...table.keys()], STATES)
  assert.deepEqual(columns, EVENTS)
})

for (const state of STATES)
  for (const event of EVENTS) {
    const next = table.get(state).get(event)
    test(`${event} in ${state}: ${next || 'is not expected'}`, () => {
      const session = new Session()
      for (const each of ways.get(state)) session.on(each)
      assert.equal(session.state, state)

      assert.equal(session.expects(event), next !== '')
      if (next) assert.equal(session.on(event), next)
      else {
        assert.throws(() => session.on(event), IllegalTransition)
        assert.equal(session.state, state)
      }
      assert.equal(session.isReady, session.state === 'READY')
    })
  }
