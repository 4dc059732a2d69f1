// The second argument of a Neuron: its task, and calls to stream and to dispatch while it works.
/** What a Neuron gets beside its input. */
export class Context {
  #run
  constructor(run) {
    this.#run = run
  }
  get traceId() {
    return this.#run.signal.traceId
  }
  get task() {
    return this.#run.signal
  }
  /** Aborted when the caller cancels, hangs up or the time is over: give it to fetch. */
  get signal() {
    return this.#run.aborter.signal
  }
  get remainingMs() {
    return Math.max(0, this.#run.until - Date.now())
  }
  think(delta) {
    this.#run.stream('THOUGHT_DELTA', { delta, seq: this.#run.seq++ })
  }
  toolCall(toolName, args, callId = '') {
    this.#run.stream('TOOL_CALL', { tool_name: toolName, tool: toolName, args, call_id: callId })
  }
  toolResult(toolName, result, callId = '') {
    this.#run.stream('TOOL_RESULT', {
      tool_name: toolName,
      tool: toolName,
      result,
      call_id: callId,
    })
  }
  dispatchAndWait(options) {
    return this.#run.host.dendrite.dispatchAndWait({
      timeoutMs: this.remainingMs,
      ...options,
      traceId: this.traceId,
      parentId: this.task.id,
      signal: this.signal,
      child: true,
    })
  }
}
