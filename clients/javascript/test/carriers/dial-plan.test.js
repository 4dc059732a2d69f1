// The order, the limits and the pauses of the attempts to connect.
import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { Pauses } from '../../src/access/refusals.js'
import { DialPlan } from '../../src/carriers/dial-plan.js'

const plan = (dice = () => 0.5) => new DialPlan(dice)
const tried = (made, addresses, count) =>
  Array.from({ length: count }, () => {
    const { address } = made.nextAttempt(addresses)
    made.onFailed(false)
    return address
  })

test('a round tries every address once, in order', () => {
  assert.deepEqual(tried(plan(), ['a', 'b', 'c'], 6), ['a', 'b', 'c', 'a', 'b', 'c'])
})

test('there is a pause after a round and none within it', () => {
  const made = plan()
  const pauses = Array.from({ length: 4 }, () => {
    made.nextAttempt(['a', 'b'])
    return made.onFailed(false)
  })

  assert.deepEqual(pauses, [0, 20, 0, 40])
})

const pausesOf = (made, isStranger) =>
  Array.from({ length: 8 }, () => {
    made.nextAttempt(['a'])
    return made.onFailed(isStranger)
  })

test('pauses double up to 200 ms, and up to 800 ms where a stranger answers', () => {
  assert.deepEqual(pausesOf(plan(), false), [20, 40, 80, 160, 200, 200, 200, 200])
  assert.deepEqual(pausesOf(plan(), true), [20, 40, 80, 160, 320, 640, 800, 800])
})

test('the dice make a pause half as long, or up to half as long again', () => {
  assert.equal(pausesOf(plan(() => 0))[0], 10)
  assert.ok(pausesOf(plan(() => 0.999))[0] < 30)
})

test('one dead address among several costs less than a second', () => {
  const { connectMs, handshakeMs } = plan().nextAttempt(['a', 'b'])

  assert.deepEqual([connectMs, handshakeMs], [750, 750])
})

test('a single address has the whole time for its handshake', () => {
  assert.equal(plan().nextAttempt(['a']).handshakeMs, 3000)
})

test('the limits double from round to round up to their maximum', () => {
  const made = plan()
  const limits = Array.from({ length: 6 }, () => {
    const { connectMs, handshakeMs } = made.nextAttempt(['a', 'b'])
    made.onFailed(false)
    return [connectMs, handshakeMs]
  })

  assert.deepEqual(limits[2], [1200, 1500])
  assert.deepEqual(limits[4], [1200, 3000])
})

test('after a lost connection its own address comes first, if the name still has it', () => {
  const made = plan()
  made.nextAttempt(['a', 'b'])
  made.onFailed(false)
  assert.equal(made.nextAttempt(['a', 'b']).address, 'b')
  made.onEstablished()
  made.onEnded(5000)

  assert.deepEqual(tried(made, ['a', 'b'], 2), ['b', 'a'])
  assert.equal(made.nextAttempt(['c']).address, 'c')
})

test('a connection that lasted a second starts the count anew, a shorter one does not', () => {
  const made = plan()
  const ended = (lastedMs) => {
    made.nextAttempt(['a'])
    made.onEstablished()
    return made.onEnded(lastedMs)
  }

  assert.deepEqual([ended(10), ended(10), ended(999), ended(1000), ended(10)], [20, 40, 80, 20, 40])
})

const refusedOf = (made, pauses, count) =>
  Array.from({ length: count }, () => made.onRefused(pauses))

test('who is refused asks seldom, and never later than after 30 seconds', () => {
  for (const pauses of Object.values(Pauses))
    for (const roll of [0, 0.999]) {
      const found = refusedOf(
        plan(() => roll),
        pauses,
        12,
      )
      assert.ok(Math.min(...found) >= 300)
      assert.ok(Math.max(...found) <= 30_000)
    }
})

test('who meets a far end of the other kind asks each second', () => {
  const found = refusedOf(
    plan(() => 0.999),
    Pauses.ONE_END_HAS_KEYS,
    12,
  )

  assert.ok(Math.max(...found) <= 1000)
})

test('the pauses after a refusal double up to the longest, and begin anew once it was let in', () => {
  const made = plan()
  assert.deepEqual(refusedOf(made, Pauses.UNLISTED, 7), [1000, 2000, 4000, 8000, 16_000, 20_000, 20_000]) // prettier-ignore
  made.nextAttempt(['a'])
  made.onEstablished()

  assert.deepEqual(refusedOf(made, Pauses.OTHER_PROXY, 5), [1000, 2000, 4000, 8000, 8000])
})

test('whatever a name resolves to, only its addresses are tried, and each soon', () => {
  const addresses = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1 })
  fc.assert(
    fc.property(fc.array(addresses), fc.array(fc.boolean()), (answers, wins) => {
      const made = plan()
      answers.forEach((each, i) => {
        const { address } = made.nextAttempt(each)
        assert.ok(each.includes(address))
        if (wins[i]) {
          made.onEstablished()
          made.onEnded(0)
        } else made.onFailed(false)
      })
      const last = answers.at(-1) ?? ['a']
      const next = new Set(tried(made, last, 2 * last.length))
      assert.deepEqual([...next].sort(), [...last].sort())
    }),
  )
})
