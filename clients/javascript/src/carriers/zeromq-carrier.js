// The same port over the npm package `zeromq` (libzmq). Its send and receive are promises; a send that finds room is done at once.
import * as zmq from 'zeromq'

const common = {
  linger: 0,
  sendHighWaterMark: 10000,
  receiveHighWaterMark: 10000,
  maxMessageSize: 16 * 2 ** 20 + 65536,
  handshakeInterval: 3000,
  heartbeatInterval: 1000,
  heartbeatTimeout: 3000,
  tcpKeepalive: 1,
  tcpKeepaliveIdle: 60,
  tcpKeepaliveInterval: 10,
  tcpKeepaliveCount: 3,
  reconnectInterval: 20,
  reconnectMaxInterval: 200,
}
const { sendHighWaterMark: _, ...withoutSend } = common // an option that a socket type lacks throws

export class ZeromqCarrier {
  constructor(url) {
    this.url = url
    this.joined = ''
    this.topics = new Set()
    this.up = false
    this.seen = 'not tried yet'
    this.closed = false
    this.inflight = 0
  }
  #at(port, suffix) {
    const { path, host } = this.url
    return path ? `ipc://${path}${suffix}` : `tcp://${host}:${port}`
  }
  open(events) {
    this.events = events
    const dealer = (this.dealer = new zmq.Dealer({
      ...common,
      immediate: true,
      probeRouter: true,
      sendTimeout: 0,
    }))
    dealer.events.on('handshake', () => {
      this.up = true
      this.seen = 'connected'
      events.onWritable()
    })
    dealer.events.on('disconnect', () => {
      if (this.up) {
        this.up = false
        events.onDisconnected('gone')
      }
    })
    dealer.events.on('connect:retry', () => {
      this.seen = 'nobody listens there'
    })
    dealer.connect(this.#at(this.url.port, ''))
    this.#pump(dealer, (frames) => {
      if (frames.length === 2) events.onMessage(frames[0], frames[1])
      else events.onDropped('frame_count')
    })
  }
  async #pump(socket, take) {
    try {
      for await (const frames of socket) take(frames)
    } catch (error) {
      if (!this.closed && !socket.closed) throw error
    }
  }
  diagnosis() {
    return this.seen
  }
  send(head, body) {
    if (!this.up) return 'BUSY'
    // a rejected send (EAGAIN) cannot be known here: the promise tells it later. So a bound of our own.
    this.inflight++
    this.dealer.send([head, body]).then(
      () => {
        this.inflight--
      },
      () => {
        this.inflight--
        this.lost = (this.lost ?? 0) + 1
      },
    )
    return 'OK'
  }
  flush() {}
  join(listenPort, publishPort) {
    const key = `${listenPort}/${publishPort}`
    if (key === this.joined) return false
    this.joined = key
    this.sub?.close()
    this.pub?.close()
    this.sub = new zmq.Subscriber(withoutSend)
    this.pub = new zmq.XPublisher({ ...common, maxMessageSize: 512, sendTimeout: 0 })
    for (const topic of this.topics) this.sub.subscribe(topic)
    this.#pump(this.sub, (frames) => {
      if (frames.length === 3)
        this.events.onPublication(frames[0].toString('latin1'), frames[1], frames[2])
      else this.events.onDropped('frame_count')
    })
    this.#pump(this.pub, ([frame]) =>
      this.events.onSubscription(frame.toString('latin1', 1), frame[0] === 1),
    )
    this.sub.connect(this.#at(listenPort, '.listen'))
    this.pub.connect(this.#at(publishPort, '.publish'))
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
    this.pub?.send([topic, header, body]).catch(() => this.events.onDropped('publisher_full'))
  }
  close() {
    this.closed = true
    this.dealer.close()
    this.sub?.close()
    this.pub?.close()
  }
}
