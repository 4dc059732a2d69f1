// What the words of a WELCOME let a key do.
import assert from 'node:assert/strict'
import test from 'node:test'
import { Rights } from '../../src/access/rights.js'
import { SignalType } from '../../src/index.js'

const TYPES = Object.keys(SignalType)
const heard = (...words) => TYPES.filter((type) => new Rights(words).mayHear(type))
const published = (...words) => TYPES.filter((type) => new Rights(words).mayPublish(type))

test('no word gives no right, and neither does one that is unknown', () => {
  for (const words of [[], ['fly', 'constructor', '__proto__', ''], ['inspect']]) {
    const rights = new Rights(words)
    assert.deepEqual([heard(...words), published(...words)], [[], []])
    assert.ok(!rights.mayDispatchTo('x') && !rights.mayServe('x') && !rights.mayDispatchTo(null))
    assert.ok(!rights.mayHear(null))
  }
})

test('dispatch and serve name neurons by globs, without end at a prefix', () => {
  const rights = new Rights(['dispatch=invoice-*', 'dispatch=mail', 'serve=honest', 'serve=job-?']) // prettier-ignore

  for (const [name, may] of Object.entries({
    'invoice-': 1,
    'invoice-7': 1,
    mail: 1,
    mails: 0,
    Mail: 0,
    'x-invoice-': 0,
  }))
    // prettier-ignore
    assert.equal(rights.mayDispatchTo(name), may === 1, name)
  for (const [name, may] of Object.entries({
    honest: 1,
    honest2: 0,
    'job-1': 1,
    'job-12': 0,
  }))
    // prettier-ignore
    assert.equal(rights.mayServe(name), may === 1, name)
  assert.ok(rights.mayDispatchTo(null), 'by its capabilities')
  assert.ok(new Rights(['dispatch']).mayDispatchTo('anybody'))
})

test('a character of a pattern is itself in a glob', () => {
  assert.ok(!new Rights(['serve=[ab]']).mayServe('a'))
  assert.ok(!new Rights(['serve=a.b']).mayServe('axb'))
  assert.ok(new Rights(['serve=a.b']).mayServe('a.b'))
})

test('watch hears everything, and alone lets nothing be published', () => {
  assert.deepEqual(heard('watch'), TYPES)
  assert.ok(new Rights(['watch']).mayHear(null))
  assert.deepEqual(published('watch'), [])
})

test('a STOP and a decision need the right to decide', () => {
  const decisions = ['CLARIFICATION_ANSWER', 'PERMISSION_DECISION', 'STOP']

  assert.deepEqual(published('decide').sort(), decisions)
  const others = published('dispatch', 'serve', 'watch', 'broadcast', 'inspect')
  assert.ok(others.length > 15)
  for (const each of decisions) assert.ok(!others.includes(each), each)
})
