// Which value of a setting counts; tests/javascript/test_configuration.py walks every case, beside Python.
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { chosen } from '../../src/configuration/configuration.js'
import { Dendrite, InvalidContext, InvalidKey, InvalidUrl, Synapse } from '../../src/index.js'

const VARIABLES = ['COSMO_URL', 'COSMO_NAMESPACE', 'COSMO_KEY', 'COSMO_CARRIER', 'COSMO_CONTEXT']
const DEFAULT = 'cosmo://127.0.0.1:7070'

/** Say nothing anywhere but in a file of contexts; return its path. */
async function withContexts(t, text) {
  const folder = await mkdtemp(join(tmpdir(), 'cosmo-configuration-'))
  const before = { ...process.env }
  t.after(async () => {
    process.env = before
    await rm(folder, { recursive: true })
  })
  for (const each of VARIABLES) delete process.env[each]
  process.env.XDG_CONFIG_HOME = folder
  const file = join(folder, 'cosmonapse', 'contexts.toml')
  await mkdir(join(folder, 'cosmonapse'), { mode: 0o700 })
  await writeFile(file, text, { mode: 0o600 })
  return file
}

const TWO = `selected = "a"
[contexts.a]
url = "cosmo://a:1"
[contexts.b]
url = "cosmo://b:1"
namespace = "team"
`

test('the variable names another context than the selected one, or none', async (t) => {
  await withContexts(t, TWO)
  const found = () => [new Synapse().url, new Dendrite({ synapse: new Synapse() }).namespace]

  assert.deepEqual(found(), ['cosmo://a:1', 'default'])
  process.env.COSMO_CONTEXT = 'b'
  assert.deepEqual(found(), ['cosmo://b:1', 'team'])
  process.env.COSMO_CONTEXT = '-'
  assert.deepEqual(found(), [DEFAULT, 'default'])
})

test('a context that is not there is told with the variable', async (t) => {
  await withContexts(t, TWO)
  process.env.COSMO_CONTEXT = 'bb'

  assert.throws(
    () => new Synapse(),
    (error) =>
      error instanceof InvalidContext && / 'bb': .*\(it is in COSMO_CONTEXT\)$/.test(error),
  )
})

test('a broken file does not matter where a setting is said before it', async (t) => {
  const file = await withContexts(t, 'broken')

  const synapse = new Synapse('cosmo://h:1', { key: null })
  assert.equal(synapse.url, 'cosmo://h:1')
  assert.throws(() => new Dendrite({ synapse }), InvalidContext)
  process.env.COSMO_NAMESPACE = 'team'
  assert.equal(new Dendrite({ synapse }).namespace, 'team')
  assert.throws(
    () => new Synapse(),
    new RegExp(`${file}: .*; COSMO_CONTEXT=- goes without contexts`),
  )
})

test('an error about a value says in which context, or which key, it is', async (t) => {
  const file = await withContexts(
    t,
    `selected = "a"\n[contexts.a]\nurl = "http://h"\nkey = "/gone.key"`,
  )

  assert.throws(
    () => new Synapse(undefined, { key: null }),
    (error) =>
      error instanceof InvalidUrl && error.message.endsWith(`(it is in the context a in ${file})`),
  )
  assert.throws(
    () => new Synapse('cosmo://h'),
    (error) =>
      error instanceof InvalidKey &&
      error.message.includes('/gone.key: there is no such file') &&
      error.message.endsWith(`(it is in the context a in ${file})`),
  )
  const inKey = chosen('url', undefined, () => ({ name: 'ada', url: 'cosmo://k' }))
  assert.equal(inKey.value, 'http://h') // the context counts before it
  process.env.COSMO_CONTEXT = '-'
  const alone = chosen('url', undefined, () => ({ name: 'ada', url: 'cosmo://k' }))
  assert.deepEqual([alone.value, alone.where], ['cosmo://k', ' (it is in the key ada)'])
})
