import test from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Fifo } from '../../src/runtime/fifo.js'

test('a queue gives what it was given, in order', () => {
  const steps = fc.array(fc.oneof({ weight: 3, arbitrary: fc.nat() }, fc.constant('shift')), {
    maxLength: 5000,
    size: 'max',
  })
  fc.assert(
    fc.property(steps, (all) => {
      const fifo = new Fifo()
      const model = []
      for (const each of all) {
        if (each === 'shift') assert.equal(fifo.shift(), model.shift())
        else {
          fifo.push(each)
          model.push(each)
        }
        assert.equal(fifo.length, model.length)
      }
      assert.equal(fifo.first, model[0])
      assert.deepEqual([...fifo], model)
      assert.deepEqual(fifo.clear(), model)
      assert.equal(fifo.shift(), undefined)
    }),
    { numRuns: 20 },
  )
})
