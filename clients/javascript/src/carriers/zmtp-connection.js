// ZMTP 3.1 (NULL) over node:net: as much of it as a DEALER, a SUB and an XPUB that connect need. RFC 37/ZMTP.
import { connect } from 'node:net'
import { EventEmitter } from 'node:events'

const MORE = 1,
  LONG = 2,
  COMMAND = 4
const GREETING = Buffer.alloc(64)
GREETING[0] = 0xff
GREETING[9] = 0x7f
GREETING[10] = 3
GREETING[11] = 1
GREETING.write('NULL', 12)
const HEARTBEAT_MS = 1000,
  TIMEOUT_MS = 3000,
  HANDSHAKE_MS = 3000
const PING = Buffer.from([COMMAND, 7, 4, 0x50, 0x49, 0x4e, 0x47, 0, 30])

const command = (name, ...rest) => {
  const body = Buffer.concat([Buffer.from([name.length]), Buffer.from(name, 'latin1'), ...rest])
  return body.length < 256
    ? Buffer.concat([Buffer.from([COMMAND, body.length]), body])
    : Buffer.concat([frameHead(body.length, COMMAND), body])
}
const property = (name, value) => {
  const size = Buffer.alloc(4)
  size.writeUInt32BE(value.length)
  return Buffer.concat([Buffer.from([name.length]), Buffer.from(name), size, Buffer.from(value)])
}
function frameHead(size, flags) {
  if (size < 256) return Buffer.from([flags, size])
  const head = Buffer.allocUnsafe(9)
  head[0] = flags | LONG
  head.writeBigUInt64BE(BigInt(size), 1)
  return head
}

