// The order, the limits and the pauses of the attempts to connect.
import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { Pauses } from '../../src/access/refusals.js'
import { DialPlan } from '../../src/carriers/dial-plan.js'

const plan = (dice = () => 0.5) => new DialPlan(dice)
const welcomed = (made) => {
  made.onEstablished()
  made.onWelcomed()
}
const tried = (made, addresses, count) =>
  Array.from({ length: count }, () => {
    const { address } = made.nextAttempt(addresses)
    made.onFailed()
    return address
  })

test('a round tries every address once, in order', () => {
  assert.deepEqual(tried(plan(), ['a', 'b', 'c'], 6), ['a', 'b', 'c', 'a', 'b', 'c'])
})

test('there is a pause after a round and none within it', () => {
  const made = plan()
  const pauses = Array.from({ length: 4 }, () => {
    made.nextAttempt(['a', 'b'])
    return made.onFailed()
  })

  assert.deepEqual(pauses, [0, 20, 0, 40])
})

const pausesOf = (made, isStranger) =>
  Array.from({ length: 8 }, () => {
    made.nextAttempt(['a'])
    return made.onFailed({ isStranger })
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
    made.onFailed()
    return [connectMs, handshakeMs]
  })

  assert.deepEqual(limits[2], [1200, 1500])
  assert.deepEqual(limits[4], [1200, 3000])
})

test('after a lost connection its own address comes first, if the name still has it', () => {
  const made = plan()
  made.nextAttempt(['a', 'b'])
  made.onFailed()
  assert.equal(made.nextAttempt(['a', 'b']).address, 'b')
  welcomed(made)
  made.onEnded(5000)

  assert.deepEqual(tried(made, ['a', 'b'], 2), ['b', 'a'])
  assert.equal(made.nextAttempt(['c']).address, 'c')
})

