// An Axon: a function with an id and capabilities.
import { Directed } from '../../signals/signals.js'
import { isName } from '../../wire/wire.js'

export class Axon {
  constructor({
    neuronId,
    neuronFn,
    capabilities = [],
    version,
    concurrency = 64,
    maxQueued = 1024,
  }) {
    if (!isName(neuronId)) throw new RangeError(`${JSON.stringify(neuronId)} is no name`)
    this.neuronId = neuronId
    this.neuronFn = neuronFn
    this.capabilities = [...capabilities]
    this.version = version
    this.concurrency = concurrency
    this.maxQueued = maxQueued
    this.running = 0
    this.queue = []
    this.directed = new Directed(neuronId, 'neuron', this.capabilities)
  }
}
