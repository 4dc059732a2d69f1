// A ROUTER with keys in this process: what a Synapse with keys is to the carrier of a client, and no more.
import { createRequire } from 'node:module'
import { PUBLIC, SECRET, keyText } from '../../src/access/key-texts.js'
import { freePorts } from './synapse.js'

const { Context, Reply, Router, curveKeyPair } = createRequire(import.meta.url)('zeromq')
const DIGITS =
  '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#'

/** Return the bytes of a text of Z85. */
export function unZ85(text) {
  const bytes = Buffer.alloc((text.length / 5) * 4)
  for (let at = 0; at < text.length; at += 5) {
    let word = 0
    for (const digit of text.slice(at, at + 5)) word = word * 85 + DIGITS.indexOf(digit)
    bytes.writeUInt32BE(word, (at / 5) * 4)
  }
  return bytes
}

/** Return a key pair that CURVE takes. */
export function newPair() {
  const { publicKey, secretKey } = curveKeyPair()
  return { publicKey, secretKey, public: keyText(PUBLIC, unZ85(publicKey)), secret: keyText(SECRET, unZ85(secretKey)) } // prettier-ignore
}

/**
 * Start a ROUTER that greets everybody whose key is in `allowed`; the test ends it.
 * @param {object} t
 * @param {{ pair?: object, port?: number }} [options]
 */
export async function startKeyedRouter(t, { pair = newPair(), port } = {}) {
  const router = new KeyedRouter(pair, port ?? (await freePorts()))
  t.after(() => router.close())
  await router.start()
  return router
}

class KeyedRouter {
  /** Public keys in Z85. */
  allowed = new Set()
  /** How many connections and handshakes came, and how many probes. */
  accepted = 0
  asked = 0
  probes = 0
  #pair
  #context = new Context({ blocky: false })
  #zap
  #router

  constructor(pair, port) {
    this.#pair = pair
    this.port = port
    this.url = `cosmo://127.0.0.1:${port}`
  }

  /** The fields of a key of a client; it is not allowed yet. */
  keyFields(name, pair = newPair(), ...others) {
    const synapse = [this.#pair, ...others].map((each) => each.public)
    return { name, public: pair.public, secret: pair.secret, synapse }
  }

  async start() {
    this.#zap = new Reply({ context: this.#context, linger: 0 })
    await this.#zap.bind('inproc://zeromq.zap.01')
    void this.#answerZap()
    this.#router = new Router({
      context: this.#context,
      linger: 0,
      ...curveServer(this.#pair),
    })
    this.#router.events.on('accept', () => this.accepted++)
    await this.#router.bind(`tcp://127.0.0.1:${this.port}`)
    void this.#greet()
  }

  close() {
    this.#router.close()
    this.#zap.close()
  }

  async #answerZap() {
    for await (const [version, id, , , , , key] of this.#zap) {
      this.asked++
      const isIn = this.allowed.has(z85Of(key))
      await this.#zap.send([version, id, isIn ? '200' : '400', '', isIn ? 'user' : '', ''])
    }
  }

  async #greet() {
    for await (const [connection] of this.#router) {
      this.probes++
      await this.#router.send([connection, 'hello', ''])
    }
  }
}

/** The options of every socket with keys: a domain, and that nobody gets in where it cannot be asked. */
const curveServer = ({ secretKey }) => ({
  curveServer: true,
  curveSecretKey: secretKey,
  zapDomain: 'cosmonapse-test',
  zapEnforceDomain: true,
})

function z85Of(bytes) {
  let text = ''
  for (let at = 0; at < 32; at += 4) {
    const word = bytes.readUInt32BE(at)
    for (let power = 85 ** 4; power >= 1; power /= 85) text += DIGITS[Math.floor(word / power) % 85]
  }
  return text
}
