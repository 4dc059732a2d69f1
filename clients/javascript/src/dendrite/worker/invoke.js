// Calls the function of a Neuron, whole or as a generator.
/** What is yielded as text streams; the output is the object that is returned, or yielded last, or else the joined text. */
export async function streamed(run, generator) {
  let text = '',
    last
  try {
    for (;;) {
      const { value, done } = await generator.next()
      run.throwIfAborted()
      if ((run.index & 31) === 31) await new Promise(setImmediate) // a generator that never waits must not starve the sockets
      if (typeof value === 'string') {
        text += value
        run.stream('THOUGHT_DELTA', { delta: value, seq: run.seq++ })
      } else if (value !== undefined) last = value
      if (done) return last ?? { response: text }
    }
  } finally {
    await generator.return?.()
  } // runs its finally when it was cancelled
}
