// Keep one socket connected: look up, try, pause, again. Spec: docs/spec/06-sockets.md, Connecting.
// `DialPlan` decides, a line carries out: our own ZMTP (zmtp-line.js), or a DEALER of libzmq (libzmq-dealer.js).
import { accessSync, constants, existsSync } from 'node:fs'
import { DialPlan } from './dial-plan.js'
import { Cause, Diagnosis, FailedAttempts, Fault, nameless } from './diagnosis.js'
import { KeyJudge, Refusal } from '../access/refusals.js'
import { Resolver } from './resolve.js'
import { endpointIn, placesOf } from './endpoints.js'
import { StrangerReport } from './stranger-report.js'

const NAMELESS_PAUSE_MS = 250
const LOOK_AFTER_MS = 1000
const STEADY_PAUSE_MS = 50
const WAITING = 'WAITING'
const TRYING = 'TRYING'
const ESTABLISHED = 'ESTABLISHED'
/** An attempt that took so much of its time had no answer at all. */
const NEARLY = 0.9

/**
 * Makes the connections of one socket, one after the other.
 *
 * A line has `dial({ address, connectMs, handshakeMs })`, which begins an attempt, `hangUp()`, which ends attempt or
 * connection without an event, and `description`, what it saw of a far end that came to no READY. A line with keys
 * has `expectNext()`: expect the next public key of the far end, false if each had its turn. It reports to
 * `onConnected`, `onEstablished` and `onDown` of this.
 */
export class Dialer {
  #target
  #line
  #onEnded
  #dice
  #isSteady
  #plan
  #resolver
  #record = new FailedAttempts()
  #strangers
  #keys
  #judges = new Map() // by address: each may be another proxy
  #onRefusal
  /** What was told: it waits for the end of a round. */
  #refusal = null
  #refusedAt = ''
  #isRoundOver = false
  #met = new Map() // the addresses of this round where somebody answered who did not let us in
  #connectedAtMs = 0
  #begunAtMs = 0
  #handshakeMs = 0
  #state = WAITING
  #isConnected = false
  #isNameless = false
  #timer
  #look
  #sinceMs = 0
  /** The address of the current attempt; the first place before the first one. */
  address

