#!/usr/bin/env bash
# Guess:  An output schema of an MCP tool is a hint. A client that cannot use it calls the tool without a
#         check, or at worst this one tool fails.
# Truth:  listTools() of the TypeScript SDK compiles the output schema of every tool and rejects the whole list
#         for one that does not compile. A pattern is compiled as a RegExp with the flag u, so a valid
#         pattern of Python is enough: a named group, or an escaped "-".
# Matters: One tool that a Python server derived from its types hides all tools of the server, also those of
#         other authors behind a gateway. The Python SDK lists and calls the same tools without complaint.
# Seen:   node 20.20, @modelcontextprotocol/sdk 1.32.2, a good tool beside one with the pattern:
#           ^[a-z]+$ : 2 tools      ^\d{4}\-\d{2}$ : rejected      (?P<year>\d{4}) : rejected
#           the same pattern in the input schema: 2 tools
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund @modelcontextprotocol/sdk@1.32.2

cat > list.mjs <<'JAVASCRIPT'
import { readFileSync } from 'node:fs'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js'
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js'

const { version } = JSON.parse(readFileSync('node_modules/@modelcontextprotocol/sdk/package.json', 'utf8'))
console.log(`node ${process.version}, @modelcontextprotocol/sdk ${version}`)

async function listed(place, pattern) {
  const plain = { type: 'object' }
  const schema = { type: 'object', properties: { at: { type: 'string', pattern } } }
  const tools = [
    { name: 'good', inputSchema: plain },
    { name: 'other', inputSchema: plain, [place]: schema },
  ]
  const server = new Server({ name: 's', version: '1' }, { capabilities: { tools: {} } })
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools }))
  const client = new Client({ name: 'c', version: '1' })
  const [one, other] = InMemoryTransport.createLinkedPair()
  await Promise.all([server.connect(one), client.connect(other)])
  const seen = await client.listTools().then(
    (result) => `${result.tools.length} tools`,
    (error) => `rejected: ${error.message}`,
  )
  console.log(`${place} ${pattern} : ${seen}`)
  await client.close()
  return seen.split(':')[0]
}

const same =
  (await listed('outputSchema', '^[a-z]+$')) === '2 tools' &&
  (await listed('outputSchema', '^\\d{4}\\-\\d{2}$')) === 'rejected' &&
  (await listed('outputSchema', '(?P<year>\\d{4})')) === 'rejected' &&
  (await listed('inputSchema', '(?P<year>\\d{4})')) === '2 tools'
process.exit(same ? 0 : 1)
JAVASCRIPT
node list.mjs
