// The way of the first files to the rooms of the worker.
export { Axon } from './worker/axon.js'
export { Host } from './worker/inbox.js'
