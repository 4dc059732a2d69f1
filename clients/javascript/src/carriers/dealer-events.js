// What the two carriers make of the events of their DEALER: docs/spec/08-port.md, The carrier port. Pure.

/** The number of frames of a directed message: head and body. */
const FRAMES = 2

/**
 * Return the events of a DEALER that say to the user of a carrier what the port promises.
 * @param {object} events Those of the carrier port.
 */
export const dealerEvents = (events) => ({
  onMessage(frames) {
    if (frames.length === FRAMES) events.onMessage(frames[0], frames[1])
    else events.onDropped('frame_count')
  },
  onWritable: () => events.onWritable(),
  onEnded: (why) => events.onDisconnected(why),
  onRefused: (refusal) => events.onRefused?.(refusal),
})
