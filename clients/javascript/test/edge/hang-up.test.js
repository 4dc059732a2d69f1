// The AbortSignal of a client that hangs up, together with one of the program.
import assert from 'node:assert/strict'
import { EventEmitter, getEventListeners } from 'node:events'
import test from 'node:test'
import { isSet } from 'node:util/types'
import { hangUp } from '../../src/express.js'

const response = () => Object.assign(new EventEmitter(), { writableFinished: false })

test('a signal of the program aborts with its own reason, a hang-up with CANCELLED', () => {
  const own = new AbortController()
  const byProgram = hangUp(response(), own.signal)
  own.abort('enough')
  const res = response()
  const byClient = hangUp(res, new AbortController().signal)
  res.emit('close')

  assert.equal(byProgram.reason, 'enough')
  assert.equal(byClient.reason.code, 'CANCELLED')
  assert.equal(hangUp(response(), own.signal).reason, 'enough')
})

test('a signal that lives as long as the process keeps nothing of a response that is out', () => {
  const { signal } = new AbortController()
  const made = (all) => all.filter((each) => isSet(each)).reduce((n, { size }) => n + size, 0)
  for (let at = 0; at < 100; at++) {
    const res = response()
    hangUp(res, signal)
    res.writableFinished = true
    res.emit('close')
  }

  assert.equal(getEventListeners(signal, 'abort').length, 0)
  assert.equal(made(Object.getOwnPropertySymbols(signal).map((each) => signal[each])), 0)
})
