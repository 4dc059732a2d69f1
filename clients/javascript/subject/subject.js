// A process that hosts transports and Dendrites for a driver in another language: the conformance
// suite of this checkout. `node subject.js CALLS QUESTIONS` with two inherited sockets; see channel.js.
import { Channel } from './channel.js'
import { DendriteSubject } from './dendrites.js'
import { TestedSynapse, watchSockets } from './synapses.js'
import { TransportSubject } from './transports.js'

watchSockets()
const synapses = new Map()

const root = {
  synapse(handle, url, carrier, key) {
    const made = new TestedSynapse(url, { carrier, key })
    synapses.set(handle, made)
    channel.give(handle, made)
  },
  transport(handle, synapse, options) {
    const made = new TransportSubject(channel, handle, synapses.get(synapse), options)
    channel.give(handle, made)
    return made.get('instance')
  },
  dendrite(handle, synapse, options) {
    const settings = { ...options, synapse: synapses.get(synapse) }
    channel.give(handle, new DendriteSubject(channel, handle, settings))
  },
}
const channel = new Channel(Number(process.argv[2]), Number(process.argv[3]), root)
