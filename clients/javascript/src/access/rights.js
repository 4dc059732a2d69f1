// What a key may do, by the words that a WELCOME says. Spec: docs/spec/11-access.md. Pure.
//
// A proxy decides; this is for the error that comes before anything is sent.
import { QUESTIONS } from '../signals/signal-types.js'

const ANSWERS = ['CLARIFICATION_ANSWER', 'PERMISSION_DECISION']
const ASKED = [...QUESTIONS]
/** By word: the types that it lets a key listen to, and those that it lets it publish; as cosmonapse/rights.py. */
const TYPES = {
  __proto__: null,
  dispatch: {
    hears: [...ANSWERS, 'BID', 'REGISTER', 'STOP', 'STOPPED', 'TASK_DECLINED'],
    publishes: ['ERROR', 'TASK_AWARDED', 'TASK_DECLINED', 'TASK_OFFER'],
  },
  serve: {
    hears: ['STOP', 'TASK_AWARDED', 'TASK_DECLINED', 'TASK_OFFER'],
    publishes: [
      ...ASKED,
      ...['AGENT_OUTPUT', 'BID', 'ERROR', 'FINAL', 'STOPPED'],
      ...['THOUGHT_DELTA', 'TOOL_CALL', 'TOOL_RESULT'],
    ],
  },
  watch: { hears: null, publishes: [] }, // null: every type, and traces
  decide: {
    hears: [...ANSWERS, ...ASKED, 'STOPPED', 'TASK_DECLINED'],
    publishes: [...ANSWERS, 'STOP'],
  },
  broadcast: {
    hears: [],
    publishes: ['PLAN', 'CRITIQUE', 'CONSENSUS', 'CONTEXT_SYNC', 'MEMORY_APPEND'],
  },
  inspect: { hears: [], publishes: [] },
}

/** What a key may do. */
export class Rights {
  #globs = { __proto__: null, dispatch: [], serve: [] }
  #words = new Set()

  /** @param {readonly string[]} words Such as `watch` and `serve=invoice-*`; unknown ones give no right. */
  constructor(words) {
    for (const each of words) {
      const [word, glob] = split(each)
      this.#words.add(word)
      this.#globs[word]?.push(pattern(glob ?? '*'))
    }
  }

  /** Whether it may send a TASK to a neuron; null stands for one by its capabilities. */
  mayDispatchTo(neuron) {
    const globs = this.#globs.dispatch
    return neuron === null ? globs.length > 0 : globs.some((each) => each.test(neuron))
  }

  /** Whether it may register an Axon. */
  mayServe(neuron) {
    return this.#globs.serve.some((each) => each.test(neuron))
  }

  /** Whether it may listen to a type; null stands for every type of a trace. */
  mayHear(type) {
    return this.#grants((word) => TYPES[word]?.hears, type)
  }

  /** Whether it may publish a type. */
  mayPublish(type) {
    return this.#grants((word) => TYPES[word]?.publishes, type)
  }

  #grants(typesOf, type) {
    for (const word of this.#words) {
      const types = typesOf(word)
      if (types === null || (type !== null && types?.includes(type))) return true
    }
    return false
  }
}

/** Return the first word that lets a key publish a type: for the text of an error. */
export const wordFor = (type) =>
  ['serve', 'dispatch', 'decide', 'broadcast'].find((word) =>
    TYPES[word].publishes.includes(type),
  ) ?? 'serve'

function split(text) {
  const at = text.indexOf('=')
  return at < 0 ? [text, null] : [text.slice(0, at), text.slice(at + 1)]
}

/** The pattern of a glob: `*` is any text and `?` one character; no right has other wildcards. */
function pattern(glob) {
  const text = glob.replaceAll(/[.*+?^${}()|[\]\\]/g, (each) => {
    if (each === '*') return '.*'
    return each === '?' ? '.' : `\\${each}`
  })
  return new RegExp(`^(?:${text})$`, 's')
}
