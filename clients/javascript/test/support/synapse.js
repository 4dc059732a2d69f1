// A real Synapse for tests, in a process of its own: started, killed, and started again under its URL.
import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'
import { Child, PYTHON } from './child.js'

/**
 * Start a Synapse and wait until it listens; the test `t` ends it.
 *
 *     const synapse = await startSynapse(t)
 *     await connectSynapse(synapse.url)
 *     await synapse.kill()     // kill -9
 *     await synapse.restart()  // the same URL
 *
 * @param {{ after: Function }} t The context of a test.
 * @param {{ host?: string, port?: number, ipc?: string, namespaces?: string[], args?: string[], quiet?: boolean }} [options]
 *   `port`: by default three free ones; `ipc`: the path of a Unix socket as well; `args`: further ones.
 */
export async function startSynapse(t, options = {}) {
  const synapse = new RunningSynapse({ port: options.port ?? (await freePorts()), ...options })
  t.after(() => synapse.kill())
  await synapse.restart()
  return synapse
}

class RunningSynapse {
  #args
  #child

  constructor({ host, port, ipc, namespaces = [], args = [], quiet = true }) {
    this.port = port
    this.ipcUrl = ipc === undefined ? null : `cosmo+ipc://${ipc}`
    this.#args = ['-m', 'cosmonapse.cli', 'synapse', 'start', 'memory', '--port', port, ...args]
    if (host !== undefined) this.#args.push('--host', host)
    if (ipc !== undefined) this.#args.push('--ipc', ipc)
    if (quiet) this.#args.push('--quiet')
    for (const each of namespaces) this.#args.push('--namespace', each)
  }

  get pid() {
    return this.#child.pid
  }

  /** Everything that it wrote since it was last started. */
  get said() {
    return this.#child.said
  }

  /** Start it under the same URL, after its end; resolve when it listens. */
  async restart() {
    this.#child = new Child(PYTHON, this.#args)
    this.url = await this.#child.line('Synapse listening on')
  }

  /** Send it an OS signal, such as SIGSTOP and SIGCONT: a Synapse that is there and answers nothing. */
  signal(name) {
    this.#child.signal(name)
  }

  /** End it without a word (kill -9); resolve when it is gone. */
  kill() {
    return this.#child.kill()
  }

  /** End it in order (SIGTERM): it tells its Dendrites and drains. Resolve to its exit code. */
  stop() {
    this.signal('SIGTERM')
    return this.#child.ended
  }
}

/**
 * Return a port that is free like those two and three above it, for a Synapse to come back to.
 * It lies below the range from which the system takes the ports of outgoing connections.
 */
export async function freePorts() {
  for (let tries = 0; tries < 100; tries++) {
    const port = randomInt(10_000, 32_000)
    const taken = await Promise.all([port, port + 2, port + 3].map(isTaken))
    if (!taken.includes(true)) return port
  }
  throw new Error('no three free ports in 100 tries')
}

function isTaken(port) {
  return new Promise((resolve) => {
    const server = createServer()
    server.on('error', () => resolve(true))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(false)))
  })
}
