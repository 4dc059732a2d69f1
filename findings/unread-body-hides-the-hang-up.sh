#!/usr/bin/env bash
# Guess:  A handler of Express that streams events hears at once that its client hung up: by
#         req.on('close') as in many examples, or by res.on('close').
# Truth:  req 'close' comes when the body has been read, so before the first event is sent. And behind a body
#         over about 64 KiB that nobody reads, because no parser takes its type, neither comes, nor the
#         'close' of the socket: Node has stopped reading and does not see the end. Only the second write
#         after the hang-up finds it. req.resume() brings res 'close' back.
# Matters: A task that is cancelled by req 'close' ends at its start. The other way it runs to its end for
#         nobody, as an agent thinks long before it writes: a model is paid for, a worker is held.
# Seen:   Node 20.20, express 5.3.0, POST of 80 kB, hang-up 1 s later, milliseconds after it:
#           JSON, read: req -1004, res 1          text, unread: req never, res never
#           text, req.resume(): req -1002, res 1  text, unread, one event a second: req 1003, res 1003
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund express@5.3.0

cat > hangup.mjs <<'JAVASCRIPT'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import express from 'express'

const { version } = JSON.parse(readFileSync('node_modules/express/package.json', 'utf8'))
console.log(`node ${process.version}, express ${version}`)

let seen
const app = express()
app.use(express.json({ limit: '1mb' }))
app.post('/', (req, res) => {
  req.on('close', () => (seen.req = performance.now()))
  res.on('close', () => (seen.res = performance.now()))
  if (req.query.resume) req.resume()
  res.set('Content-Type', 'text/event-stream')
  res.write('event: accepted\ndata: {}\n\n')
  if (req.query.beat) {
    const timer = setInterval(() => res.write(': beat\n\n'), 1000)
    res.on('close', () => clearInterval(timer))
  }
})
const server = app.listen(0, '127.0.0.1')
await once(server, 'listening')

// Send a body, read the first event, hang up a second later, and look for three more.
async function trial(name, type, query) {
  seen = {}
  const client = net.connect(server.address().port, '127.0.0.1')
  const body = JSON.stringify({ prompt: 'x'.repeat(80_000) })
  client.write(`POST /${query} HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\n`)
  client.write(`Content-Length: ${body.length}\r\n\r\n${body}`)
  await once(client, 'data')
  client.resume()
  await sleep(1000)
  const hungUp = performance.now()
  client.destroy()
  await sleep(3000)
  const told = (at) => (at === undefined ? 'never' : Math.round(at - hungUp))
  const result = { req: told(seen.req), res: told(seen.res) }
  console.log(`${name}: req ${result.req}, res ${result.res}`)
  server.closeAllConnections()
  return result
}

const isAtOnce = (ms) => ms >= 0 && ms < 500
const read = await trial('JSON, read', 'application/json', '')
const unread = await trial('text, unread', 'text/plain', '')
const resumed = await trial('text, req.resume()', 'text/plain', '?resume=1')
const beating = await trial('text, unread, one event a second', 'text/plain', '?beat=1')
const same =
  [read, resumed].every(({ req, res }) => req < -500 && isAtOnce(res)) &&
  [unread.req, unread.res].every((at) => at === 'never') &&
  [beating.req, beating.res].every((at) => at > 500)
process.exit(same ? 0 : 1)
JAVASCRIPT
node hangup.mjs
