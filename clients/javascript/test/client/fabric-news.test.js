// What a client tells its user of the fabric.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import test from 'node:test'
import { FabricNews } from '../../src/client/fabric-news.js'
import { opened } from './scene.js'

const A = 'cosmo://10.0.0.1:7070'
const B = 'cosmo://10.0.0.2:7070'
const LIST = 'cosmo://10.0.0.1:7070,10.0.0.2:7070'

function heard(url = A) {
  const logged = []
  const log = (text) => logged.push(text)
  return { logged, news: new FabricNews({ name: 'me', url, isList: url === LIST, log }) }
}

test('a half is told once, and again when it is whole', () => {
  const { news, logged } = heard()
  for (const half of [false, true, true, false, false])
    news.onWelcomed(A, { half, others: true })

  assert.equal(logged.length, 2)
  assert.match(logged[0], /^dendrite me: the Synapse at cosmo:\/\/10.0.0.1:7070 does not hear another/)
  assert.match(logged[1], /^dendrite me: the Synapse at cosmo:\/\/10.0.0.1:7070 hears every other/)
}) // prettier-ignore

test('a half at another Synapse is news', () => {
  const { news, logged } = heard()
  for (const url of [A, B]) news.onWelcomed(url, { half: true, others: true })

  assert.equal(logged.length, 2)
  assert.deepEqual([news.url, news.half], [B, true])
})

test('a list whose Synapses do not know each other is warned of, a Synapse alone is not', () => {
  const alone = heard()
  alone.news.onWelcomed(A, { half: false, others: false })
  const listed = heard(LIST)
  listed.news.onWelcomed(A, { half: false, others: false })
  const good = heard(LIST)
  good.news.onWelcomed(A, { half: false, others: true })

  assert.deepEqual([alone.logged, good.logged], [[], []])
  assert.match(
    listed.logged[0],
    /those of cosmo:\/\/.*,.* do not stand by for each other, .* --peer/,
  )
  assert.equal(listed.news.warning, listed.logged[0].replace('dendrite me: ', ''))
})

test('the state of the Synapse tells where it is, and whether it is a half', async (t) => {
  const { client, far, logged } = await opened(t)
  assert.deepEqual(client.fabric, { url: 'cosmo://fake', half: false, warning: '' })
  far.says.half = true
  far.welcome()

  assert.equal(client.fabric.half, true)
  assert.match(client.fabric.warning, /^the Synapse at cosmo:\/\/fake does not hear another one/)
  assert.match(logged[0][0], /^dendrite me: the Synapse at cosmo:\/\/fake does not hear/)
})

test('a client that was given no log warns by the process', async (t) => {
  const { far } = await opened(t, { log: undefined })
  const warned = once(process, 'warning')
  far.says.half = true
  far.welcome()

  assert.match((await warned)[0].message, /^dendrite me: the Synapse at .* does not hear/)
})
