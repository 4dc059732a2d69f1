#!/usr/bin/env bash
# Guess:  A server that answers `x-should-retry: false` is asked once by every client that speaks OpenAI's API.
#         OpenAI's own clients obey that header, in Python and in JavaScript.
# Truth:  The AI SDK decides by the status alone: 408, 409, 429 and 5xx are sent twice more, after 2 s and 4 s.
#         Only `maxRetries: 0` at each call prevents it. The error that comes in the end has no status code of
#         its own: it is a RetryError, and the status is in its `lastError`.
# Matters: A failure that no retry helps runs three times and costs three times as much. Code that looks at
#         `error.statusCode` finds it with `maxRetries: 0`, and undefined without.
# Seen:   ai 6.0.326, @ai-sdk/openai-compatible 2.0.92, openai 6.49.0: the SDK asks 3 times, openai once.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund ai@6.0.326 @ai-sdk/openai-compatible@2.0.92 openai@6.49.0

cat > retries.mjs <<'JAVASCRIPT'
import { once } from 'node:events'
import http from 'node:http'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { generateText } from 'ai'
import OpenAI from 'openai'

let asked = 0
const server = http.createServer((req, res) => {
  asked += 1
  req.resume()
  res.writeHead(502, { 'content-type': 'application/json', 'x-should-retry': 'false' })
  res.end(JSON.stringify({ error: { message: 'no', type: 'server_error', param: null, code: null } }))
})
await once(server.listen(0, '127.0.0.1'), 'listening')
const baseURL = `http://127.0.0.1:${server.address().port}/v1`
const model = createOpenAICompatible({ name: 'any', baseURL, apiKey: 'any' })('any')
const client = new OpenAI({ baseURL, apiKey: 'any' })
const messages = [{ role: 'user', content: 'a' }]

async function ask(name, call) {
  asked = 0
  const error = await call().then(() => undefined, (error) => error)
  const status = error.statusCode ?? error.status
  console.log(`${name}: asked ${asked} times, ${error.name ?? 'Error'}, status ${status}`)
  return [asked, status]
}

const seen = [
  await ask('openai', () => client.chat.completions.create({ model: 'any', messages })),
  await ask('ai', () => generateText({ model, messages })),
  await ask('ai, maxRetries: 0', () => generateText({ model, messages, maxRetries: 0 })),
]
server.close()
const expected = [[1, 502], [3, undefined], [1, 502]]
process.exit(JSON.stringify(seen) === JSON.stringify(expected) ? 0 : 1)
JAVASCRIPT
node retries.mjs
