// Far ends that are none of ours, over plain sockets.
import { once } from 'node:events'
import { createServer } from 'node:net'
import { GREETING, ready } from '../../src/carriers/zmtp-frames.js'

/** Listen on a free port of 127.0.0.1, or at `path`; the test `t` ends it. Resolve to the port. */
export async function startServer(t, onSocket, path) {
  const sockets = new Set()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {}) // the client under test may cut it at any time
    onSocket(socket)
  })
  server.listen(path === undefined ? { host: '127.0.0.1', port: 0 } : { path })
  await once(server, 'listening')
  t.after(() => {
    for (const each of sockets) each.destroy()
    server.close()
  })
  return path ?? server.address().port
}

/** Speak ZMTP as a socket of `type`, up to its READY; then call `onOpen(socket)`. */
export function speakZmtp(socket, type, onOpen = () => {}) {
  socket.write(GREETING)
  socket.once('data', () => {
    socket.write(ready(type))
    onOpen(socket)
  })
}
