// What the last WELCOME said about the fabric, for people. Spec: docs/spec/12-failover.md. Pure.
// A WELCOME comes again when `half` changes.

/** Tells the user of a client when its Synapse may not be the only one that leads; a change is logged once. */
export class FabricNews {
  #name
  #listed
  #urlOf
  #log
  /** The URL of the Synapse that sent the last WELCOME; empty before. */
  url = ''
  /** Whether that one does not hear another one of its fabric. */
  half = false
  /** The same as a sentence, for people; empty if there is nothing to say. */
  warning = ''

  /**
   * @param {{ name: string, url: string, isList?: boolean, urlOf?: (address: object) => string, log: (text: string) => void }} options
   *   `name`: of the Dendrite, for the log; `url`: of its Synapse, or of several if `isList`; `urlOf`: returns the URL
   *   of an address.
   */
  constructor({ name, url, isList = false, urlOf = String, log }) {
    this.#name = name
    this.#listed = isList ? url : ''
    this.#urlOf = urlOf
    this.#log = log
  }

  /** All of it, for the state of the Synapse. */
  get facts() {
    return { url: this.url, half: this.half, warning: this.warning }
  }

  /**
   * Record what a WELCOME said.
   * @param {object} address Of the Synapse that sent it.
   * @param {{ half: boolean, others: boolean }} welcome `others`: that one was told of others.
   */
  onWelcomed(address, { half, others }) {
    const before = this.warning
    this.url = this.#urlOf(address)
    this.half = half
    this.warning = this.#warningOf(half, others)
    if (this.warning === before) return
    const news =
      this.warning || `the Synapse at ${this.url} hears every other one of its fabric again`
    this.#log(`dendrite ${this.#name}: ${news}`)
  }

  #warningOf(half, others) {
    if (half)
      return (
        `the Synapse at ${this.url} does not hear another one of its fabric, so there may be a second one that ` +
        'leads; look at its host, and at the network between the two'
      )
    if (this.#listed !== '' && !others)
      return (
        `the Synapse at ${this.url} knows no other one, so those of ${this.#listed} do not stand by for each ` +
        'other, and more than one may lead; start each of them with --peer and the URLs of the others'
      )
    return ''
  }
}
