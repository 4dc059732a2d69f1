// What the key of a Dendrite lets it do, checked before anything is sent. Spec: docs/spec/11-access.md.
// The Synapse decides; this is for an error where the program can read it.
import { Rights, wordFor } from '../access/rights.js'
import { AccessRefused } from '../errors.js'
import { quoted } from '../runtime/shell.js'
import { QUESTIONS } from '../signals/signal-types.js'

/** A question is heard by those who may answer it. */
const wordToHear = (type) => (QUESTIONS.has(type) ? 'decide' : 'watch')

/** The rights of one Dendrite, as the last WELCOME told them; before the first, and without keys, everything. */
export class Permits {
  #client
  #url
  #may = null
  #rights = null

  /**
   * @param {{ may: string[] | null, user: string }} client The transport port.
   * @param {string} url The Synapse, for error texts.
   */
  constructor(client, url) {
    this.#client = client
    this.#url = url
  }

  /** @param {{ id: string | null }} directed Null: by its capabilities. @throws {AccessRefused} */
  checkDispatch({ id }) {
    const rights = this.#known()
    if (rights === null || rights.mayDispatchTo(id)) return
    if (id === null) throw this.#refused('send TASKs', 'dispatch')
    throw this.#refused(`send TASKs to neuron '${id}'`, `dispatch=${id}`)
  }

  /** @param {string} neuronId @throws {AccessRefused} */
  checkServe(neuronId) {
    if (this.#known()?.mayServe(neuronId) === false) throw this.refusedToServe(neuronId)
  }

  /** Return the error for an Axon that this key may not host. */
  refusedToServe(neuronId) {
    return this.#refused(`host an Axon of neuron '${neuronId}'`, `serve=${neuronId}`)
  }

  /** @param {import('./watch/handlers.js').Handler} handler Of the program. @throws {AccessRefused} */
  checkHear({ types, traceId }) {
    const rights = this.#known()
    if (rights === null) return
    // A handler of one trace subscribes to the trace as a whole.
    if (traceId !== null && !rights.mayHear(null)) throw this.#refused('listen to a trace', 'watch')
    const type = traceId === null ? [...types].find((each) => !rights.mayHear(each)) : undefined
    if (type !== undefined) throw this.#refused(`listen to ${type}`, wordToHear(type))
  }

  /** @param {string} type @throws {AccessRefused} */
  checkPublish(type) {
    if (this.#known()?.mayPublish(type) === false)
      throw this.#refused(`publish a ${type}`, wordFor(type))
  }

  #refused(what, word) {
    const { user } = this.#client
    const name = user.replace(':', '-') // over a Unix socket uid:1000, in the folder uid-1000
    // With +, which leaves the rights that the key has by then as they are.
    const fix = `to let it, run where the keys of the Synapse are: cosmo keys allow ${name} --may ${quoted(`+${word}`)}`
    return new AccessRefused(this.#url, `the key '${user}' may not ${what}`, fix)
  }

  #known() {
    const { may = null } = this.#client
    if (may === this.#may) return this.#rights
    this.#may = may
    this.#rights = may === null ? null : new Rights(may)
    return this.#rights
  }
}
