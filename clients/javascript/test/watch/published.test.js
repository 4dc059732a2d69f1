// What is meant for a Dendrite, and how what it publishes reaches those for whom it is meant.
import assert from 'node:assert/strict'
import test from 'node:test'
import { LISTENERS, Publisher, toPeer } from '../../src/dendrite/watch/publisher.js'
import { Published } from '../../src/dendrite/watch/published.js'
import { CODE, Directed, Signal } from '../../src/signals/signals.js'
import { idBytes } from '../../src/signals/ids.js'
import { OTHER, NOBODY, started } from './support.js'

function publishedOf(t, client = {}) {
  const parts = started(t)
  Object.assign(parts.transport, { hasOlderPublishers: false, takesPublished: true, ...client })
  const published = new Published(parts.transport, parts.subscriptions)
  const taken = []
  const take = (signal, sender, isDirected) => taken.push([signal.id, sender, isDirected])
  return { ...parts, published, taken, take }
}
const stop = () => new Signal({ type: 'STOP', payload: { rollback: false } })
const heard = (subscriptions, signal) =>
  subscriptions.onHeard(CODE[signal.type], idBytes(signal.traceId), OTHER, NOBODY, signal.encode())

test('what comes over the directed plane reaches its part with its sender; the rest means nothing', (t) => {
  const { published, taken, take, transport } = publishedOf(t)
  published.on(['STOP'], take)
  const [first, second] = [stop(), stop()]

  published.onPublished(OTHER, CODE.STOP, idBytes(first.traceId), first.encode())
  published.onPublished(OTHER, CODE.BID, idBytes(first.traceId), first.encode())
  published.onPublished(OTHER, CODE.STOP, idBytes(first.traceId), Buffer.from('no Signal'))
  published.off('STOP')
  published.onPublished(OTHER, CODE.STOP, idBytes(second.traceId), second.encode())

  assert.deepEqual(taken, [[first.id, OTHER, true]])
  assert.deepEqual(published.counts, { 'drop.bad_signal': 1 })
  assert.deepEqual(transport.said, []) // nothing is listened to
})

test('while others publish by the broadcast plane alone it is listened to, and comes both ways', (t) => {
  const { published, taken, take, transport, subscriptions } = publishedOf(t)
  published.on(['STOP'], take)
  published.onWelcomed()
  assert.deepEqual(transport.said, [])

  transport.hasOlderPublishers = true
  published.onWelcomed()
  published.onWelcomed()
  const signal = stop()
  heard(subscriptions, signal)
  published.onPublished(OTHER, CODE.STOP, idBytes(signal.traceId), signal.encode())
  published.off('STOP')

  assert.deepEqual(transport.said, [['listen', CODE.STOP], ['unlisten', CODE.STOP]]) // prettier-ignore
  assert.deepEqual(taken, [
    [signal.id, OTHER, false],
    [signal.id, OTHER, true],
  ])
})

test('what a Dendrite publishes itself reaches its own part once', (t) => {
  const { published, taken, take, transport, subscriptions } = publishedOf(t)
  transport.sendPublished = () => 'SENT'
  const publisher = new Publisher(transport, subscriptions, published)
  published.on(['STOP'], take)
  const [first, second] = [stop(), stop()]

  publisher.publish(first)
  transport.hasOlderPublishers = true
  published.onWelcomed()
  publisher.publish(second)

  assert.deepEqual(taken, [
    [first.id, null, false],
    [second.id, null, false],
  ])
})

test('each type goes to those for whom it is meant, and the others to the listeners', (t) => {
  const { published, transport, subscriptions } = publishedOf(t)
  const sent = []
  transport.sendPublished = (recipients, kind, _trace, _body, { peer, capabilities }) => {
    sent.push([recipients, kind, peer, capabilities])
    return 'SENT'
  }
  transport.heard.add(CODE.PLAN)
  transport.heard.add(CODE.STOPPED)
  const publisher = new Publisher(transport, subscriptions, published)
  const offer = new Signal({
    type: 'TASK_OFFER',
    directed: new Directed('d', 'dendrite', ['chat']),
  })
  const answer = new Signal({ type: 'CLARIFICATION_ANSWER' })

  publisher.publish(stop())
  publisher.publish(offer)
  publisher.publish(answer)
  publisher.publish(answer, toPeer(OTHER))
  publisher.publish(new Signal({ type: 'PLAN', payload: { steps: [] } }))
  publisher.publish(new Signal({ type: 'STOPPED' }), LISTENERS)

  assert.deepEqual(sent, [
    [9, CODE.STOP, undefined, undefined],
    [2, CODE.TASK_OFFER, undefined, ['chat']],
    [8, CODE.CLARIFICATION_ANSWER, undefined, undefined],
    [4, CODE.CLARIFICATION_ANSWER, OTHER, undefined],
  ])
  assert.deepEqual(
    transport.published.map(([kind, , , isSeldom]) => [kind, isSeldom === true]),
    [
      [CODE.PLAN, false],
      [CODE.STOPPED, true],
    ],
  )
  assert.equal(toPeer(null), undefined)
})

test('an older Synapse gets everything by the broadcast plane', (t) => {
  const { published, transport, subscriptions } = publishedOf(t, { takesPublished: false })
  transport.heard.add(CODE.STOP)

  new Publisher(transport, subscriptions, published).publish(stop())

  assert.equal(transport.published[0][0], CODE.STOP)
})
