// A Synapse of this process whose connections a driver can disturb.
import net from 'node:net'
import { syncBuiltinESMExports } from 'node:module'
import { Synapse } from '../src/index.js'

const sockets = new Set()
const { connect } = net

/** Remember every socket that this process connects, so that it can be left unread. */
export function watchSockets() {
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
  /** Leave the directed messages of its connections unread, or read them again. */
  read(isReading, at) {
    for (const { socket, at: connected } of sockets) {
      if (connected !== at) continue
      if (isReading) socket.resume()
      else socket.pause()
    }
  }
  /** Lose what arrived since: the Synapse died meanwhile, and these messages were on their way. */
  lose_unread(at) {
    for (const { socket, at: connected } of sockets) if (connected === at) socket.destroy()
  }
}
