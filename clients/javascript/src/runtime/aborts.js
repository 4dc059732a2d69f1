// What happens when an AbortSignal aborts.

const hooks = new WeakMap() // signal -> the functions that wait for it

/**
 * Call a function once when a signal aborts; at once if it has.
 *
 * A signal has one listener of ours, however many calls it was given to: Node warns of a leak from the
 * eleventh on.
 *
 * @param {AbortSignal} signal
 * @param {() => void} fn Throws nothing.
 * @returns {() => void} Ends that; the signal keeps nothing then.
 */
export function whenAborted(signal, fn) {
  if (signal.aborted) {
    fn()
    return () => {}
  }
  const hook = hooks.get(signal) ?? hookOf(signal)
  const own = () => fn() // the same function may wait twice
  hook.waiting.add(own)
  return () => {
    if (!hook.waiting.delete(own) || hook.waiting.size > 0) return
    signal.removeEventListener('abort', hook.onAbort)
    hooks.delete(signal)
  }
}

function hookOf(signal) {
  const waiting = new Set()
  const onAbort = () => {
    hooks.delete(signal)
    for (const each of waiting) {
      waiting.delete(each)
      each()
    }
  }
  const hook = { waiting, onAbort }
  hooks.set(signal, hook)
  signal.addEventListener('abort', onAbort, { once: true })
  return hook
}

/**
 * Abort a controller when a signal aborts, with its reason; at once if it has.
 *
 * AbortSignal.any would do it, but in Node 20 a signal that lives long keeps some 60 bytes of every one
 * that was ever made of it.
 *
 * @param {AbortController} controller
 * @param {AbortSignal} signal
 * @returns {() => void} Ends that; the signal keeps nothing then.
 */
export const abortWith = (controller, signal) =>
  whenAborted(signal, () => controller.abort(signal.reason))
