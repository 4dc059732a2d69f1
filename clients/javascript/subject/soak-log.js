// The log of one process of a soak: a line of JSON for each thing that happens, safe from `kill -9`.
// Times are of the monotonic clock of the system, which tools/soak/log.py has too.
import { openSync, writeSync } from 'node:fs'

export class Log {
  #file
  #who

  /**
   * @param {string} path The file; lines are appended.
   * @param {string} who The name of the process.
   */
  constructor(path, who) {
    this.#file = openSync(path, 'a')
    this.#who = who
  }

  /** Write a line at once. */
  write(what, facts = {}) {
    const at = Number(process.hrtime.bigint()) / 1e9
    writeSync(this.#file, JSON.stringify({ at, who: this.#who, what, ...facts }) + '\n')
  }
}
