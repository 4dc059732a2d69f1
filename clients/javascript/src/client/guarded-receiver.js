// The last door of a client: an event whose receiver throws must not end the others of its message,
// nor the process, for the carrier calls from a socket.

/**
 * Return a receiver that never throws; see docs/spec/08-port.md for its events.
 * @param {object} to Gets every event.
 * @param {(error: unknown) => void} onFault Gets what it threw.
 */
export function guarded(to, onFault) {
  // Written out, and not made from a list of names: two of them are called for each task.
  return {
    onTask(caller, address, task, trace, kind, ttlMs, flags, body) {
      try {
        to.onTask(caller, address, task, trace, kind, ttlMs, flags, body)
      } catch (error) {
        onFault(error)
      }
    },
    onReply(worker, task, trace, kind, index, flags, body) {
      try {
        to.onReply(worker, task, trace, kind, index, flags, body)
      } catch (error) {
        onFault(error)
      }
    },
    onHeard(kind, trace, caller, worker, body) {
      try {
        to.onHeard(kind, trace, caller, worker, body)
      } catch (error) {
        onFault(error)
      }
    },
    onCancel: (caller, task) => quietly(() => to.onCancel(caller, task), onFault),
    onBounce: (task, reason) => quietly(() => to.onBounce(task, reason), onFault),
    onLost: (task, reason) => quietly(() => to.onLost(task, reason), onFault),
    onPublished: (publisher, kind, trace, body) =>
      quietly(() => to.onPublished(publisher, kind, trace, body), onFault),
    onMissed: (count) => quietly(() => to.onMissed(count), onFault),
    onRegistered: (neuronId, refusal) => quietly(() => to.onRegistered(neuronId, refusal), onFault),
    onWelcomed: (isFresh) => quietly(() => to.onWelcomed(isFresh), onFault),
    onAway: (why) => quietly(() => to.onAway(why), onFault),
  }
}

function quietly(act, onFault) {
  try {
    act()
  } catch (error) {
    onFault(error)
  }
}
