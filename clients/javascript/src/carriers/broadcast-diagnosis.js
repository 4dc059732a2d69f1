// Why a client whose directed plane stands is not live yet. Pure.
import { Cause, Diagnosis } from './diagnosis.js'

/**
 * Return the diagnosis of a carrier.
 * @param {object} target Where the Synapse is: one place, or several.
 * @param {object} directed The line of its DEALER.
 * @param {object[]} broadcast The lines of SUB and XPUB; none before the WELCOME.
 */
export function diagnosisOf(target, directed, broadcast) {
  // A standby may hold its HELLO: what it saw of the others says more.
  const isHeld = directed.hasMetStandby && broadcast.length === 0
  if (!directed.isEstablished || isHeld) return directed.diagnosis()
  const { address } = directed
  const endpoint = target.places === undefined ? target : address
  if (broadcast.length === 0) {
    const text = `connected to ${address}, but the greeting got no answer in time`
    return new Diagnosis(Cause.SLOW, text, endpoint)
  }
  const missing = broadcast.find((each) => !each.isEstablished)
  if (missing !== undefined) {
    const text = `it answers at ${address}, but ${missing.diagnosis().reason}`
    return new Diagnosis(Cause.BROADCAST, text, endpoint)
  }
  const text = `connected to ${address}, but a subscription was not answered in time`
  return new Diagnosis(Cause.SLOW, text, endpoint)
}
