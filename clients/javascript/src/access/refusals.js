// Why a far end lets this client not in, as far as keys go, and what to do. Spec: docs/spec/11-access.md. Pure.
import { PUBLIC, keyText } from './key-texts.js'

/**
 * The first pause and the longest one after a refusal, in milliseconds. As each is taken half as long or longer by
 * half, by chance, the longest of all is 30 s.
 */
export const Pauses = Object.freeze({
  ONE_END_HAS_KEYS: Object.freeze([600, 600]),
  UNLISTED: Object.freeze([1000, 20_000]),
  OTHER_PROXY: Object.freeze([1000, 8000]),
})
const MAX_DOUBLINGS = 10

/**
 * Return the pause after so many refusals in a row, in milliseconds.
 * @param {readonly [number, number]} pauses One of `Pauses`.
 * @param {number} count
 * @param {() => number} dice Returns a random number from 0 up to 1, for the jitter.
 */
export function refusedMs([firstMs, mostMs], count, dice) {
  return Math.min(firstMs * 2 ** Math.min(count - 1, MAX_DOUBLINGS), mostMs) * (0.5 + dice())
}

/** One refusal, for people: `reason` says what was refused, `fix` what to do. */
export class Refusal {
  /**
   * @param {string} reason
   * @param {string} fix
   * @param {readonly [number, number]} pauses One of `Pauses`: when it is tried again.
   */
  constructor(reason, fix, pauses) {
    this.reason = reason
    this.fix = fix
    this.pauses = pauses
    Object.freeze(this)
  }

  toString() {
    return `${this.reason}; ${this.fix}`
  }
}

/** A far end with the right public key fails no handshake at once, and one that is busy fails none so soon. */
const SOON_MS = 1000
const LEAST_FAILURES = 5
const LEAST_MS = 500

/** Judges failed handshakes over TCP by what is known of the keys of both ends. */
export class KeyJudge {
  #keys
  #name
  #failures = 0
  #firstMs = 0
  #isKeyed = false
  /** Why the far end refuses this client; null while that is not known. @type {Refusal | null} */
  refusal = null

  /** @param {{ user: string, public: Buffer, proxies: Buffer[] } | null} keys Those of this client. */
  constructor(keys) {
    this.#keys = keys
    this.#name = keys === null ? '' : `the key of ${keys.user}`
  }

  /** Whether this client has a key. */
  get hasKey() {
    return this.#keys !== null
  }

  /**
   * Record the security mechanism in a greeting of the far end.
   * @param {string} mechanism
   * @returns {Refusal | null} null if it is the one of this client, or that of no proxy
   */
  onMechanism(mechanism) {
    this.#isKeyed = mechanism === 'CURVE'
    if (this.#isKeyed) return this.hasKey ? null : this.#told(needsKey())
    if (mechanism !== 'NULL' || !this.hasKey) return null
    return this.#toldOf(
      `it has no keys, so it is not the one that ${this.#name} is for`,
      "check the URL, or start it with 'cosmo synapse start --keys DIR'; to join one that has no keys, name no key " +
        '(COSMO_KEY, or the option key), nor a context that has one (COSMO_CONTEXT=- names none)',
      Pauses.ONE_END_HAS_KEYS,
    )
  }

  /** Record that the far end does not list the key of this client. @returns {Refusal} */
  onUnknown() {
    const { user, public: own } = this.#keys
    const fix = `where it runs: cosmo keys allow ${user} ${keyText(PUBLIC, own)}`
    return this.#toldOf(`it does not list ${this.#name}`, fix, Pauses.UNLISTED)
  }

  /**
   * Record a handshake that failed.
   * @param {number} nowMs
   * @param {number} tookMs since the connection came about
   * @returns {Refusal | null} null while that may have another cause than the key of the far end
   */
  onFailed(nowMs, tookMs) {
    if (!this.hasKey || !this.#isKeyed || tookMs > SOON_MS) return null
    if (this.#failures === 0) this.#firstMs = nowMs
    this.#failures++
    const isEnough = this.#failures >= Math.max(LEAST_FAILURES, 2 * this.#keys.proxies.length)
    if (!isEnough || nowMs - this.#firstMs < LEAST_MS) return null
    return this.#toldOf(
      `another Synapse answers there: it has another public key than the one in ${this.#name}`,
      `check the URL; if the Synapse has a new key, get a new ${this.#keys.user}.key, or add that public key to the ` +
        "line 'synapse' of yours",
      Pauses.OTHER_PROXY,
    )
  }

  /** Forget everything, as nobody is there: what comes next may be another far end. */
  onNobody() {
    this.refusal = null
    this.#failures = 0
    this.#isKeyed = false
  }

  #toldOf(...facts) {
    return this.#told(new Refusal(...facts))
  }

  #told(refusal) {
    this.refusal = refusal
    return refusal
  }
}

const needsKey = () =>
  new Refusal(
    'it has keys, and this Dendrite has none',
    'name the file NAME.key that you were given (COSMO_KEY, or the option key); whoever runs the Synapse makes one ' +
      "with 'cosmo keys new NAME'",
    Pauses.ONE_END_HAS_KEYS,
  )
