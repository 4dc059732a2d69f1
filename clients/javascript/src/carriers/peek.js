// Ask an address what listens there, over a connection of its own, for a text in a warning or an error.
import { connect } from 'node:net'
import { ZmtpDecoder, ZmtpFault } from './zmtp-decoder.js'
import { GREETING_REST, OPENING } from './zmtp-frames.js'

const PEEK_MS = 1000
const MOST_BYTES = 1024

/**
 * Find out what listens at `address`, within three times a second.
 * @param {object} address An endpoint whose host is an address.
 * @param {string} peerType The type of the ZeroMQ socket that belongs there.
 * @param {(found: string, mechanism: string) => void} then Gets it once, for people; empty if nothing listens there, or
 *   if what belongs there does. `mechanism`: of its greeting, empty without one.
 */
export function peek(address, peerType, then) {
  let isConnected = false
  let found = ''
  let greeted = ''
  const socket = connect(address.netOptions)
  // In two parts: a socket with another mechanism closes at the second, and names it before. And without a READY: a
  // socket of another type closes at it, and may take back its own.
  const decoder = new ZmtpDecoder(
    {
      onGreeting(_minor, mechanism) {
        greeted = mechanism
        if (mechanism !== 'NULL') throw new ZmtpFault(named(`the security mechanism ${mechanism}`))
        socket.write(GREETING_REST)
      },
      onReady(properties) {
        const type = properties.get('socket-type') ?? ''
        throw new ZmtpFault(type === peerType ? '' : `a ZeroMQ socket of type ${type.slice(0, 24)}`)
      },
    },
    { maxFrameBytes: MOST_BYTES },
  )
  const end = (text) => {
    found = text
    socket.destroy()
  }
  const described = () => {
    if (decoder.isGreeted) return 'a ZeroMQ socket that refuses us'
    return decoder.description || 'something that began to speak ZeroMQ and stopped'
  }
  const limit = setTimeout(() => end(isConnected ? described() : ''), PEEK_MS)
  socket.on('connect', () => {
    isConnected = true
    socket.write(OPENING)
  })
  socket.on('data', (chunk) => {
    try {
      decoder.push(chunk)
    } catch (error) {
      if (!(error instanceof ZmtpFault)) throw error
      decoder.stop()
      end(error.message)
    }
  })
  socket.on('end', () => end(found || described()))
  socket.on('error', () => {}) // 'close' follows
  socket.on('close', () => {
    clearTimeout(limit)
    then(found, greeted)
  })
}

const named = (what) => `a ZeroMQ socket with ${what.slice(0, 60)}`
