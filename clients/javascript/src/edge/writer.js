// The body of a response that streams: one piece at a time, never faster than its client reads.

/** Writes pieces to a response, and comments while there is nothing else to say. */
export class StreamWriter {
  #res
  #idle
  #timer
  #wake = () => {}
  #isFull = false
  #isClosed = false

  /**
   * Send the headers of a stream.
   *
   * @param {import('node:http').ServerResponse} res The response.
   * @param {Record<string, string>} headers Its headers.
   * @param {{ idle?: string, everyMs?: number }} [options] `idle`: the piece that is written every
   *   `everyMs` milliseconds while no other one is.
   */
  constructor(res, headers, { idle = '', everyMs } = {}) {
    this.#res = res
    this.#idle = idle
    res.writeHead(200, headers)
    res.flushHeaders()
    res.on('drain', () => this.#goOn())
    res.once('close', () => this.#onClose())
    if (idle !== '') this.#timer = setTimeout(() => this.#keepAlive(), everyMs)
  }

  /** Write a piece; resolve when its client takes more, or is gone. */
  async write(piece) {
    if (this.#isClosed || this.#res.destroyed) return
    this.#timer?.refresh()
    if (this.#send(piece)) return
    await new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  /** End the response. */
  end() {
    clearTimeout(this.#timer)
    this.#res.end()
  }

  /** Close the connection behind what was written, so that its client sees the body incomplete. */
  abort() {
    clearTimeout(this.#timer)
    this.#res.socket?.destroySoon()
  }

  #send(piece) {
    this.#isFull = !this.#res.write(piece)
    this.#res.flush?.() // a middleware that compresses would wait for more
    return !this.#isFull
  }

  #keepAlive() {
    if (!this.#isFull) this.#send(this.#idle)
    this.#timer.refresh()
  }

  /** Go on: there is room for more, or no client to wait for. */
  #goOn() {
    this.#isFull = false
    this.#wake()
  }

  #onClose() {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#goOn()
  }
}
