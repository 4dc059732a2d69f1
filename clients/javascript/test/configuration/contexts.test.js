// The file of the contexts, as `cosmo context` writes it and as people do.
import assert from 'node:assert/strict'
import { chmod, mkdtemp, mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import {
  contextNamed,
  contextsFile,
  keyPath,
  readContexts,
} from '../../src/configuration/contexts.js'
import { InvalidContext } from '../../src/index.js'

const TEXT = `
selected = "office"  # for now

[contexts.office]
url = "cosmo://10.0.0.5:7070"
namespace = 'team'
key = "~/b\\u00e9n.key"

[ contexts . "at.home" ] # empty
`

async function fileWith(t, text, mode = 0o600) {
  const folder = await mkdtemp(join(tmpdir(), 'cosmo-contexts-'))
  t.after(() => rm(folder, { recursive: true }))
  const path = join(folder, 'contexts.toml')
  await writeFile(path, text)
  await chmod(path, mode)
  return path
}

/** The text of the error about a file; it is one line and names the file. */
function refusal(path) {
  try {
    readContexts(path)
  } catch (error) {
    assert.ok(error instanceof InvalidContext, String(error))
    assert.ok(error.message.startsWith(`cannot use ${path}: `), error.message)
    assert.ok(!error.message.includes('\n'))
    return error.message
  }
  return assert.fail('it was read')
}

test('what is written is read', async (t) => {
  const found = readContexts(await fileWith(t, TEXT))

  assert.equal(found.selected, 'office')
  assert.deepEqual([...found.known.keys()], ['office', 'at.home'])
  const { url, namespace, key } = contextNamed(found, 'office')
  assert.deepEqual([url, namespace, key], ['cosmo://10.0.0.5:7070', 'team', '~/bén.key'])
  assert.equal(keyPath(key), join(homedir(), 'bén.key'))
  assert.equal(keyPath('/a/b.key'), '/a/b.key')
})

test('a title of all contexts says nothing where nothing is below it', async (t) => {
  const found = readContexts(await fileWith(t, `${TEXT}\n[contexts]\n`))

  assert.deepEqual([...found.known.keys()], ['office', 'at.home'])
})

test('without a file there are no contexts', async (t) => {
  const path = await fileWith(t, TEXT)
  for (const absent of [`${path}s`, join(path, 'below'), 'cosmonapse/contexts.toml']) {
    const found = readContexts(absent)
    assert.deepEqual([found.known.size, found.selected], [0, null])
  }
})

const WRONG = [
  ['selected = ', /line 1 is not NAME = "\.\.\." or \[contexts\.NAME\]/],
  ['selekted = "a"', /no line 'selekted': did you mean 'selected'/],
  ['selected = "a"', /selected is 'a', and there is no such context: .*select -/],
  ['a = "b"', /there is no line 'a': those are selected/],
  ['[office]', /there is no table \[office\]: write each context as \[contexts\.NAME\]/],
  ['[contexts.a.b]', /there is no table \[contexts\.a\.b\]/],
  ['[contexts.a]\n[contexts.a]', /line 2 is not .* or comes twice/],
  ['[contexts.a]\nurl = "x"\nurl = "y"', /line 3 is not .* or comes twice/],
  ['[contexts.a]\nurll = "x"', /context 'a': there is no line 'urll': did you mean 'url'/],
  ['[contexts.a]\nzz = "x"', /there is no line 'zz': those are url, namespace, key/],
  ['[contexts.a]\nurl = 7070', /line 2 is not/],
  ['[contexts.a]\nurl = ["x"]', /context 'a': url must be a text that can be printed.*\[ 'x' \]/],
  ['[contexts.a]\nurl = ""', /url must be a text that can be printed, .*, not ''/],
  ['[contexts.a]\nurl = "x\u202e"', /url must be a text that can be printed, .*'x\\u\{202e\}'$/],
  ['[contexts.a]\nkey = "/a\\u00a0b"', /key must be a text that can be printed/],
  ['[contexts]\na = "b"', /there is no table \[contexts\]: write each context as/],
  ['[contexts.a]\nnamespace = "a/b"', /namespace must be 1 to 128 characters .*'a\/b'/],
  ['[contexts.a]\nkey = "ben.key"', /key must be a whole path, .*, not 'ben.key'/],
  ['[contexts."a/b"]', /the name 'a\/b' of a context: it must be 1 to 128/],
  ['[contexts.-]', /the name '-': begin it with a letter or a digit/],
]
for (const [text, says] of WRONG) {
  test(`a wrong file is told in one line: ${text.replaceAll('\n', ' | ')}`, async (t) => {
    assert.match(refusal(await fileWith(t, text)), says)
  })
}

test('a secret in the place of a path is not shown', async (t) => {
  const said = refusal(await fileWith(t, '[contexts.a]\nkey = "csk_abc"'))

  assert.match(said, /csk_\.\.\./)
  assert.ok(!said.includes('csk_abc'))
})

test('a file, or a folder, that others may write is refused with the chmod to run', async (t) => {
  for (const mode of [0o660, 0o602]) {
    const path = await fileWith(t, TEXT, mode)
    assert.ok(refusal(path).endsWith(`run chmod go-w ${path}`))
  }
  assert.equal(readContexts(await fileWith(t, TEXT, 0o644)).selected, 'office')
  const path = await fileWith(t, TEXT)
  await chmod(join(path, '..'), 0o777)
  assert.match(refusal(path), /others may write its folder .*run chmod go-w/)
})

test('a file that is too long is refused', async (t) => {
  assert.match(refusal(await fileWith(t, '#'.repeat(65_537))), /no such file has over 65536/)
})

test('a link and a folder are refused', async (t) => {
  const path = await fileWith(t, TEXT)
  await symlink(path, `${path}.link`)
  await mkdir(`${path}.d`)

  assert.match(refusal(`${path}.link`), /it is a link: put the file itself there/)
  assert.match(refusal(`${path}.d`), /no regular file/)
})

test('the name of no context is told with the one that was meant', async (t) => {
  const found = readContexts(await fileWith(t, TEXT))

  assert.throws(() => contextNamed(found, 'ofice'), /'ofice': .*did you mean 'office'\? .* ls/)
  assert.throws(() => contextNamed(found, 'zzzzzz'), /there is none in .*toml: 'cosmo context ls'/)
})

test('the file is where click keeps the settings of a program', () => {
  const home = homedir()
  const at = (platform, env) => contextsFile({ platform, env })

  const below = ['cosmonapse', 'contexts.toml']
  assert.equal(at('linux', {}), join(home, '.config', ...below))
  assert.equal(at('linux', { XDG_CONFIG_HOME: '/x' }), join('/x', ...below))
  assert.equal(at('linux', { XDG_CONFIG_HOME: 'x' }), join(home, '.config', ...below))
  assert.equal(at('darwin', {}), join(home, 'Library', 'Application Support', ...below))
  assert.equal(at('win32', { APPDATA: '/data' }), join('/data', ...below))
  assert.equal(at('win32', {}), join(home, ...below))
})
