// Keep one socket connected: look up, try, pause, again. Spec: docs/spec/06-sockets.md, Connecting.
// `DialPlan` decides, a line carries out: our own ZMTP (zmtp-line.js), or a DEALER of libzmq (libzmq-dealer.js).
import { accessSync, constants, existsSync } from 'node:fs'
import { DialPlan } from './dial-plan.js'
import { Cause, Diagnosis, FailedAttempts, Fault } from './diagnosis.js'
import { KeyJudge } from '../access/refusals.js'
import { Resolver } from './resolve.js'
import { StrangerReport } from './stranger-report.js'

const NAMELESS_PAUSE_MS = 250
const LOOK_AFTER_MS = 1000
const STEADY_PAUSE_MS = 50
const WAITING = 'WAITING'
const TRYING = 'TRYING'
const ESTABLISHED = 'ESTABLISHED'

/**
 * Makes the connections of one socket, one after the other.
 *
 * A line has `dial({ address, connectMs, handshakeMs })`, which begins an attempt, `hangUp()`, which ends attempt or
 * connection without an event, and `description`, what it saw of a far end that came to no READY. It reports
 * to `onConnected`, `onEstablished` and `onDown` of this.
 */
export class Dialer {
  #endpoint
  #line
  #onEnded
  #dice
  #isSteady
  #plan
  #resolver
  #record = new FailedAttempts()
  #strangers
  #judge
  #onRefusal
  /** What the attempts tell, and what was told: that waits for the end of a round. */
  #found = null
  #refusal = null
  #isRoundOver = false
  #hasMetOne = false
  #connectedAtMs = 0
  #state = WAITING
  #isConnected = false
  #isNameless = false
  #timer
  #look
  #sinceMs = 0
  /** The address of the current attempt; the endpoint itself before the first one. */
  address