  /**
   * @param {object} target Where the far end is, or one of several; names are resolved for every attempt.
   * @param {object} line See above.
   * @param {{ peerType: string, logger: object, onEnded?: (why: string) => void, dice?: () => number, lookUp?: Function, keys?: object | null, onRefused?: (refusal: object) => void }} options
   *   `peerType`: the type of the socket that belongs there; `logger`: gets the warnings; `isSteady`: pause for
   *   50 to 100 ms after every attempt, as broadcast connections do; `onEnded`: an established
   *   connection has ended; `keys`: those of this client, null for none; `onRefused`: it is refused for them, until it
   *   is established.
   */
  constructor(
    target,
    line,
    { peerType, logger, isSteady = false, onEnded = () => {}, dice = Math.random, ...more },
  ) {
    const { lookUp, keys = null, onRefused = () => {} } = more
    this.#target = target
    this.address = placesOf(target)[0]
    this.#line = line
    this.#onEnded = onEnded
    this.#dice = dice
    this.#isSteady = isSteady
    this.#plan = new DialPlan(dice)
    this.#resolver = new Resolver(target, lookUp)
    this.#keys = keys
    this.#onRefusal = onRefused
    this.#strangers = new StrangerReport(this.#record, peerType, logger, (address, mechanism) =>
      this.#onMechanism(address, mechanism),
    )
  }

  /** True while the handshake with the far end has succeeded. */
  get isEstablished() {
    return this.#state === ESTABLISHED
  }

  /** Whether every address was tried since the last WELCOME, and none let this client in. */
  get isAlone() {
    return this.#plan.isAlone
  }

  /** Whether a proxy that stands by is what was met so far. */
  get hasMetStandby() {
    return this.#record.hasStandby
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

  /** Record that the proxy at the current address let this client in. */
  onWelcomed() {
    if (this.#state !== ESTABLISHED) return
    this.#plan.onWelcomed()
    this.#resolver.keepOnly(this.address)
    this.#record.clear()
    this.#strangers.clear()
    this.#judges.clear()
    this.#met.clear()
    this.#refusal = null
  }

  /**
   * Leave the proxy at the current address, which stands by, and try the next one.
   * @param {string[]} fabric The URLs of the others that it named.
   */
  passOver(fabric) {
    if (this.#state !== ESTABLISHED) return
    this.#record.addStandby(this.address, fabric)
    this.#line.hangUp()
    // From a Unix socket to the network is no step that a proxy decides: there is no key for it.
    const named = this.#target.path === undefined ? fabric : []
    const hasNamedOthers = this.#resolver.add(named.map(endpointIn).filter((each) => each !== null))
    this.#goOnAfter(this.#plan.onStandby(hasNamedOthers))
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
    const target = this.#target
    const says = (cause, reason) => new Diagnosis(cause, reason, target)
    if (this.#refusal !== null) {
      const { reason, fix } = this.#refusal
      return new Diagnosis(Cause.REFUSED, reason, target, fix)
    }
    if (target.path !== undefined && isBarred(target.path)) {
      return says(Cause.BARRED, 'this user may not write to the socket: it belongs to another one')
    }
    const { unresolved } = this.#resolver
    if (this.#isNameless && unresolved.length > 0) return says(Cause.NAME, nameless(unresolved))
    if (this.#state === TRYING && this.#isConnected) {
      this.#record.add(this.address, Fault.STRANGER, this.#line.description)
    }
    return says(...this.#record.summary(unresolved))
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
    // All else is forgotten at a WELCOME: a proxy that stands by says nothing of the others.
    this.#record.forget(this.address)
    this.#judges.delete(String(this.address))
    this.#met.delete(String(this.address))
    if (this.#refusedAt === String(this.address)) this.#refusal = null
    this.#sinceMs = performance.now()
    this.#state = ESTABLISHED
    if (this.#isSteady) this.onWelcomed() // a broadcast connection has no WELCOME
  }

  /**
   * Handle the end of an attempt, or of a connection.
   * @param {string} fault One of `Fault`; of a connection that stood NO_ANSWER if nothing came any more, else any
   *   other.
   * @param {string} seen What answers there instead, if that is known.
   * @param {string} why The reason, for people.
   */
  onDown(fault, seen, why) {
    this.#clearTimers()
    if (this.#state === ESTABLISHED) {
      const lastedMs = performance.now() - this.#sinceMs
      this.#goOnAfter(this.#plan.onEnded(lastedMs, fault === Fault.NO_ANSWER))
      this.#onEnded(why)
    } else if (this.#state === TRYING) this.#onNoGreeting(fault, seen)
  }

  /** Handle a far end that does not list our key. */
  onUnknownKey() {
    if (this.#state !== TRYING) return
    this.#clearTimers()
    this.#record.add(this.address, Fault.STRANGER)
    this.#judgeOf(this.address).onUnknown()
    this.#onMet({ isStranger: true })
  }

  #onNoGreeting(fault, seen) {
    const nowMs = performance.now()
    const isSilent =
      fault === Fault.NO_ANSWER || nowMs - this.#begunAtMs >= NEARLY * this.#handshakeMs
    const isStranger = fault === Fault.STRANGER || fault === Fault.KEYED
    this.#record.add(this.address, isStranger ? Fault.STRANGER : fault, seen)
    if (!isStranger) {
      this.#judgeOf(this.address).onNobody()
      if (this.#refusedAt === String(this.address)) this.#refusal = null
      this.#goOnAfter(this.#plan.onFailed({ isSilent }))
      return
    }
    let isAgain = false
    if (fault === Fault.KEYED) this.#onMechanism(this.address, 'CURVE')
    else {
      if (this.#isConnected)
        this.#judgeOf(this.address).onFailed(nowMs, nowMs - this.#connectedAtMs)
      const hasAnother = this.#line.expectNext?.() ?? false
      isAgain = hasAnother && !isSilent
      this.#strangers.onStranger(this.address, seen)
    }
    this.#onMet({ isStranger, isSilent, isAgain })
  }

  #onMet(seen) {
    this.#met.set(String(this.address), this.address)
    this.#goOnAfter(this.#plan.onFailed(seen))
  }

  #goOnAfter(pauseMs) {
    this.#isRoundOver = pauseMs > 0
    this.#pause(this.#isSteady ? this.#steadyMs() : pauseMs)
    if (this.#isRoundOver) this.#endRound()
  }

  /** Only now, as every address was tried: another one may let us in. */
  #endRound() {
    if (this.#met.size === 0) this.#strangers.hurry()
    for (const address of this.#met.values()) {
      const { refusal } = this.#judgeOf(address)
      if (refusal === null) continue
      this.#rest(address, refusal)
      break
    }
    this.#met.clear()
  }

  /** Handle the mechanism of a far end; return whether it says all about it. */
  #onMechanism(address, mechanism) {
    const judge = this.#judgeOf(address)
    const before = judge.refusal
    const refusal = judge.onMechanism(mechanism)
    const isNews = refusal !== null && refusal.reason !== before?.reason
    if (isNews && this.#state === WAITING && this.#isRoundOver) this.#rest(address, refusal)
    return refusal !== null || (mechanism === 'CURVE' && judge.hasKey)
  }

  /** Try again later, as it is refused. */
  #rest(address, { reason, fix, pauses }) {
    this.#clearTimers()
    this.#pause(this.#plan.onRefused(pauses))
    const where = this.#target.places === undefined ? '' : `${address}: `
    this.#refusal = new Refusal(`${where}${reason}`, fix, pauses)
    this.#refusedAt = String(address)
    this.#onRefusal(this.#refusal)
  }

  #judgeOf(address) {
    const where = String(address)
    const known = this.#judges.get(where) ?? new KeyJudge(this.#keys)
    this.#judges.set(where, known)
    return known
  }

  #dial(addresses) {
    this.#isNameless = addresses.length === 0
    if (this.#isNameless) {
      this.#pause(NAMELESS_PAUSE_MS * (0.5 + this.#dice()))
      return
    }
    const known = new Set(addresses.map(String))
    for (const each of this.#judges.keys()) if (!known.has(each)) this.#judges.delete(each)
    const attempt = this.#plan.nextAttempt(addresses)
    this.address = attempt.address
    this.#handshakeMs = attempt.handshakeMs
    this.#begunAtMs = performance.now()
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
