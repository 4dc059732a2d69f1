// The keys of a Synapse for tests, in a folder as `cosmo keys` makes it.
import { chmod, cp, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newPair } from './keyed-router.js'

/**
 * Make the keys of a Synapse; the test `t` removes them.
 *
 *     const keys = await keysFolder(t, { ada: ['dispatch', 'watch'], ben: ['serve=x-*'] })
 *     const synapse = await startSynapse(t, { args: ['--keys', keys.folder] })
 *     await connectSynapse(synapse.url, { key: keys.of('ada') })
 *     await keys.revoke('ada')
 *
 * @param {object} t
 * @param {Record<string, string[]>} users The rights of each.
 */
export async function keysFolder(t, users) {
  const home = await mkdtemp(join(tmpdir(), 'cosmo-keys-'))
  t.after(() => rm(home, { recursive: true }))
  const keys = new KeysFolder(home)
  await mkdir(join(keys.folder, 'allowed'), { recursive: true, mode: 0o700 })
  await keys.renew()
  for (const [name, may] of Object.entries(users)) await keys.allow(name, may)
  return keys
}

class KeysFolder {
  #home
  #pairs = new Map()
  #peers = []
  /** The public keys that the Synapse has had, the latest first. */
  synapse = []

  constructor(home) {
    this.#home = home
    this.folder = join(home, 'keys')
  }

  /** Give the Synapse a new key; in force when it is started again. */
  async renew() {
    const { public: own, secret } = newPair()
    this.synapse.unshift(own)
    await written(join(this.folder, 'synapse.key'), { public: own, secret }, 0o600)
  }

  /** List a user, or change what it may do. */
  async allow(name, may) {
    if (!this.#pairs.has(name)) this.#pairs.set(name, newPair())
    await written(this.#allowed(name), { public: [this.#pairs.get(name).public], may }, 0o644)
  }

  async revoke(name) {
    await rm(this.#allowed(name))
  }

  /** Let another folder be the one of a standby: the same users, and each Synapse knows the key of the other. */
  async joinedBy(other) {
    for (const [name, pair] of this.#pairs) {
      other.#pairs.set(name, pair)
      await cp(this.#allowed(name), other.#allowed(name))
    }
    await this.#peer('second', other)
    await other.#peer('first', this)
  }

  async #peer(name, other) {
    await mkdir(join(this.folder, 'peers'), { mode: 0o700 })
    await written(join(this.folder, 'peers', `${name}.toml`), { public: [other.synapse[0]] }, 0o644)
    this.#peers = other.synapse
  }

  /** The fields of the key of a user. */
  of(name) {
    const { public: own, secret } = this.#pairs.get(name)
    return { name, public: own, secret, synapse: [...this.synapse, ...this.#peers] }
  }

  /** Write the file of a key; resolve to its path. */
  async file(name, more = {}) {
    const path = join(this.#home, `${name}.key`)
    await written(path, { ...this.of(name), ...more }, 0o600)
    return path
  }

  #allowed(name) {
    return join(this.folder, 'allowed', `${name}.toml`)
  }
}

/** Write a file at once: a Synapse may read it at any time. */
async function written(path, fields, mode) {
  const lines = Object.entries(fields).map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`)
  const made = `${path}.new`
  await writeFile(made, lines.join(''), { mode })
  await chmod(made, mode)
  await rename(made, path)
}