  /**
   * @param {object} endpoint Where the far end is; its name is resolved for every attempt.
   * @param {object} line See above.
   * @param {{ peerType: string, logger: object, onEnded?: (why: string) => void, dice?: () => number, lookUp?: Function, keys?: object | null, onRefused?: (refusal: object) => void }} options
   *   `peerType`: the type of the socket that belongs there; `logger`: gets the warnings; `isSteady`: pause for
   *   50 to 100 ms after every attempt, as broadcast connections do; `onEnded`: an established
   *   connection has ended; `keys`: those of this client, null for none; `onRefused`: it is refused for them, until it
   *   is established.
   */
  constructor(
    endpoint,
    line,
    { peerType, logger, isSteady = false, onEnded = () => {}, dice = Math.random, ...more },
  ) {
    const { lookUp, keys = null, onRefused = () => {} } = more
    this.#endpoint = this.address = endpoint
    this.#line = line
    this.#onEnded = onEnded
    this.#dice = dice
    this.#isSteady = isSteady
    this.#plan = new DialPlan(dice)
    this.#resolver = new Resolver(endpoint, lookUp)
    this.#judge = new KeyJudge(keys)
    this.#onRefusal = onRefused
    this.#strangers = new StrangerReport(this.#record, peerType, logger, (mechanism) =>
      this.#onMechanism(mechanism),
    )
  }

  /** True while the handshake with the far end has succeeded. */
  get isEstablished() {
    return this.#state === ESTABLISHED
  }

  /** Begin an attempt; others follow until `close`. */
  start() {
    this.#resolver.resolve((addresses) => this.#dial(addresses))
  }

  /** Begin the next attempt at once if it waits for its pause. */
  hurry() {
    if (this.#state !== WAITING || this.#timer === undefined) return
    this.#clearTimers()
    this.start()
  }

  /** End attempt or connection, and make no other. */
  close() {
    this.#clearTimers()
    this.#resolver.close()
    this.#strangers.close()
    this.#state = WAITING
    this.#line.hangUp()
  }

  /** Return what was seen since the connection last stood. */
  diagnosis() {
    const endpoint = this.#endpoint
    const says = (cause, reason) => new Diagnosis(cause, reason, endpoint)
    if (this.#refusal !== null) {
      const { reason, fix } = this.#refusal
      return new Diagnosis(Cause.REFUSED, reason, endpoint, fix)
    }
    if (endpoint.path !== undefined) {
      if (isBarred(endpoint.path)) {
        return says(
          Cause.BARRED,
          'this user may not write to the socket: it belongs to another one',
        )
      }
    } else if (this.#isNameless) {
      return says(Cause.NAME, `the name ${endpoint.host} does not resolve`)
    }
    if (this.#state === TRYING && this.#isConnected) {
      this.#record.add(this.address, Fault.STRANGER, this.#line.description)
    }
    return says(...this.#record.summary())
  }

  // ---- what the line reports

  /** Handle a connection whose handshake is still to come. */
  onConnected() {
    if (this.#state !== TRYING) return
    this.#isConnected = true
    this.#connectedAtMs = performance.now()
    this.#look = setTimeout(() => this.#onNoHandshake(), LOOK_AFTER_MS)
  }

  /** Handle a handshake that succeeded. */
  onEstablished() {
    this.#clearTimers()
    this.#plan.onEstablished()
    this.#record.clear()
    this.#strangers.clear()
    this.#judge.clear()
    this.#found = this.#refusal = null
    this.#hasMetOne = false
    this.#sinceMs = performance.now()
    this.#state = ESTABLISHED
  }

  /**
   * Handle the end of an attempt, or of a connection.
   * @param {string} fault One of `Fault`, of an attempt.
   * @param {string} seen What answers there instead, if that is known.
   * @param {string} why The reason, for people.
   */
  onDown(fault, seen, why) {
    this.#clearTimers()
    if (this.#state === ESTABLISHED) {
      const pauseMs = this.#plan.onEnded(performance.now() - this.#sinceMs)
      this.#pause(this.#isSteady ? this.#steadyMs() : pauseMs)
      this.#onEnded(why)
    } else if (this.#state === TRYING) {
      const isStranger = fault === Fault.STRANGER || fault === Fault.KEYED
      this.#record.add(this.address, isStranger ? Fault.STRANGER : fault, seen)
      if (fault === Fault.KEYED) this.#onMechanism('CURVE')
      else if (isStranger) this.#onStranger(seen)
      this.#onFailed(isStranger)
    }
  }

  /** Handle a far end that does not list our key. */
  onUnknownKey() {
    if (this.#state !== TRYING) return
    this.#clearTimers()
    this.#record.add(this.address, Fault.STRANGER)
    this.#found = this.#judge.onUnknown()
    this.#onFailed(true)
  }

  #onStranger(seen) {
    const nowMs = performance.now()
    const refusal = this.#isConnected
      ? this.#judge.onFailed(nowMs, nowMs - this.#connectedAtMs)
      : null
    this.#found = refusal ?? this.#found
    this.#strangers.onStranger(this.address, seen)
  }

  #onFailed(isStranger) {
    this.#hasMetOne ||= isStranger
    const pauseMs = this.#plan.onFailed(isStranger)
    this.#isRoundOver = pauseMs > 0
    this.#pause(this.#isSteady ? this.#steadyMs() : pauseMs)
    if (this.#isRoundOver) this.#endRound()
  }

  /** Only now, as every address was tried: another one may let us in. */
  #endRound() {
    if (!this.#hasMetOne) {
      this.#judge.clear()
      this.#strangers.hurry()
    } else if (this.#found !== null) this.#rest()
    this.#hasMetOne = false
  }

  /** Handle the mechanism of a far end; return whether it says all about it. */
  #onMechanism(mechanism) {
    const refusal = this.#judge.onMechanism(mechanism)
    const isNews = refusal !== null && refusal.reason !== this.#found?.reason
    if (this.#state !== ESTABLISHED) this.#found = refusal ?? this.#found
    if (isNews && this.#state === WAITING && this.#isRoundOver) this.#rest()
    return refusal !== null || (mechanism === 'CURVE' && this.#judge.hasKey)
  }

  /** Try again later, as it is refused. */
  #rest() {
    this.#clearTimers()
    this.#pause(this.#plan.onRefused(this.#found.pauses))
    this.#refusal = this.#found
    this.#onRefusal(this.#refusal)
  }

  #dial(addresses) {
    this.#isNameless = addresses.length === 0
    if (this.#isNameless) {
      this.#pause(NAMELESS_PAUSE_MS * (0.5 + this.#dice()))
      return
    }
    const attempt = this.#plan.nextAttempt(addresses)
    this.address = attempt.address
    this.#state = TRYING
    this.#isConnected = this.#isRoundOver = false
    this.#line.dial(attempt)
  }

  #onNoHandshake() {
    // It may still come, and then nobody reads this: the far end was only slow.
    this.#record.add(this.address, Fault.STRANGER)
    this.#strangers.onStranger(this.address, '')
  }

  #steadyMs() {
    return STEADY_PAUSE_MS * (1 + this.#dice())
  }

  #pause(pauseMs) {
    this.#state = WAITING
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.start()
    }, pauseMs)
  }

  #clearTimers() {
    clearTimeout(this.#timer)
    clearTimeout(this.#look)
    this.#timer = undefined
  }
}

function isBarred(path) {
  if (!existsSync(path)) return false
  try {
    accessSync(path, constants.W_OK)
    return false
  } catch {
    return true
  }
}
