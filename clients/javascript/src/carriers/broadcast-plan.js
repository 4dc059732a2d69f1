// When a carrier connects what listens and what publishes: docs/spec/05-broadcast.md, "When what is used is live".

/**
 * What is wanted of the broadcast plane. It connects what listens with the first topic and what publishes when asked,
 * once the places are known, and again when they move.
 */
export class BroadcastPlan {
  #connect
  #places = null // where to listen, and where to publish
  #isPublishing = false
  #isListening = false
  /** The topics that are asked for; kept across reconnects. @type {Set<string>} */
  topics = new Set()

  /**
   * @param {{ listen: (place: object) => void, publish: (place: object) => void }} connect Connects to a place, or
   *   moves there; both are called again for a place that is the same.
   */
  constructor(connect) {
    this.#connect = connect
  }

  /** Record where the plane is. @returns {boolean} False when it was there already. */
  join(places) {
    const before = String(this.#places)
    this.#places = places
    this.#listen()
    this.#publish()
    return String(places) !== before
  }

  /** Connect what publishes, once. */
  openPublisher() {
    if (this.#isPublishing) return
    this.#isPublishing = true
    this.#publish()
  }

  /** Ask for a topic. @returns {boolean} Whether it has to be sent, as what listens was connected before. */
  subscribe(topic) {
    if (this.topics.has(topic)) return false
    this.topics.add(topic)
    if (this.#isListening) return true
    this.#listen()
    return false
  }

  /** Ask for a topic no longer. @returns {boolean} Whether that has to be sent. */
  unsubscribe(topic) {
    return this.topics.delete(topic) && this.#isListening
  }

  #listen() {
    if (this.#places === null || (!this.#isListening && this.topics.size === 0)) return
    this.#isListening = true
    this.#connect.listen(this.#places[0])
  }

  #publish() {
    if (this.#places !== null && this.#isPublishing) this.#connect.publish(this.#places[1])
  }
}
