// Child processes for tests: awaited by a line they print, told, killed, and always ended.
// Nothing here waits for a length of time: every wait is for a line or an exit, and has a bound.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))
export const TIMEOUT_MS = 30_000

/** The Python of this checkout; the variable COSMO_TEST_PYTHON names another one. */
export const PYTHON =
  process.env.COSMO_TEST_PYTHON ??
  [`${ROOT}.venv-dev/bin/python`, `${ROOT}.venv/bin/python`].find(existsSync) ??
  'python3'

const running = new Set()
process.on('exit', () => {
  for (const each of running) each.signal('SIGKILL')
})

/** One child process. `lines` holds all that it wrote so far, stdout and stderr together. */
export class Child {
  #process
  #waiters = new Set()
  #isOver = false

  /**
   * Start a program.
   * @param {string} program Its path or name.
   * @param {(string|number)[]} args Its arguments.
   * @param {{ env?: object, cwd?: string }} [options] `env` is added to the environment.
   */
  constructor(program, args, { env = {}, cwd = ROOT } = {}) {
    this.lines = []
    this.#process = spawn(program, args.map(String), {
      cwd,
      env: { ...process.env, PYTHONUNBUFFERED: '1', ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    running.add(this)
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      createInterface({ input: stream }).on('line', (line) => this.#onLine(line))
    }
    this.#process.stdin.on('error', () => {}) // it ended before it read
    this.ended = new Promise((resolve) => {
      this.#process.on('error', (error) => this.#onLine(String(error)))
      this.#process.on('close', (code, signal) => {
        this.#isOver = true
        running.delete(this)
        for (const look of [...this.#waiters]) look()
        resolve(code ?? signal)
      })
    })
  }

  get pid() {
    return this.#process.pid
  }

  get said() {
    return this.lines.join('\n')
  }

  /**
   * Wait for a line that begins with `start`; return the rest of it.
   * @param {string} start How it begins.
   * @param {{ timeoutMs?: number, from?: number }} [options] `from`: the index of the first line to look at.
   */
  line(start, { timeoutMs = TIMEOUT_MS, from = 0 } = {}) {
    return new Promise((resolve, reject) => {
      const done = (act, value) => {
        clearTimeout(timer)
        this.#waiters.delete(look)
        act(value)
      }
      const fail = (why) =>
        done(reject, new Error(`no line begins with '${start}' (${why}); it said:\n${this.said}`))
      const look = () => {
        const found = this.lines.slice(from).find((each) => each.startsWith(start))
        if (found !== undefined) done(resolve, found.slice(start.length).trim())
        else if (this.#isOver) fail('it ended')
      }
      const timer = setTimeout(fail, timeoutMs, `within ${timeoutMs} ms`)
      this.#waiters.add(look)
      look()
    })
  }

  /** Write a line to its stdin. */
  tell(text) {
    this.#process.stdin.write(text + '\n')
  }

  /** Send an OS signal to it; do nothing when it has ended. */
  signal(name) {
    this.#process.kill(name)
  }

  /** Kill it with SIGKILL; resolve when it is gone. */
  async kill() {
    this.signal('SIGKILL')
    await this.ended
  }

  #onLine(line) {
    this.lines.push(line)
    for (const look of [...this.#waiters]) look()
  }
}

/** Start `python ...` in the root of the checkout; the test `t` ends it. */
export function startPython(t, args, options) {
  const child = new Child(PYTHON, args, options)
  t.after(() => child.kill())
  return child
}

/** Start `node ...` in the root of the checkout; the test `t` ends it. */
export function startNode(t, args, options) {
  const child = new Child(process.execPath, args, options)
  t.after(() => child.kill())
  return child
}
