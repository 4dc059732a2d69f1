// Whether a far end lives, tick by tick, without a clock.
import assert from 'node:assert/strict'
import test from 'node:test'
import { Liveness, SILENCE_MS } from '../../src/carriers/liveness.js'

/** Tick once a second; return the verdicts. `heardAtMs`: when something came. */
function verdicts(ticksMs, heardAtMs = [], liveness = new Liveness(0)) {
  return ticksMs.map((tickMs) => {
    for (const each of heardAtMs) if (each > tickMs - 1000 && each <= tickMs) liveness.heard(each)
    return liveness.tick(tickMs)
  })
}

test('a far end that says nothing is asked, and given up within 4 s', () => {
  assert.deepEqual(verdicts([1000, 2000, 3000, 4000]), ['ASK', 'ASK', 'ASK', 'DEAD'])
})

test('one that speaks by itself is never asked, and an idle one every other second', () => {
  const speaking = [500, 1500, 2500, 3500]
  const answers = [1001, 3001, 5001] // to the PINGs

  assert.deepEqual(verdicts([1000, 2000, 3000, 4000], speaking), Array(4).fill('HEARD'))
  assert.deepEqual(verdicts([1000, 2000, 3000, 4000, 5000], answers), ['ASK', 'HEARD', 'ASK', 'HEARD', 'ASK']) // prettier-ignore
})

test('a loop that was blocked reads before it judges', () => {
  const liveness = new Liveness(0)
  assert.equal(liveness.tick(1000), 'ASK')

  assert.equal(liveness.tick(32_000), 'HEARD') // 30 s blocked: the answer is not read yet
  assert.equal(liveness.lateMs, 30_000)
  liveness.heard(32_001)

  assert.equal(liveness.tick(33_000), 'HEARD')
  assert.equal(liveness.lateMs, 0)
})

test('a loop that was blocked and then hears nothing gives up, too', () => {
  assert.deepEqual(verdicts([1000, 32_000, 33_000, 34_000]), ['ASK', 'HEARD', 'ASK', 'DEAD'])
})

test('a PING with a time asks for less patience, never for more', () => {
  const short = new Liveness(0)
  short.limit(1500)
  const long = new Liveness(0)
  long.limit(60_000)

  assert.deepEqual(verdicts([1000, 2000], [], short), ['ASK', 'DEAD'])
  assert.equal(long.tick(SILENCE_MS / 2), 'ASK')
  assert.deepEqual(verdicts([3000, 4000], [], long).at(-1), 'DEAD')
})
