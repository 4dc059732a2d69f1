// Keys: their texts, their files, and where their secrets are not.
import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { format, inspect } from 'node:util'
import fc from 'fast-check'
import { PUBLIC, SECRET, keyText, readKeyText } from '../../src/access/key-texts.js'
import { curveOf, keyOf } from '../../src/access/key.js'
import { InvalidKey, Key, Synapse } from '../../src/index.js'
import { fieldsOf, fileOf } from './support.js'

/** The text of the error of a call; it must not hold any part of a secret. */
function refusal(call, secret = '') {
  try {
    call()
  } catch (error) {
    assert.ok(error instanceof InvalidKey, String(error))
    const all = `${error.stack} ${inspect(error)} ${JSON.stringify(error)}`
    for (let at = 4; at + 8 <= secret.length; at += 8)
      assert.ok(!all.includes(secret.slice(at, at + 8)), 'a part of the secret is shown')
    return error.message
  }
  return ''
}

async function folder(t) {
  const path = await mkdtemp(join(tmpdir(), 'cosmo-key-'))
  t.after(() => rm(path, { recursive: true }))
  return path
}

async function written(t, text, mode = 0o600) {
  const path = join(await folder(t), 'ada.key')
  await writeFile(path, text)
  await chmod(path, mode)
  return path
}

test('a key of 32 bytes has a text of 62 characters, and is read from it', () => {
  const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 })
  fc.assert(
    fc.property(bytes, fc.constantFrom(PUBLIC, SECRET), (key, prefix) => {
      const text = keyText(prefix, key)
      assert.match(text, /^c[ps]k_[a-z2-7]{58}$/)
      assert.deepEqual(readKeyText(prefix, text, 'x'), Buffer.from(key))
    }),
  )
})

test('a key with any character wrong is refused, and not shown', () => {
  const text = fieldsOf('ada').secret
  for (let at = 4; at < text.length; at++) {
    const other = text[at] === 'a' ? 'b' : 'a'
    const wrong = text.slice(0, at) + other + text.slice(at + 1)
    assert.match(
      refusal(() => readKeyText(SECRET, wrong, 'x'), text),
      /secret key has a mistake/,
    )
  }
  assert.match(
    refusal(() => readKeyText(SECRET, text.slice(0, -1), 'x')),
    /58 characters/,
  )
  assert.match(
    refusal(() => readKeyText(SECRET, text.toUpperCase(), 'x')),
    /begin with csk_/,
  )
  assert.match(
    refusal(() => readKeyText(SECRET, 7, 'x')),
    /a text that begins with csk_/,
  )
})

test('a secret key is never taken for a public one, nor the other way round', () => {
  const { public: open, secret } = fieldsOf('ada')

  assert.match(
    refusal(() => readKeyText(PUBLIC, secret, 'x'), secret),
    /is a secret one/,
  )
  assert.match(
    refusal(() => readKeyText(SECRET, open, 'x')),
    /is a public one/,
  )
  const turned = PUBLIC + secret.slice(4)
  assert.match(
    refusal(() => readKeyText(PUBLIC, turned, 'x'), secret),
    /has a mistake/,
  )
})

test('a file NAME.key is read as it was written', async (t) => {
  const fields = fieldsOf('ada', { url: 'cosmo://10.0.0.5:7070' })
  fields.synapse.push(fieldsOf('x').public)

  const key = Key.read(await written(t, `# of ada\n\n${fileOf(fields)}`))

  assert.deepEqual([key.name, key.public, key.url], ['ada', fields.public, fields.url])
  assert.deepEqual(key.synapse, fields.synapse)
  const { user, secret, proxies } = curveOf(key)
  assert.deepEqual([user, keyText(SECRET, secret), proxies.length], ['ada', fields.secret, 2])
})

test('comments, single quotes and escapes are no mistakes', async (t) => {
  const { name, public: open, secret, synapse } = fieldsOf('ada')
  const text = `name='${name}' # hers\r\n public = "${open}"\nsecret = '${secret}'\nsynapse = [ "${synapse[0]}" , ]\nurl = "cosmo://\\u0061\\"b"`

  const key = Key.read(await written(t, text))
  assert.deepEqual([key.name, key.url], ['ada', 'cosmo://a"b'])
})

