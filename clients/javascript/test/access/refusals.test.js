// Which failed handshakes are a matter of keys.
import assert from 'node:assert/strict'
import test from 'node:test'
import { KeyJudge, Pauses } from '../../src/access/refusals.js'

const KEYS = { user: 'ada', public: Buffer.alloc(32), proxies: [Buffer.alloc(32)] }
const SOON_MS = 5

test('a keyed far end refuses a client without a key, and names COSMO_KEY', () => {
  const judge = new KeyJudge(null)

  assert.match(
    String(judge.onMechanism('CURVE')),
    /it has keys, and this Dendrite has none; .*COSMO_KEY/,
  )
  assert.equal(judge.onMechanism('NULL'), null)
  assert.equal(judge.onFailed(0, 0), null)
})

test('a far end without keys refuses a client that has one: it never goes on in the clear', () => {
  const judge = new KeyJudge(KEYS)

  assert.match(
    String(judge.onMechanism('NULL')),
    /it has no keys, so .* the key of ada is for; .*--keys DIR/,
  )
  assert.equal(judge.onMechanism('CURVE'), null)
  assert.equal(judge.onMechanism('PLAIN'), null)
})

test('a key that is not listed is refused, with what to run', () => {
  const refusal = new KeyJudge(KEYS).onUnknown()

  assert.equal(refusal.pauses, Pauses.UNLISTED)
  assert.match(String(refusal), /does not list the key of ada; .*cosmo keys allow ada cpk_/)
})

test('five handshakes that fail at once over half a second are those of another Synapse', () => {
  const judge = new KeyJudge(KEYS)
  judge.onMechanism('CURVE')
  const fail = (nowMs, tookMs = SOON_MS) => judge.onFailed(nowMs, tookMs)

  for (const nowMs of [0, 100, 200, 300]) assert.equal(fail(nowMs), null)
  assert.equal(fail(499), null)
  assert.equal(judge.refusal, null)
  assert.match(String(fail(500)), /another Synapse answers there: .* get a new ada.key/)
  assert.match(judge.refusal.reason, /another Synapse answers there/)
})

test('handshakes that take long are those of a busy Synapse', () => {
  const judge = new KeyJudge(KEYS)
  judge.onMechanism('CURVE')

  for (let nowMs = 0; nowMs < 60_000; nowMs += 3000) assert.equal(judge.onFailed(nowMs, 3000), null)
})

test('of a far end whose greeting was not seen nothing is known', () => {
  const judge = new KeyJudge(KEYS)

  for (let nowMs = 0; nowMs < 10_000; nowMs += 100) assert.equal(judge.onFailed(nowMs, 1), null)
})

test('an attempt that met nobody begins the count anew', () => {
  const judge = new KeyJudge(KEYS)
  judge.onMechanism('CURVE')
  for (const nowMs of [0, 100, 200, 300]) judge.onFailed(nowMs, SOON_MS)
  judge.onNobody()
  judge.onMechanism('CURVE')

  assert.equal(judge.onFailed(1000, SOON_MS), null)
  assert.equal(judge.refusal, null)
})

test('a refusal goes with the far end that it came from', () => {
  const judge = new KeyJudge(KEYS)
  judge.onUnknown()

  judge.onNobody()

  assert.equal(judge.refusal, null)
})

test('with several public keys of the Synapse each is tried twice before it is another one', () => {
  const judge = new KeyJudge({ ...KEYS, proxies: Array(4).fill(Buffer.alloc(32)) })
  judge.onMechanism('CURVE')
  const failed = Array.from({ length: 8 }, (_, i) => judge.onFailed(i * 100, SOON_MS))

  assert.deepEqual(
    failed.map((each) => each !== null),
    [...Array(7).fill(false), true],
  )
})
