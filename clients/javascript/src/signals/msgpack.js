// The codec of values under one name: docs/spec/07-signals.md, "Values". Pure.
export { pack } from './msgpack-writer.js'
export { Malformed, unpack } from './msgpack-reader.js'
export { Float } from './values.js'
