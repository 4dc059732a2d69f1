// The whole wire under one name: docs/spec/01-wire.md. Pure.
export * from './heads.js'
export * from './addresses.js'
export * from './topics.js'
export * from './broadcast-headers.js'
export * from './greetings.js'
export * from './resync-messages.js'
export * from './roster-messages.js'
