import test from 'node:test'
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { SENTINEL, kindTopic, readTopic, syncTopic, traceTopic } from '../../src/wire/topics.js'

const file = new URL('../../../../docs/spec/vectors.json', import.meta.url)
const { topics } = JSON.parse(readFileSync(file, 'utf8'))

for (const { topic, namespace, kind, trace } of topics.valid)
  test(`the topic ${topic.slice(0, 60)} is read, and made`, () => {
    const read = readTopic(topic)

    assert.deepEqual(
      { ...read, trace: read.trace && read.trace.toString('hex') },
      { namespace, kind, trace },
    )
    if (kind !== null) assert.equal(kindTopic(namespace, kind), topic)
    if (trace !== null) assert.equal(traceTopic(namespace, Buffer.from(trace, 'hex')), topic)
  })
for (const { topic, reason } of topics.invalid)
  test(`the topic ${JSON.stringify(topic.slice(0, 60))} is refused`, () =>
    assert.equal(readTopic(topic), reason))

test('a sync topic names the instance and the turn', () => {
  const topic = syncTopic('demo', Buffer.alloc(16, 0xab), 7)
  assert.equal(topic, `demo/_sync/${'ab'.repeat(16)}-7/`)
  assert.deepEqual(readTopic(topic), { namespace: 'demo', kind: null, trace: null })
})

test('the sentinel sorts behind every topic', () => {
  const highest = kindTopic('z'.repeat(128), 255)
  assert.ok(Buffer.compare(Buffer.from(SENTINEL), Buffer.from(highest)) > 0)
  assert.equal(readTopic(SENTINEL), 'bad_topic')
})
