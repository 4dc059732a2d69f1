// Uses the tools of the tests with the TypeScript SDK, over HTTP and over stdio; prints what it saw.
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'

const [url, token, command] = process.argv.slice(2)
const [program, ...args] = JSON.parse(command)

async function use(transport) {
  const client = new Client({ name: 'tests', version: '1' }, { capabilities: { elicitation: {} } })
  client.setRequestHandler(ElicitRequestSchema, ({ params }) => ({
    action: 'accept',
    content: 'answer' in params.requestedSchema.properties ? { answer: 'yes' } : {},
  }))
  await client.connect(transport)
  const call = (name, args = {}, options = {}) =>
    client.callTool({ name, arguments: args }, undefined, options)
  const progress = []
  const seen = {
    tools: (await client.listTools()).tools.map((tool) => tool.name),
    echo: (await call('echo', { city: 'Oslo' })).structuredContent,
    ask: (await call('ask', { city: 'Oslo' })).structuredContent,
    pay: (await call('pay')).structuredContent,
    progress,
  }
  await call('think', {}, { onprogress: ({ message }) => progress.push(message) })
  seen.bad = (await call('refuse')).content[0].text.split('\n')[0]
  seen.cancelled = await call('sleep', {}, { signal: AbortSignal.timeout(300) }).then(
    () => false,
    () => true,
  )
  await call('echo') // the notice of the cancellation has gone before it
  await client.close()
  return seen
}

const requestInit = { headers: { Authorization: `Bearer ${token}` } }
console.log(
  JSON.stringify([
    await use(new StreamableHTTPClientTransport(new URL(url), { requestInit })),
    await use(new StdioClientTransport({ command: program, args, env: process.env })),
  ]),
)
