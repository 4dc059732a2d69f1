// The bytes of one turn of the loop, gathered for one write. Pure.
import { MAX_HEAD_BYTES, MORE, writeHead } from './zmtp-frames.js'

const SLAB_BYTES = 64 * 1024
/** A larger frame is handed over as it is; copying a smaller one costs less than a piece of its own. */
const COPY_MAX_BYTES = 4096

/** Frames and commands, in the order in which they were appended. */
export class Outgoing {
  #pieces = []
  #slab = Buffer.alloc(0) // made with the first frame: most connections say little
  #begin = 0
  #end = 0
  /** Bytes that wait here. */
  bytes = 0
  /** Messages that wait here. */
  messages = 0

  /** Append a message of two frames, or of three. A large frame is not copied: it must not change any more. */
  appendMessage(first, second, third) {
    this.#appendFrame(MORE, first)
    if (third === undefined) {
      this.#appendFrame(0, second)
    } else {
      this.#appendFrame(MORE, second)
      this.#appendFrame(0, third)
    }
    this.messages++
  }

  /** Append bytes that are whole frames already. */
  appendBytes(bytes) {
    this.#appendBody(bytes)
  }

  /** Return everything as a list of Buffers, and begin anew. */
  take() {
    this.#closePiece()
    const pieces = this.#pieces
    this.#pieces = []
    this.bytes = 0
    this.messages = 0
    return pieces
  }

  #appendFrame(flags, body) {
    const size = body.length
    this.#makeRoom(size > COPY_MAX_BYTES ? MAX_HEAD_BYTES : MAX_HEAD_BYTES + size)
    const at = writeHead(this.#slab, this.#end, flags, size)
    this.bytes += at - this.#end
    this.#end = at
    this.#appendBody(body)
  }

  #appendBody(body) {
    const size = body.length
    this.bytes += size
    if (size > COPY_MAX_BYTES) {
      this.#closePiece()
      this.#pieces.push(body)
      return
    }
    if (this.#end + size > this.#slab.length) this.#makeRoom(size)
    this.#slab.set(body, this.#end)
    this.#end += size
  }

  #makeRoom(size) {
    if (this.#end + size <= this.#slab.length) return
    this.#closePiece()
    this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES) // the old one is still being written
    this.#begin = this.#end = 0
  }

  #closePiece() {
    if (this.#end === this.#begin) return
    this.#pieces.push(this.#slab.subarray(this.#begin, this.#end))
    this.#begin = this.#end
  }
}
