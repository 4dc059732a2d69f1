#!/usr/bin/env bash
# Guess:  A client of the TypeScript SDK for MCP hands every progress notice of a call to `onprogress`, in
#         order, if the server writes the notices before the result, as the protocol wants.
# Truth:  Notices that arrive in one read together with the result are dropped without a word: a result is
#         handled at once and removes the handler, a notice is handled one microtask later.
# Matters: A quick tool on stdio shows no progress at all in a host that is written in TypeScript. A server
#         that streams must leave a pause between its last notice and its result.
# Seen:   node 20.20, @modelcontextprotocol/sdk 1.32.2, three notices and a result over stdio:
#           written at once: 0 of 3 notices      result 50 ms later: 3 of 3
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund @modelcontextprotocol/sdk@1.32.2

cat > server.mjs <<'JAVASCRIPT'
import { createInterface } from 'node:readline'

const line = (message) => JSON.stringify({ jsonrpc: '2.0', ...message }) + '\n'
const info = { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 's', version: '1' } }
for await (const text of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(text)
  if (method === 'initialize') process.stdout.write(line({ id, result: info }))
  if (method !== 'tools/call') continue
  const { progressToken } = params._meta
  const notices = [1, 2, 3]
    .map((progress) => line({ method: 'notifications/progress', params: { progressToken, progress } }))
    .join('')
  const result = line({ id, result: { content: [{ type: 'text', text: 'done' }] } })
  if (params.name === 'quick') process.stdout.write(notices + result)
  else {
    process.stdout.write(notices)
    setTimeout(() => process.stdout.write(result), 50)
  }
}
JAVASCRIPT

cat > client.mjs <<'JAVASCRIPT'
import { readFileSync } from 'node:fs'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'

const { version } = JSON.parse(readFileSync('node_modules/@modelcontextprotocol/sdk/package.json', 'utf8'))
console.log(`node ${process.version}, @modelcontextprotocol/sdk ${version}`)

const client = new Client({ name: 'c', version: '1' })
await client.connect(new StdioClientTransport({ command: process.execPath, args: ['server.mjs'] }))
const seen = {}
for (const name of ['quick', 'pausing']) {
  const heard = []
  await client.callTool({ name, arguments: {} }, undefined, { onprogress: (each) => heard.push(each.progress) })
  await new Promise((done) => setTimeout(done, 200))
  seen[name] = heard.length
  console.log(`${name}: ${heard.length} of 3 notices`)
}
await client.close()
process.exit(seen.quick === 0 && seen.pausing === 3 ? 0 : 1)
JAVASCRIPT
node client.mjs
