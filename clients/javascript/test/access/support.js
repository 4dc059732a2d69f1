// Keys for tests, made without libzmq.
import { generateKeyPairSync } from 'node:crypto'
import { PUBLIC, SECRET, keyText } from '../../src/access/key-texts.js'

const raw = (key, type) => key.export({ format: 'der', type }).subarray(-32)

function newPair() {
  const { publicKey, privateKey } = generateKeyPairSync('x25519')
  return {
    public: keyText(PUBLIC, raw(publicKey, 'spki')),
    secret: keyText(SECRET, raw(privateKey, 'pkcs8')),
  }
}

export const fieldsOf = (name, more = {}) => ({
  name,
  ...newPair(),
  synapse: [newPair().public],
  ...more,
})

/** The text of a file NAME.key. */
export const fileOf = (fields) =>
  Object.entries(fields)
    .map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`)
    .join('')
