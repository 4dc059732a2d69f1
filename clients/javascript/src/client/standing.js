// Who a client is at its proxy, what it may do there, and who others are. Spec: docs/spec/11-access.md. Pure, but for
// the secret.
import { randomBytes } from 'node:crypto'
import { Users, instanceOfUser } from '../access/origin.js'

/** The standing of one client; it changes with each WELCOME. */
export class Standing {
  #user
  #may = null
  #users = new Users()

  /** @param {string} user The name of its key; empty without one. */
  constructor(user) {
    this.secret = randomBytes(16)
    /** The id of this connection that survives reconnects, 16 bytes. */
    this.instance = instanceOfUser(this.secret, user)
    this.#user = user
  }

  /** The name of its key, as the proxy knows it; empty without one. */
  get user() {
    return this.#user
  }

  /** What it may do, in words such as `serve=invoice-*`; null for everything, and before the first WELCOME. */
  get may() {
    return this.#may
  }

  /** @param {{ user: string, may: string[] | null }} welcome */
  onWelcomed({ user, may }) {
    this.#user = user || this.#user
    this.#may = may
    if (may === null) this.#users.clear()
    else this.#users.onWelcomed()
  }

  /** Add a page of those who may be in the namespace; page 0 is the first of a new list. */
  onUsers(page, names) {
    this.#users.add(page, names)
  }

  /** Return the user of an instance id that came from the proxy; null if that is not known. */
  originOf(instance) {
    return this.#users.of(instance)
  }
}