test('a connection that lasted a second starts the count anew, a shorter one does not', () => {
  const made = plan()
  const ended = (lastedMs) => {
    made.nextAttempt(['a'])
    welcomed(made)
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

test('a proxy that stands by is left for the next one without a pause', () => {
  const made = plan()
  const pauses = []
  const met = Array.from({ length: 4 }, () => {
    const { address } = made.nextAttempt(['a', 'b'])
    made.onEstablished()
    pauses.push(made.onStandby(false))
    return address
  })

  assert.deepEqual(met, ['a', 'b', 'a', 'b'])
  assert.deepEqual(pauses, [0, 20, 0, 40])
})

test('others that a standby names are tried at once behind it', () => {
  const made = plan()
  made.nextAttempt(['a'])
  made.onEstablished()

  assert.equal(made.onStandby(true), 0)
  assert.equal(made.nextAttempt(['a', 'b']).address, 'b')
})

test('a connection that ends without a WELCOME is followed by the next address', () => {
  const made = plan()
  made.nextAttempt(['a', 'b'])
  made.onEstablished()

  assert.equal(made.onEnded(2000), 0)
  assert.equal(made.nextAttempt(['a', 'b']).address, 'b')
})

test('a client is alone once each address was tried, and until a WELCOME', () => {
  const made = plan()
  const alone = Array.from({ length: 3 }, () => {
    made.nextAttempt(['a', 'b'])
    const { isAlone } = made
    made.onFailed()
    return isAlone
  })
  made.nextAttempt(['a', 'b'])
  welcomed(made)

  assert.deepEqual(alone, [false, false, true])
  assert.equal(made.isAlone, false)
  assert.equal(plan().isAlone, false)
})

test('an address that is new is tried before a client is alone', () => {
  const made = plan()
  tried(made, ['a', 'b'], 2)
  assert.equal(made.isAlone, true)

  made.nextAttempt(['a', 'b', 'c'])

  assert.equal(made.isAlone, false)
})

test('the address of the last WELCOME comes first in each round', () => {
  const made = plan()
  tried(made, ['a', 'b', 'c'], 1)
  made.nextAttempt(['a', 'b', 'c'])
  welcomed(made)
  made.onEnded(60_000)

  assert.deepEqual(tried(made, ['a', 'b', 'c'], 6), ['b', 'a', 'c', 'b', 'a', 'c'])
})

test('an address that took all its time comes last until it answers', () => {
  const made = plan()
  const met = [true, false, false, false].map((isSilent) => {
    const { address } = made.nextAttempt(['a', 'b'])
    made.onFailed({ isSilent })
    return address
  })

  assert.deepEqual(met, ['a', 'b', 'b', 'a'])
  assert.deepEqual(tried(made, ['a', 'b'], 2), ['a', 'b'])
})

test('a connection that ended in silence counts as a try of its address, which comes last', () => {
  const made = plan()
  made.nextAttempt(['a', 'b'])
  welcomed(made)

  assert.equal(made.onEnded(60_000, true), 20)
  const { address } = made.nextAttempt(['a', 'b'])
  assert.deepEqual([address, made.isAlone], ['b', false])
  made.onEstablished()
  assert.equal(made.onStandby(false), 40)
  const next = made.nextAttempt(['a', 'b'])

  assert.deepEqual([next.address, made.isAlone], ['b', true])
})

test('a single address that fell silent is tried again after its pause', () => {
  const made = plan()
  made.nextAttempt(['a'])
  welcomed(made)
  made.onEnded(60_000, true)

  assert.equal(made.nextAttempt(['a']).address, 'a')
  assert.equal(made.isAlone, true)
})

test('a second try of an address is part of its round', () => {
  const made = plan()
  made.nextAttempt(['a', 'b'])

  assert.equal(made.onFailed({ isStranger: true, isAgain: true }), 0)
  assert.equal(made.isAlone, false)
  assert.deepEqual(tried(made, ['a', 'b'], 2), ['a', 'b'])
})

const OUTCOMES = {
  failed: (made) => made.onFailed(),
  silent: (made) => made.onFailed({ isSilent: true }),
  standby: (made) => {
    made.onEstablished()
    return made.onStandby(false)
  },
  cut: (made) => {
    made.onEstablished()
    return made.onEnded(500)
  },
  welcomed: (made) => {
    welcomed(made)
    return made.onEnded(500)
  },
  hung: (made) => {
    welcomed(made)
    return made.onEnded(500, true)
  },
}

test('whatever happens no address waits for longer than two rounds, and alone is only who tried all', () => {
  const step = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.constantFrom(...Object.keys(OUTCOMES)))
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const made = plan()
      const waits = new Map()
      const sinceWelcome = new Set()
      for (const [count, outcome] of steps) {
        const addresses = ['a', 'b', 'c'].slice(0, count)
        const { address } = made.nextAttempt(addresses)
        assert.ok(addresses.includes(address))
        if (made.isAlone) assert.ok(addresses.every((each) => sinceWelcome.has(each)))
        for (const each of ['a', 'b', 'c'])
          waits.set(each, addresses.includes(each) ? (waits.get(each) ?? 0) + 1 : 0)
        waits.set(address, 0)
        sinceWelcome.add(address)
        if (outcome === 'welcomed' || outcome === 'hung') {
          sinceWelcome.clear()
          if (outcome === 'hung') sinceWelcome.add(address)
          waits.clear()
        }
        const pauseMs = OUTCOMES[outcome](made)
        assert.ok(pauseMs >= 0 && pauseMs <= 300)
        assert.ok(Math.max(0, ...waits.values()) < 6)
      }
    }),
  )
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
          welcomed(made)
          made.onEnded(0)
        } else made.onFailed()
      })
      const last = answers.at(-1) ?? ['a']
      const next = new Set(tried(made, last, 2 * last.length))
      assert.deepEqual([...next].sort(), [...last].sort())
    }),
  )
})
