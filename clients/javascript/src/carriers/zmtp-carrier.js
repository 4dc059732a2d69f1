// The carrier port (docs/spec/08-port.md "The carrier port") over our own ZMTP: no native code.
import { Peer } from './zmtp-connection.js'

export class ZmtpCarrier {
  constructor(url) {
    this.url = url
    this.joined = ''
    this.topics = new Set()
  }
  #at(port, suffix) {
    const { path, host } = this.url
    return path ? { path: path + suffix } : { host, port }
  }
  open(events) {
    this.events = events
    this.dealer = new Peer('DEALER', this.#at(this.url.port, ''), { probe: true })
    this.dealer.on('message', (frames) => {
      if (frames.length === 2) events.onMessage(frames[0], frames[1])
      else events.onDropped('frame_count')
    })
    this.dealer.on('ready', () => events.onWritable())
    this.dealer.on('writable', () => events.onWritable())
    this.dealer.on('down', (why) => events.onDisconnected(why))
    this.dealer.open()
  }
  diagnosis() {
    return this.dealer.story
  }
  send(head, body) {
    return this.dealer.send([head, body]) ? 'OK' : 'BUSY'
  }
  flush() {
    this.dealer.flush()
  }
  join(listenPort, publishPort) {
    const key = `${listenPort}/${publishPort}`
    if (key === this.joined) return false
    this.joined = key
    this.sub?.close()
    this.pub?.close()
    this.sub = new Peer('SUB', this.#at(listenPort, '.listen'))
    this.pub = new Peer('XPUB', this.#at(publishPort, '.publish'))
    for (const topic of this.topics) this.sub.topics.add(topic)
    this.sub.on('message', (frames) => {
      if (frames.length === 3)
        this.events.onPublication(frames[0].toString('latin1'), frames[1], frames[2])
      else this.events.onDropped('frame_count')
    })
    this.pub.on('subscribe', (topic) => this.events.onSubscription(topic, true))
    this.pub.on('unsubscribe', (topic) => this.events.onSubscription(topic, false))
    this.pub.on('down', () => this.events.onSubscription('~live/', false))
    this.sub.open()
    this.pub.open()
    return true
  }
  subscribe(topic) {
    this.topics.add(topic)
    this.sub?.subscribe(topic)
  }
  unsubscribe(topic) {
    this.topics.delete(topic)
    this.sub?.unsubscribe(topic)
  }
  publish(topic, header, body) {
    if (!this.pub?.send([Buffer.from(topic), header, body])) this.events.onDropped('publisher_full')
    this.pub?.flush()
  }
  close() {
    this.dealer.close()
    this.sub?.close()
    this.pub?.close()
  }
}
