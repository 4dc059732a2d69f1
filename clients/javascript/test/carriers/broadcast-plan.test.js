// When a carrier connects what listens and what publishes.
import test from 'node:test'
import assert from 'node:assert/strict'
import { BroadcastPlan } from '../../src/carriers/broadcast-plan.js'

const HERE = ['listen', 'publish']
const THERE = ['listen there', 'publish there']

function scene() {
  const connected = []
  const plan = new BroadcastPlan({
    listen: (place) => connected.push(['SUB', place]),
    publish: (place) => connected.push(['XPUB', place]),
  })
  return { plan, connected }
}

test('nothing is connected before it is wanted', () => {
  const { plan, connected } = scene()

  assert.equal(plan.join(HERE), true)
  assert.equal(plan.join(HERE), false)
  assert.deepEqual(connected, [])
})

test('what was wanted before the places are known is connected then, and again when they move', () => {
  const { plan, connected } = scene()
  plan.openPublisher()
  assert.equal(plan.subscribe('a'), false)

  plan.join(HERE)
  plan.join(THERE)

  assert.deepEqual(connected, [
    ['SUB', 'listen'],
    ['XPUB', 'publish'],
    ['SUB', 'listen there'],
    ['XPUB', 'publish there'],
  ])
})

test('the first topic connects, a further one has to be sent, a known one has not', () => {
  const { plan, connected } = scene()
  plan.join(HERE)

  assert.deepEqual(
    ['a', 'b', 'b'].map((topic) => plan.subscribe(topic)),
    [false, true, false],
  )
  assert.deepEqual(connected, [['SUB', 'listen']])
  assert.deepEqual([...plan.topics], ['a', 'b'])
})

test('the end of a topic has to be sent once, if what listens is connected', () => {
  const { plan } = scene()
  plan.subscribe('a')
  assert.equal(plan.unsubscribe('a'), false)
  plan.join(HERE)
  plan.subscribe('a')

  assert.deepEqual([plan.unsubscribe('a'), plan.unsubscribe('a')], [true, false])
})

test('what publishes is connected once, however often it is asked for', () => {
  const { plan, connected } = scene()
  plan.join(HERE)

  plan.openPublisher()
  plan.openPublisher()

  assert.deepEqual(connected, [['XPUB', 'publish']])
})
