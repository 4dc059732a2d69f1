// The questions that ended our tasks: those without an answer, and those that are over. Pure.
//
// Spec: docs/spec/07-signals.md, "Questions". The Dendrite that dispatched a TASK is the only one
// that continues it, so it MUST know each question until its deadline (rule 7), and whether the
// question had an answer (rule 5).
import { count } from '../../runtime/counter.js'
import { Deadlines } from '../../runtime/deadlines.js'

export const MAX_QUESTIONS = 10_000

/** Remove the oldest entry of a Map, if it is over a size. */
export function bound(map, size) {
  if (map.size > size) map.delete(map.keys().next().value)
}

/** The tasks that ended in a question, by the id of that question. */
export class QuestionBook {
  #counts
  #waiting = new Map()
  #over = new Map()
  #deadlines = new Deadlines()

  /** @param {object} counts The counters of the Dendrite's caller side. */
  constructor(counts) {
    this.#counts = counts
  }

  /**
   * Add a task that ended in a question; it waits for an answer until its deadline.
   *
   * @param {object} opened The task.
   * @param {object} question The CLARIFICATION, PERMISSION or ESCALATION.
   * @returns {object | null} The oldest task, removed because there are over 10,000 of them.
   */
  add(opened, question) {
    opened.question = question
    this.#waiting.set(question.id, opened)
    this.#deadlines.set(opened, opened.expiresAtMs)
    if (this.#waiting.size <= MAX_QUESTIONS) return null
    count(this.#counts, 'drop.question')
    return this.#remove(this.#waiting.keys().next().value)
  }

  /** Return the task that waits for the answer to a question; undefined if none does. */
  waitingFor(questionId) {
    return this.#waiting.get(questionId)
  }

  /** Return the answer that a question had, if this book knows one, else null. */
  answerTo(questionId) {
    return this.#over.get(questionId) ?? null
  }

  /** Return whether a question has its answer or no longer needs one. */
  isOver(questionId) {
    return this.#over.has(questionId)
  }

  /** Record the answer to a question, or null if it needs none; 10,000 are remembered. */
  end(question, answer) {
    this.#over.delete(question.id)
    this.#over.set(question.id, answer)
    bound(this.#over, MAX_QUESTIONS)
  }

  /** Record the answer to the question of a task; the task does not wait here any more. */
  answer(opened, answer) {
    if (opened.question === null) return
    this.#remove(opened.question.id)
    this.end(opened.question, answer)
  }

  /** End a question without an answer; return false if nothing waited for one. */
  withdraw(question) {
    this.end(question, null)
    return this.#remove(question.id) !== null
  }

  /** Remove and return every task that waits for an answer. */
  closeAll() {
    return Array.from([...this.#waiting.keys()], (id) => this.#remove(id))
  }

  /** Remove and return the tasks whose deadline has passed. */
  expire(nowMs) {
    const due = this.#deadlines.due(nowMs)
    for (const each of due) this.#waiting.delete(each.question.id)
    return due
  }

  /** Return the time of the next call of `expire`; infinity without a waiting task. */
  nextAtMs() {
    return this.#deadlines.nextAtMs()
  }

  #remove(questionId) {
    const opened = this.#waiting.get(questionId)
    if (opened === undefined) return null
    this.#waiting.delete(questionId)
    this.#deadlines.drop(opened)
    return opened
  }
}