test('a wrong line of a file is named by its number and not shown', async (t) => {
  const fields = fieldsOf('ada')
  for (const line of [
    'secret',
    `secret = ${fields.secret}`,
    `secret = "${fields.secret}`,
    '[ada]',
  ]) {
    const path = await written(t, `name = "ada"\n${line}\n`)
    assert.match(
      refusal(() => Key.read(path), fields.secret),
      /: line 2 is not NAME = "..."/,
    )
  }
  const twice = await written(t, fileOf(fields) + fileOf(fields))
  assert.match(
    refusal(() => Key.read(twice), fields.secret),
    /line 5 .* comes twice/,
  )
})

test('a field that is missing or wrong is named', () => {
  const fields = fieldsOf('ada')
  const said = (more) => refusal(() => new Key({ ...fields, ...more }), fields.secret)

  assert.match(said({ secret: undefined }), /its secret is missing: .*cosmo keys new/)
  assert.match(said({ name: 'a b' }), /its name must be/)
  assert.match(said({ synapse: [] }), /its synapse must be a list of at least one/)
  assert.match(said({ synapse: fields.public }), /its synapse must be a list/)
  assert.match(said({ synapse: [fields.secret] }), /is a secret one/)
  assert.match(said({ url: 7 }), /its url/)
  assert.match(said({ secrets: '' }), /no field 'secrets'/)
  assert.match(said({ secret: fields.public }), /is a public one/)
  assert.match(said({ public: fieldsOf('ben').public }), /does not belong to its secret key/)
})

test('a key that was made by its owner lacks the line that who allows it sends', async (t) => {
  const own = fieldsOf('ada')
  delete own.synapse
  const path = await written(t, fileOf(own))

  const said = refusal(() => Key.read(path), own.secret)
  assert.match(said, /add the line synapse = \[\.\.\.\] that 'cosmo keys allow' printed/)
})

test('what is no path and no key is refused without being shown', () => {
  const { secret } = fieldsOf('ada')

  for (const given of [secret, '', 7, [], true, 'a\0b'])
    assert.match(
      refusal(() => keyOf(given), secret),
      /^cannot use the key: give the path/,
    )
})

test('a file that others may read or write is refused with the chmod to run', async (t) => {
  const { secret, ...others } = fieldsOf('ada')
  for (const mode of [0o644, 0o660, 0o604, 0o602, 0o610]) {
    const path = await written(t, fileOf({ secret, ...others }), mode)
    const text = refusal(() => Key.read(path), secret)
    assert.ok(text.endsWith(`run chmod 600 ${path}`), text)
  }
  assert.equal(Key.read(await written(t, fileOf({ secret, ...others }), 0o400)).name, 'ada')
})

test('a file in a folder that others may write is refused with the chmod to run', async (t) => {
  const inner = join(await folder(t), 'a b')
  await mkdir(inner)
  const path = join(inner, 'ada.key')
  await writeFile(path, fileOf(fieldsOf('ada')), { mode: 0o600 })
  await chmod(inner, 0o777)

  assert.ok(refusal(() => Key.read(path)).endsWith(`run chmod go-w '${inner}'`))
  await chmod(inner, 0o700)
  assert.equal(Key.read(path).name, 'ada')
})

test('a file that is missing, a link or a folder is refused with what to do', async (t) => {
  const path = await written(t, fileOf(fieldsOf('ada')))
  const link = `${path}.link`
  await symlink(path, link)

  assert.match(
    refusal(() => Key.read(`${path}s`)),
    /there is no such file: check the path/,
  )
  assert.match(
    refusal(() => Key.read(link)),
    /symbolic link: name the file/,
  )
  assert.match(
    refusal(() => Key.read(join(path, '..'))),
    /no regular file/,
  )
})

test('the secret of a Key is in no display of it, of its Synapse or of its carrier', () => {
  const fields = fieldsOf('ada')
  const key = new Key(fields)
  const raw = curveOf(key).secret
  const synapse = new Synapse('cosmo+ipc:///run/cosmo.sock', { key })
  const shows = [key, synapse, { key }].map((each) =>
    [
      inspect(each, { depth: 9, showHidden: true }),
      format('%s %j %o', each, each, each),
      JSON.stringify(each),
      String(each),
      JSON.stringify({ ...each }),
    ].join(),
  )

  for (const each of shows) {
    assert.ok(!each.includes(fields.secret.slice(4, 20)))
    assert.ok(!each.includes(raw.toString('hex').slice(0, 8)))
    assert.ok(!each.includes(raw.toString('base64').slice(0, 8)))
  }
  assert.match(shows[0], /Key\(ada, cpk_/)
})
