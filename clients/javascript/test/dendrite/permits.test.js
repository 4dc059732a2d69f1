// The rights of a key, checked before anything is sent.
import assert from 'node:assert/strict'
import test from 'node:test'
import { Permits } from '../../src/dendrite/permits.js'
import { makeHandler } from '../../src/dendrite/watch/handlers.js'
import { AccessRefused } from '../../src/errors.js'
import { Directed } from '../../src/signals/signals.js'

const permits = (...may) => new Permits({ may, user: 'ada' }, 'cosmo://here')
const handler = (types, more) => makeHandler(() => {}, types, more)

function refusalOf(call) {
  try {
    call()
  } catch (error) {
    return error
  }
  return null
}

function refused(call, what, word) {
  assert.throws(call, (error) => {
    assert.ok(error instanceof AccessRefused)
    assert.equal(error.reason, `the key 'ada' ${what}`)
    assert.match(error.fix, new RegExp(`: cosmo keys allow ada --may \\+${word}$`))
    return true
  })
}

test('without keys everything is permitted', () => {
  for (const may of [null, undefined]) {
    const all = new Permits({ may, user: '' }, 'cosmo://here')
    all.checkDispatch(new Directed('x'))
    all.checkServe('x')
    all.checkHear(handler(['PLAN']))
    all.checkHear(handler([], { traceId: 't' }))
    all.checkPublish('STOP')
  }
})

test('what a key may not do is refused with the word that it lacks', () => {
  const none = permits()

  refused(() => none.checkDispatch(new Directed('mail')), "may not send TASKs to neuron 'mail'", 'dispatch=mail') // prettier-ignore
  refused(() => none.checkDispatch(new Directed(null, null, ['a', 'b'])), 'may not send TASKs', 'dispatch') // prettier-ignore
  refused(() => none.checkServe('mail'), "may not host an Axon of neuron 'mail'", 'serve=mail')
  refused(() => none.checkHear(handler(['PLAN'])), 'may not listen to PLAN', 'watch')
  refused(() => none.checkHear(handler([], { traceId: 't' })), 'may not listen to a trace', 'watch')
  refused(() => none.checkPublish('STOP'), 'may not publish a STOP', 'decide')
  refused(() => none.checkPublish('PLAN'), 'may not publish a PLAN', 'broadcast')
})

test('what a key may do is permitted', () => {
  permits('dispatch=mail').checkDispatch(new Directed('mail'))
  permits('dispatch=mail').checkDispatch(new Directed(null, null, ['a']))
  permits('serve=mail').checkServe('mail')
  permits('watch').checkHear(handler(['PLAN', 'TASK']))
  permits('dispatch').checkHear(handler(['BID']))
  permits('broadcast').checkPublish('PLAN')
})

test('the command adds the right to those that the key has, and can be pasted', () => {
  const { fix } = refusalOf(() => permits('serve=x-*', 'watch').checkPublish('STOP'))

  assert.match(fix, /: cosmo keys allow ada --may \+decide$/)
  const local = new Permits({ may: [], user: 'uid:1000' }, 'cosmo+ipc:///s')
  assert.match(refusalOf(() => local.checkServe('x')).fix, /allow uid-1000 --may \+serve=x$/)
})

test('who answers questions is told to get the right to decide', () => {
  const { fix } = refusalOf(() => permits('dispatch').checkHear(handler(['CLARIFICATION'])))

  assert.match(fix, /--may \+decide$/)
})

test('the rights of the last WELCOME count', () => {
  const client = { may: ['watch'], user: 'ada' }
  const known = new Permits(client, 'cosmo://here')
  known.checkHear(handler(['PLAN']))

  client.may = []

  assert.throws(() => known.checkHear(handler(['PLAN'])), AccessRefused)
})
