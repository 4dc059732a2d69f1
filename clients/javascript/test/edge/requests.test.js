// Requests and the errors of express.json(), without a socket. Over HTTP: answers.test.js.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jsonBody, parserOutcome } from '../../src/edge/requests.js'
import { BadRequest } from '../../src/edge/outcomes.js'

const JSON_TYPE = 'application/json'
const request = (body, type = JSON_TYPE, headers = { 'content-length': '9' }) => ({
  body,
  headers: { ...headers, ...(type && { 'content-type': type }) },
})

for (const type of [JSON_TYPE, 'Application/JSON; charset=utf-8', 'a/b+json']) {
  test(`a JSON object is read that is sent as ${type}`, () => {
    const body = { prompt: 'Hi', n: 0, no: false }

    assert.equal(jsonBody(request(body, type), 'prompt', 'n', 'no'), body)
  })
}

for (const [given, says] of [
  [request({}, null), /Content-Type: application\/json/],
  [request({}, 'text/plain'), /Content-Type: application\/json/],
  [request({}, JSON_TYPE, {}), /is empty: send a JSON object/],
  [request({}, JSON_TYPE, { 'content-length': '0' }), /is empty: send a JSON object/],
  [request([1]), /a JSON object, not an array/],
  [request(null), /a JSON object, not null/],
  [request('a'), /a JSON object, not a string/],
  [request(1), /a JSON object, not a number/],
  [request(true), /a JSON object, not true or false/],
  [request({ b: '', c: null }), /lacks a, b, c/],
]) {
  test(`a request is refused with the reason ${says.source}`, () => {
    assert.throws(
      () => jsonBody(given, 'a', 'b', 'c'),
      (error) => {
        assert.ok(error instanceof BadRequest)
        assert.match(error.message, says)
        return true
      },
    )
  })
}

test('a chunked body counts as one', () => {
  assert.deepEqual(jsonBody(request({}, JSON_TYPE, { 'transfer-encoding': 'chunked' })), {})
})

test('an app that does not read bodies is told what it lacks', () => {
  assert.throws(() => jsonBody(request(undefined)), /app\.use\(express\.json\(\)\)/)
})

test('every other error is none of a parser of bodies', () => {
  const other = Object.assign(new Error('no'), { type: 'constructor' })

  for (const each of [new Error('no'), other, { type: 'entity.parse.failed' }, null, 'text']) {
    assert.equal(parserOutcome(each), null)
  }
})

for (const [type, facts, says] of [
  ['entity.parse.failed', { body: ' ' }, /is empty: send a JSON object$/],
  ['entity.parse.failed', { body: '{"a":' }, /not valid JSON: it ends early$/],
  ['entity.parse.failed', { body: '{"a":\n 1,}' }, /not valid JSON: .+, at line 2, column 4$/],
  ['entity.parse.failed', { body: '{"a": secret}' }, /not valid JSON: it has a character [^"]+$/],
  ['entity.parse.failed', { body: '"a"' }, /not a string/],
  ['entity.too.large', { limit: 102400, length: 200000 }, /at most 102,400 bytes, not 200,000/],
  ['entity.too.large', { limit: 102400 }, /at most 102,400 bytes$/],
  ['charset.unsupported', {}, /UTF-8/],
  ['encoding.unsupported', { encoding: 'x' }, /'x'/],
  ['entity.verify.failed', {}, /not accepted/],
  ['request.aborted', {}, /ended early/],
  ['request.size.invalid', {}, /Content-Length/],
]) {
  test(`a parser's ${type} says ${says.source}`, () => {
    const outcome = parserOutcome(Object.assign(new Error('of the parser'), { type, ...facts }))

    assert.ok(outcome instanceof BadRequest)
    assert.match(outcome.message, says)
  })
}
