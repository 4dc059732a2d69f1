// The line of a subject to the one who drives it: JSON lines both ways, on two sockets.
//
// The first socket brings calls, [id, handle, method, ...arguments], and takes their ends,
// ['=', id, value] or ['!', id, error], and events, ['>', handle, name, ...arguments]. The second one
// takes questions that this process waits for with its loop blocked: a resync asks so for the tasks
// of a Dendrite that is not written in JavaScript.
import { readSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { errorToJson, fromJson, toJson } from './values.js'

const NEWLINE = 10

export class Channel {
  #socket
  #questions
  #chunks = []
  #handles = new Map()
  #sent = 0
  #lent = Buffer.alloc(1 << 16)

  /**
   * @param {number} calls The file descriptor of the first socket.
   * @param {number} questions That of the second one; it blocks.
   * @param {object} root What handle 0 is: its methods may `give` further handles.
   */
  constructor(calls, questions, root) {
    this.#handles.set(0, root)
    this.#questions = questions
    this.#socket = new Socket({ fd: calls, readable: true, writable: true })
    this.#socket.on('data', (chunk) => this.#onData(chunk))
    this.#socket.on('close', () => process.exit(0))
    this.#socket.on('error', () => process.exit(0))
  }

  /** Let the driver call the methods of `target` by a handle. */
  give(handle, target) {
    this.#handles.set(handle, target)
  }

  /** Forget a handle. */
  drop(handle) {
    this.#handles.delete(handle)
  }

  /** Tell the driver of an event. */
  tell(handle, name, ...args) {
    this.#sent++
    this.#write(['>', handle, name, ...args.map(toJson)])
  }

  /** Ask the driver, and wait with the loop blocked. It has seen every event before, if it can. */
  ask(handle, name, ...args) {
    writeSync(
      this.#questions,
      JSON.stringify([this.#sent, handle, name, ...args.map(toJson)]) + '\n',
    )
    const chunks = []
    for (;;) {
      const count = readSync(this.#questions, this.#lent)
      if (count === 0) process.exit(0)
      chunks.push(Buffer.from(this.#lent.subarray(0, count)))
      if (this.#lent[count - 1] === NEWLINE) return fromJson(JSON.parse(Buffer.concat(chunks)))
    }
  }

  #write(message) {
    this.#socket.write(JSON.stringify(message) + '\n')
  }

  #onData(chunk) {
    let from = 0
    for (let to; (to = chunk.indexOf(NEWLINE, from)) >= 0; from = to + 1) {
      this.#chunks.push(chunk.subarray(from, to))
      const line = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks)
      this.#chunks = []
      this.#onCall(JSON.parse(line))
    }
    if (from < chunk.length) this.#chunks.push(chunk.subarray(from))
  }

  #onCall([id, handle, method, ...args]) {
    try {
      const value = this.#handles.get(handle)[method](...args.map(fromJson))
      if (typeof value?.then !== 'function') return this.#write(['=', id, toJson(value)])
      value.then(
        (result) => this.#write(['=', id, toJson(result)]),
        (error) => this.#write(['!', id, errorToJson(error)]),
      )
    } catch (error) {
      this.#write(['!', id, errorToJson(error)])
    }
  }
}
