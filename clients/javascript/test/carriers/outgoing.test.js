// What is gathered for one write: the bytes in their order, bounded copies.
import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { Outgoing } from '../../src/carriers/outgoing.js'
import { MORE, PING, frame } from '../../src/carriers/zmtp-frames.js'

const body = fc.oneof(
  fc.nat({ max: 300 }),
  fc.nat({ max: 5000 }),
  fc.constantFrom(0, 255, 256, 4096, 4097, 65535, 65536, 65537, 200_000),
)
const message = fc.array(body, { minLength: 2, maxLength: 3 })

test('everything that was appended comes out whole and in order, over many turns', () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.option(message), { maxLength: 20 })), (turns) => {
      const outgoing = new Outgoing()
      let number = 0
      for (const turn of turns) {
        const expected = []
        for (const sizes of turn) {
          const frames = sizes?.map((size) => Buffer.alloc(size, ++number))
          if (frames === undefined) {
            outgoing.appendBytes(PING)
            expected.push(PING)
          } else {
            outgoing.appendMessage(...frames)
            expected.push(...frames.map((each, i) => frame(i < frames.length - 1 ? MORE : 0, each)))
          }
        }
        const whole = Buffer.concat(expected)
        assert.equal(outgoing.bytes, whole.length)
        assert.equal(outgoing.messages, turn.filter((each) => each !== null).length)

        assert.ok(Buffer.concat(outgoing.take()).equals(whole))
        assert.deepEqual([outgoing.bytes, outgoing.messages], [0, 0])
      }
    }),
    { numRuns: 50 },
  )
})

test('bytes that were taken are not overwritten by later ones', () => {
  const outgoing = new Outgoing()
  const taken = []
  for (let i = 0; i < 200; i++) {
    outgoing.appendMessage(Buffer.alloc(100, i), Buffer.alloc(1000, i))
    taken.push(...outgoing.take())
  }

  const whole = Buffer.concat(taken)
  const expected = Array.from({ length: 200 }, (_, i) =>
    Buffer.concat([frame(MORE, Buffer.alloc(100, i)), frame(0, Buffer.alloc(1000, i))]),
  )
  assert.ok(whole.equals(Buffer.concat(expected)))
})

test('small messages of one turn are one piece, and a large body is not copied', () => {
  const outgoing = new Outgoing()
  const large = Buffer.alloc(1_000_000)
  for (let i = 0; i < 100; i++) outgoing.appendMessage(Buffer.alloc(80), Buffer.alloc(200))
  assert.equal(outgoing.take().length, 1)

  outgoing.appendMessage(Buffer.alloc(80), large)

  const pieces = outgoing.take()
  assert.equal(pieces.length, 2)
  assert.equal(pieces[1].buffer, large.buffer)
})
