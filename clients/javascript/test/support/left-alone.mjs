/* eslint no-console: off -- it speaks to its parent */
// Open what the arguments say, close it, and end only when nothing keeps this process alive any more.
//   node left-alone.mjs URL CARRIER close | stay | unreachable
import { Synapse } from '../../src/index.js'

async function main(url, carrier, what) {
  const synapse = new Synapse(url, { carrier, logger: null })
  const receiver = new Proxy({}, { get: () => () => {} })
  const transport = synapse.transport({ namespace: 'n', name: 'left-alone' }, receiver)
  if (what === 'unreachable') {
    const error = await transport.open(300, []).catch((each) => each)
    console.log('failed', error.name)
  } else {
    await transport.open(10_000, [{ kind: 1 }])
    console.log('open')
    // It does not keep the process alive, so it comes only if something else does.
    setTimeout(() => console.log('alive'), 1500).unref()
    if (what === 'close') {
      await synapse.close()
      console.log('closed')
    }
  }
}

// `node --test` looks into this folder, too.
if (process.argv.length > 2) await main(...process.argv.slice(2))