/** One connection, made again until `close()`. Events: ready, message(frames), subscribe(topic), unsubscribe(topic), down(text), writable. */
export class Peer extends EventEmitter {
  constructor(
    type,
    where,
    { probe = false, maxFrame = 16 * 2 ** 20 + 65536, maxPending = 32 * 2 ** 20 } = {},
  ) {
    super()
    this.type = type
    this.where = where
    this.probe = probe
    this.maxFrame = maxFrame
    this.maxPending = maxPending
    this.ready = false
    this.closed = false
    this.wait = 20
    this.story = 'not tried yet'
    this.wanted = false
    this.topics = new Set()
    this.pieces = []
    this.queued = 0
    this.scheduled = false
  }
  open() {
    this.#dial()
    return this
  }
  #dial() {
    const socket = (this.socket = connect(this.where))
    socket.setNoDelay(true)
    this.kept = []
    this.have = 0
    this.need = 0
    this.frames = []
    this.stage = 0
    this.heard = Date.now()
    socket.on('connect', () => {
      this.story = 'somebody listens there, and has not said that it speaks ZMTP'
      socket.write(GREETING)
    })
    socket.on('data', (chunk) => {
      try {
        this.#take(chunk)
      } catch (error) {
        this.story = error.message
        socket.destroy()
      }
    })
    socket.on('drain', () => {
      if (this.wanted) {
        this.wanted = false
        this.emit('writable')
      }
    })
    socket.on('error', (error) => {
      this.story = error.code ?? error.message
    })
    socket.on('close', () => this.#down(socket))
    const born = Date.now()
    this.pulse = setInterval(() => {
      const now = Date.now()
      if (!this.ready) {
        if (now - born > HANDSHAKE_MS) socket.destroy()
        return
      }
      if (now - this.heard > TIMEOUT_MS) {
        this.story = 'no sign of life for 3 s'
        socket.destroy()
        return
      }
      socket.write(PING)
    }, HEARTBEAT_MS)
    this.pulse.unref()
  }
  #down(socket) {
    if (socket !== this.socket) return
    clearInterval(this.pulse)
    const was = this.ready
    this.ready = false
    this.pieces = []
    this.queued = 0
    if (was) this.emit('down', this.story)
    if (this.closed) return
    this.retry = setTimeout(() => this.#dial(), this.wait)
    this.wait = was ? 20 : Math.min(this.wait * 2, 200)
  }
  #take(chunk) {
    this.heard = Date.now()
    let b = chunk
    if (this.kept.length) {
      // a frame in many pieces is put together once
      this.kept.push(chunk)
      this.have += chunk.length
      if (this.have < this.need) return
      b = Buffer.concat(this.kept, this.have)
      this.kept = []
    }
    let at = 0
    const end = b.length
    if (this.stage === 0) {
      if (end < 64) return this.#keep(b, 64)
      if (b[0] !== 0xff || b[9] !== 0x7f || b[10] < 3)
        throw new Error('who listens there does not speak ZMTP 3')
      if (b.toString('latin1', 12, 16) !== 'NULL')
        throw new Error(
          `the far end wants ${b.toString('latin1', 12, 32).replace(/\0+$/, '')} security`,
        )
      this.stage = 1
      at = 64
      this.socket.write(
        command('READY', property('Socket-Type', this.type), property('Identity', '')),
      )
    }
    while (at + 2 <= end) {
      const flags = b[at]
      let start, size
      if (flags & LONG) {
        if (at + 9 > end) break
        size = b.readUInt32BE(at + 1) * 4294967296 + b.readUInt32BE(at + 5)
        start = at + 9
      } else {
        size = b[at + 1]
        start = at + 2
      }
      if (size > this.maxFrame) throw new Error('a frame over the limit')
      if (start + size > end) return this.#keep(b.subarray(at), start + size - at)
      at = start + size
      const body = b.subarray(start, at)
      if (flags & COMMAND) this.#command(body)
      else this.#frame(body, (flags & MORE) !== 0)
      if (this.closed) return
    }
    if (at < end) this.#keep(b.subarray(at), 0)
  }
  #keep(rest, need) {
    this.kept = [rest]
    this.have = rest.length
    this.need = need
  }
  #frame(body, more) {
    if (this.stage !== 2) throw new Error('a message before READY')
    if (more) {
      this.frames.push(body)
      if (this.frames.length > 8) throw new Error('too many frames')
      return
    }
    let frames = this.frames
    if (frames.length) this.frames = []
    frames.push(body)
    if (this.type === 'XPUB') {
      if (body.length)
        this.emit(body[0] === 1 ? 'subscribe' : 'unsubscribe', body.toString('latin1', 1))
    } else this.emit('message', frames)
  }
  #command(body) {
    const name = body.toString('latin1', 1, 1 + body[0])
    if (name === 'READY') {
      this.stage = 2
      this.ready = true
      this.wait = 20
      this.story = 'connected'
      if (this.probe) this.socket.write(Buffer.from([0, 0]))
      for (const topic of this.topics) this.socket.write(command('SUBSCRIBE', Buffer.from(topic)))
      this.emit('ready')
    } else if (name === 'PING') this.socket.write(command('PONG', body.subarray(7)))
    else if (name === 'SUBSCRIBE') this.emit('subscribe', body.toString('latin1', 10))
    else if (name === 'CANCEL') this.emit('unsubscribe', body.toString('latin1', 7))
    else if (name === 'ERROR') throw new Error(`the far end says: ${body.toString('latin1', 7)}`)
  }
  subscribe(topic) {
    if (this.topics.has(topic)) return
    this.topics.add(topic)
    if (this.ready) this.socket.write(command('SUBSCRIBE', Buffer.from(topic)))
  }
  unsubscribe(topic) {
    if (this.topics.delete(topic) && this.ready)
      this.socket.write(command('CANCEL', Buffer.from(topic)))
  }
  /** All of a message or nothing: false when there is no connection or no room; then `writable` or `ready` follows. */
  send(frames) {
    if (!this.ready || this.socket.writableLength + this.queued > this.maxPending) {
      this.wanted = true
      return false
    }
    const last = frames.length - 1
    let size = 0
    for (let i = 0; i <= last; i++) size += frames[i].length + 9
    if (size > 4096) {
      for (let i = 0; i <= last; i++)
        this.pieces.push(frameHead(frames[i].length, i < last ? MORE : 0), frames[i])
    } else {
      // small: one copy is cheaper than many pieces
      const out = Buffer.allocUnsafe(size)
      let at = 0
      for (let i = 0; i <= last; i++) {
        const frame = frames[i],
          n = frame.length
        if (n < 256) {
          out[at] = i < last ? MORE : 0
          out[at + 1] = n
          at += 2
        } else {
          out[at] = LONG | (i < last ? MORE : 0)
          out.writeUInt32BE(0, at + 1)
          out.writeUInt32BE(n, at + 5)
          at += 9
        }
        out.set(frame, at)
        at += n
      }
      this.pieces.push(out.subarray(0, at))
    }
    this.queued += size
    return true
  }
  /** Everything that was sent since the last flush as one write. */
  flush() {
    if (this.pieces.length === 0 || !this.ready) return
    const all = this.pieces.length === 1 ? this.pieces[0] : Buffer.concat(this.pieces)
    this.pieces = []
    this.queued = 0
    this.socket.write(all)
  }
  close() {
    this.closed = true
    this.ready = false
    clearTimeout(this.retry)
    clearInterval(this.pulse)
    this.socket?.destroy()
  }
}
