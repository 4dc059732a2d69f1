// The programs of the README run as they are printed, in a project that installed the package.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { test } from 'node:test'

import { Child } from './support/child.js'
import { freePorts, startSynapse } from './support/synapse.js'

const CLIENT = fileURLToPath(new URL('..', import.meta.url))
const BLOCK = /^```js\n\/\/ (\w+\.js)\n(.*?)^```$/gms

/** Install the package into a new folder, as the README says, and write its programs there. */
async function project(t, port) {
  const folder = await mkdtemp(join(tmpdir(), 'cosmo-readme-'))
  t.after(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'package.json'), '{ "type": "module", "private": true }')
  const npm = ['install', '--no-audit', '--no-fund', '--offline', CLIENT]
  await promisify(execFile)('npm', npm, { cwd: folder })
  await symlink(join(CLIENT, 'node_modules', 'express'), join(folder, 'node_modules', 'express'))
  const readme = await readFile(join(CLIENT, 'README.md'), 'utf8')
  for (const [, name, program] of readme.matchAll(BLOCK))
    await writeFile(join(folder, name), program.replace('listen(3000)', `listen(${port})`))
  return folder
}

test('the worker, the caller and the app of the README do what it says', async (t) => {
  const port = await freePorts()
  const [synapse, folder] = await Promise.all([startSynapse(t), project(t, port)])
  const start = (name) => {
    const child = new Child(process.execPath, [name], {
      cwd: folder,
      env: { COSMO_URL: synapse.url },
    })
    t.after(() => child.kill())
    return child
  }
  const worker = start('worker.js')
  const caller = start('caller.js')
  const ended = await caller.ended

  assert.equal(ended, 0, caller.said)
  assert.deepEqual(caller.lines, ['HELLO THERE', 'one word after the other AGENT_OUTPUT'])

  const app = start('app.js')
  const url = `http://127.0.0.1:${port}`
  const answered = await asked(`${url}/ask`, app)
  const streamed = await (await fetch(`${url}/stream?prompt=a+b`)).text()
  for (const each of [app, worker]) each.signal('SIGTERM')

  assert.deepEqual(await answered.json(), { response: 'HI' })
  assert.match(streamed, /event: thought\ndata: \{"delta": "a "/)
  assert.match(streamed, /event: output/)
  assert.deepEqual([await app.ended, await worker.ended], [0, 0])
  assert.equal(worker.said.trim(), 'worker is ready\nSIGTERM')
})

/** POST until the app listens; the promise of `app.ended` ends the tries. */
async function asked(url, app) {
  let isOver = false
  app.ended.then(() => (isOver = true))
  for (;;) {
    try {
      const body = JSON.stringify({ prompt: 'hi' })
      return await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      })
    } catch (error) {
      if (isOver) throw new Error(`the app ended: ${app.said}`, { cause: error })
    }
  }
}
