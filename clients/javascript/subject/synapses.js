// A Synapse of this process whose connections a driver can disturb.
import net from 'node:net'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import { Synapse } from '../src/index.js'

const sockets = new Set()
const { connect } = net
let isReading = Promise.resolve()
let readOn = null

/** Remember every socket that this process connects, so that it can be left unread. */
export function watchSockets() {
  const { Dealer } = createRequire(import.meta.url)('zeromq')
  const { receive } = Dealer.prototype
  Object.defineProperty(Dealer.prototype, 'receive', {
    value: function receiveUnlessHeld() {
      if (readOn === null) return receive.call(this)
      return isReading.then(() => receive.call(this))
    },
  })
  net.connect = (...args) => {
    const socket = connect(...args)
    const at = args[0]
    sockets.add({ socket, at: at.path ?? String(at.port) })
    return socket
  }
  syncBuiltinESMExports()
}

export class TestedSynapse extends Synapse {
  #carriers = []

  carrier() {
    const made = super.carrier()
    this.#carriers.push(made)
    return made
  }
  /** End its connections as the death of this process does. */
  crash() {
    for (const each of this.#carriers) each.close()
  }
  /** Lose what its connections publish. */
  lose(isLosing) {
    for (const each of this.#carriers) {
      if (isLosing) each.publish = () => {}
      else delete each.publish
    }
  }
  /** Leave the directed messages of its connections unread. */
  hold(at) {
    isReading = new Promise((resolve) => {
      readOn = resolve
    })
    for (const { socket, at: connected } of sockets) if (connected === at) socket.pause()
  }
  /** Read them again; or lose what arrived since, as the Synapse died before it was read. */
  read(at, isLost) {
    readOn()
    readOn = null
    for (const { socket, at: connected } of sockets) {
      if (connected !== at) continue
      if (isLost) socket.destroy()
      else socket.resume()
    }
  }
}
