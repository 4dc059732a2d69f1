// Cards over a real fabric, with Python both ways: the same digests, no work, and rights.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Axon, Dendrite, connectSynapse } from '../../src/index.js'
import { startPython } from '../support/child.js'
import { until } from '../support/dendrites.js'
import { keysFolder } from '../support/keys-folder.js'
import { startSynapse } from '../support/synapse.js'

const PEER = fileURLToPath(new URL('../support/card_peer.py', import.meta.url))
const NIGHTS = { type: 'integer', description: 'How long – in days', maximum: 30.5 }
const isWhole = ({ nights, ...more }) => [
  ...(Number.isInteger(nights) ? [] : [`nights: must be whole, not ${nights}`]),
  ...Object.keys(more).map((each) => `${each}: is not known`),
]
const axon = new Axon({
  neuronId: 'js',
  neuronFn: (input) => input,
  description: 'Takes nights',
  input: { type: 'object', properties: { nights: NIGHTS } },
  check: isWhole,
})

async function started(t, url, { axons = [], ...options } = {}) {
  const { key, ...settings } = options
  const synapse = await connectSynapse(url, key === undefined ? {} : { key })
  const dendrite = new Dendrite({ synapse, logger: null, ...settings })
  for (const each of axons) dendrite.attachAxon(each)
  t.after(() => dendrite.stop({ drainMs: 0 }))
  return dendrite
}

test('Python and JavaScript read the cards of each other, and nobody sees that as work', async (t) => {
  const { url } = await startSynapse(t)
  const seen = []
  const watcher = await started(t, url)
  watcher.onSignal(['TASK', 'AGENT_OUTPUT', 'ERROR'], ({ type }) => seen.push(type))
  await watcher.start()
  const peer = startPython(t, [PEER, url])
  const digest = await peer.line('py')
  const dendrite = await started(t, url, { axons: [axon], floats: true })
  dendrite.onSignal(['TASK', 'AGENT_OUTPUT'], ({ type }) => seen.push(`own ${type}`))
  await dendrite.start()

  const card = await dendrite.card('py')
  const [cards, [record]] = [await dendrite.cards('*'), await dendrite.findNeurons()]
  await peer.line('done')

  assert.deepEqual([card.digest, card.description], [digest, 'Books\na room'])
  assert.equal(card.input.properties.é.enum[0], 2n ** 60n)
  assert.deepEqual([...cards.keys()].sort(), ['js', 'py'])
  assert.equal(cards.get('js').digest, axon.digest)
  assert.equal(record.card, cards.get(record.neuronId).digest)
  assert.deepEqual(peer.lines.slice(1), [
    `js ${axon.digest} Takes nights integer`,
    'AGENT_OUTPUT None None',
    'ERROR BAD_INPUT nights: must be whole, not …',
    'AGENT_OUTPUT None None',
    'done',
  ])
  const kinds = ['TASK', 'AGENT_OUTPUT', 'TASK', 'ERROR', 'TASK', 'AGENT_OUTPUT']
  const watched = () => seen.filter((each) => !each.startsWith('own'))
  // Copies for who watches may come after the reply itself.
  await until(
    () => watched().length >= kinds.length && watcher.counts.hidden_cards >= 6,
    'three tasks of Python, and six Signals of cards',
  )
  await watcher.sync()
  assert.deepEqual(watched().sort(), [...kinds].sort(), 'three tasks of Python, and no card')
  await assert.rejects(dendrite.card('nobody'), { code: 'NO_SUCH_NEURON' })
})

test('a card needs the right to dispatch to its Neuron', async (t) => {
  const users = { ada: ['dispatch=js'], ben: ['dispatch=other'], box: ['serve=js'] }
  const keys = await keysFolder(t, users)
  const { url } = await startSynapse(t, { args: ['--keys', keys.folder] })
  const box = await started(t, url, { axons: [axon], key: keys.of('box'), role: 'worker' })
  await box.start()
  const [ada, ben] = [
    await started(t, url, { key: keys.of('ada') }),
    await started(t, url, { key: keys.of('ben') }),
  ]
  await Promise.all([ada.start(), ben.start()])

  assert.equal((await ada.card('js')).digest, axon.digest)
  await assert.rejects(ben.card('js'), { name: 'AccessRefused' })
})
