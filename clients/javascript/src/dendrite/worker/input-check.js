// The check of an input before its function is called: BAD_INPUT says what does not fit. Pure.
// Spec: docs/spec/07-signals.md, "Cards", 7.
import { InvalidArgument, NeuronError, shown } from '../../errors.js'
import { isMap } from './outcomes.js'

const ANSWERS = ['clarification', 'clarifications', 'permission']
const MAX_FINDINGS = 5
const MAX_LEAVES = 100
const MAX_PART_CHARS = 64
const STANDARD = '~standard'

/**
 * Return the check of an Axon as a function of the input, which returns findings or a promise of them.
 *
 * @param {unknown} check A function, an object of Standard Schema, or null for none.
 * @param {object | null} schema The JSON Schema of the input: answers that it names are no answers.
 * @returns {((input: unknown) => unknown) | null}
 * @throws {InvalidArgument} It is something else.
 */
export function checkFor(check, schema) {
  if (check === null) return null
  const find = finderOf(check, 'check')
  const answers = ANSWERS.filter((each) => !Object.hasOwn(schema?.properties ?? {}, each))
  return (input) => find(withoutAnswers(input, answers))
}

/**
 * Return a check as a function of a value, which returns findings or a promise of them.
 *
 * @param {unknown} check A function, or an object of Standard Schema.
 * @param {string} what The name of the option that it was given as.
 * @returns {(value: unknown) => unknown}
 * @throws {InvalidArgument} It is something else.
 */
export function finderOf(check, what) {
  // A schema of some libraries is a function too.
  const validate = check?.[STANDARD]?.validate
  if (typeof validate === 'function') return (input) => issuesOf(check[STANDARD].validate(input))
  if (typeof check === 'function') return check
  throw new InvalidArgument(
    `${what} must be a function or a Standard Schema, such as those of zod and valibot, not ${shown(check)}`,
  )
}

const issuesOf = (result) =>
  typeof result?.then === 'function' ? result.then(issuesOf) : result?.issues

/** Answers to questions are no part of what the Neuron takes. */
function withoutAnswers(input, answers) {
  if (!isMap(input) || input instanceof Map || !answers.some((each) => Object.hasOwn(input, each)))
    return input
  return Object.fromEntries(Object.entries(input).filter(([key]) => !answers.includes(key)))
}

/**
 * Throw if the check of an input has found something.
 *
 * @param {unknown} findings See `misfitOf`.
 * @param {unknown} input
 * @throws {NeuronError} BAD_INPUT, with at most five findings and no value of the input.
 */
export function refuseMisfit(findings, input) {
  const text = misfitOf(findings, input, 'input')
  if (text !== null) throw new NeuronError('BAD_INPUT', text)
}

/**
 * Return what a check has found as one text, with at most five findings and nothing of the value.
 *
 * @param {unknown} findings A text, or a list of texts and of issues of Standard Schema; nothing if
 *   the value fits.
 * @param {unknown} value What was checked.
 * @param {string} root The name of the whole value in the text.
 * @returns {string | null} Null if it fits.
 */
export function misfitOf(findings, value, root) {
  const list = typeof findings === 'string' ? [findings] : [...(findings ?? [])]
  if (list.length === 0) return null
  const leaves = leavesOf(value)
  const texts = list.slice(0, MAX_FINDINGS).map((each) => without(textOf(each, root), leaves))
  if (list.length > texts.length) texts.push(`and ${list.length - texts.length} more`)
  return texts.join('; ')
}

function textOf(finding, root) {
  if (typeof finding !== 'object' || finding === null) return String(finding)
  const parts = (finding.path ?? []).map((each) =>
    String(typeof each === 'object' ? each?.key : each).slice(0, MAX_PART_CHARS),
  )
  return `${parts.join('.') || root}: ${finding.message}`
}

/** Return a text in which nothing of a value is left: an ERROR must not carry it further. */
function without(text, leaves) {
  if (leaves.length >= MAX_LEAVES) return 'it is refused by the check of the Neuron'
  return leaves.reduce((left, leaf) => left.replaceAll(leaf, '…'), text)
}

/** Return up to 100 texts and numbers of a value as patterns of whole words, the longest first. */
function leavesOf(value) {
  const found = new Set()
  const waiting = [value]
  while (waiting.length > 0 && found.size < MAX_LEAVES) {
    const each = waiting.pop()
    if (each instanceof Map) waiting.push(...each.values())
    else if (typeof each === 'object' && each !== null && !ArrayBuffer.isView(each))
      waiting.push(...Object.values(each))
    else if (['string', 'number', 'bigint'].includes(typeof each) && each !== '')
      found.add(String(each))
  }
  return [...found]
    .sort((a, b) => b.length - a.length)
    .map((each) => new RegExp(`(?<!\\w)${each.replaceAll(/[^\w]/g, escaped)}(?!\\w)`, 'g'))
}

const escaped = (each) => (/[$()*+./?[\\\]^{|}-]/.test(each) ? `\\${each}` : each)
