// Which public key a client expects of the proxy at an address. Spec: docs/spec/11-access.md, Rotation;
// docs/spec/12-failover.md. Pure.

/** Of so many addresses it is known which key is good there; those of a name may change for ever. */
const MAX_ADDRESSES = 256

/** While a proxy changes its own key it may have either of two; proxies that stand by for each other have one each. */
export class ExpectedKeys {
  #proxies
  #address = ''
  #expected = new Map()
  #good = new Map()
  #failures = 0

  /** @param {Buffer[]} proxies The public keys of 32 bytes, at least one. */
  constructor(proxies) {
    this.#proxies = proxies
  }

  /** The public key to expect in the next attempt. @returns {Buffer} */
  get key() {
    return this.#proxies[this.#index()]
  }

  /** Take what is expected from now on for that of the proxy at an address. */
  turnTo(address) {
    const where = String(address)
    if (where !== this.#address) this.#failures = 0
    this.#address = where
    for (const known of [this.#expected, this.#good]) {
      if (known.size > MAX_ADDRESSES) known.delete(known.keys().next().value)
    }
  }

  /**
   * Expect the next one there, after an attempt that may have had another.
   * @returns {boolean} False if each of them had its turn there since this last turned to another address.
   */
  expectNext() {
    const count = this.#proxies.length
    this.#expected.set(this.#address, (this.#index() + 1) % count)
    this.#failures++
    return this.#failures % count !== 0
  }

  /** Record that the proxy there has the one that was expected. */
  onGood() {
    const at = this.#index()
    this.#expected.set(this.#address, at)
    this.#good.set(this.#address, at)
    this.#failures = 0
  }

  #index() {
    const at = this.#expected.get(this.#address)
    if (at !== undefined) return at
    // Of those that stand by for each other each has a key of its own.
    const taken = new Set(this.#good.values())
    return Math.max(
      0,
      this.#proxies.findIndex((_, i) => !taken.has(i)),
    )
  }
}
