// Express 4 and 5 in front of one Dendrite: docs/edge.md "Express". It imports no Express, and its
// handlers serve node:http as well.
export { answer, stream } from './edge/handlers.js'
export { errors, wrap } from './edge/errors.js'
export { respond } from './edge/respond.js'
export { hangUp } from './edge/hang-up.js'
export { jsonBody } from './edge/requests.js'
export { BadRequest } from './edge/outcomes.js'
export { close, serve } from './edge/serve.js'
