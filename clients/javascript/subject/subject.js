// A process that hosts transports and Dendrites for a driver in another language: the conformance
// suite of this checkout. `node subject.js CALLS QUESTIONS` with two inherited sockets; see channel.js.
import { Synapse, connectSynapse } from '../src/index.js'
import { ZeromqCarrier } from '../src/carriers/zeromq-carrier.js'
import { ZmtpCarrier } from '../src/carriers/zmtp-carrier.js'
import { Channel } from './channel.js'
import { TransportSubject } from './transports.js'

const CARRIERS = { zmtp: ZmtpCarrier, zeromq: ZeromqCarrier }

const root = {
  async connect(url, carrier) {
    await connectSynapse(url, { carrier: CARRIERS[carrier] })
  },
  transport(handle, options) {
    const synapse = new Synapse(options.url, CARRIERS[options.carrier])
    const made = new TransportSubject(channel, handle, synapse.carrier(), options)
    channel.give(handle, made)
    return made.get('instance')
  },
}
const channel = new Channel(Number(process.argv[2]), Number(process.argv[3]), root)
