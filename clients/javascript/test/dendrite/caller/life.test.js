// The life of a Dendrite: what may be called when, how it ends, and that nothing is left behind.
import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { test } from 'node:test'
import {
  Axon,
  Dendrite,
  DendriteProtocolError,
  InvalidArgument,
  InvalidName,
  PathwayClosedError,
  SynapseRefused,
  SynapseUnreachable,
  connectSynapse,
} from '../../../src/index.js'
import { startNode } from '../../support/child.js'
import { deferred, startDendrite } from '../../support/dendrites.js'
import { freePorts, startSynapse } from '../../support/synapse.js'
import { startWorker } from '../../support/worker.js'

const INDEX = fileURLToPath(new URL('../../../src/index.js', import.meta.url))
const program = (text) => ['--input-type=module', '-e', `import * as c from '${INDEX}'; ${text}`]

test('the life of a Dendrite', async (t) => {
  const synapse = await startSynapse(t)
  await startWorker(t, synapse.url, { neurons: 'echo,slow,stream' })
  const made = async (options) =>
    new Dendrite({ synapse: await connectSynapse(synapse.url), logger: null, ...options })

  await t.test('wrong arguments are named', async () => {
    const good = await connectSynapse(synapse.url)
    const refusal = (options) => {
      try {
        new Dendrite(options)
      } catch (error) {
        assert.ok(error instanceof InvalidArgument)
        return error.message
      }
      throw new Error('it was accepted')
    }
    assert.match(refusal(undefined), /new Dendrite takes an object of options/)
    assert.match(
      refusal({}),
      /needs synapse, what connectSynapse\(url\) resolves to, not undefined/,
    )
    assert.match(refusal({ synapse: synapse.url }), /needs synapse/)
    assert.match(refusal({ synapse: connectSynapse(synapse.url) }), /write 'synapse: await connect/)
    assert.match(
      refusal({ synapse: good, role: 'boss' }),
      /role must be 'orchestrator' or 'worker'/,
    )
    assert.match(refusal({ synapse: good, dendrite_id: 'x' }), /did you mean 'dendriteId'\?/)
    assert.match(refusal({ synapse: good, maxSignalBytes: 0.5 }), /maxSignalBytes must be a whole/)
    assert.match(refusal({ synapse: good, logger: {} }), /logger must have a method warn/)
    assert.throws(() => new Dendrite({ synapse: good, namespace: 'a/b' }), InvalidName)
  })

  await t.test('what is no Axon is refused when it is attached', async () => {
    const dendrite = await made()
    const looksLikeOne = { neuronId: 'x', neuronFn: () => 1 }
    for (const given of [undefined, 'x', {}, looksLikeOne]) {
      assert.throws(() => dendrite.attachAxon(given), /an Axon is needed, as of new Axon/)
      await assert.rejects(dendrite.addAxon(given), InvalidArgument)
    }
  })

  await t.test('the namespace comes from COSMO_NAMESPACE, else it is default', async (inner) => {
    inner.after(() => delete process.env.COSMO_NAMESPACE)
    assert.equal((await made()).namespace, 'default')
    process.env.COSMO_NAMESPACE = 'elsewhere'
    assert.equal((await made()).namespace, 'elsewhere')
    assert.equal((await made({ namespace: 'here' })).namespace, 'here')
  })

  await t.test('before start every verb says what to do, and nothing is thrown late', async () => {
    const dendrite = await made()
    assert.equal(dendrite.state, 'new')
    const remedy = /^this Dendrite is new: call 'await dendrite\.start\(\)' first$/
    const task = { neuron: 'echo', input: 1 }
    for (const call of ['ask', 'dispatchAndWait', 'observePathway', 'findNeurons', 'sync'])
      await assert.rejects(dendrite[call](task), { name: 'DendriteProtocolError', message: remedy })
    for (const call of ['dispatch', 'dispatchTask'])
      assert.throws(() => dendrite[call](task), { name: 'DendriteProtocolError', message: remedy })
    await dendrite.stop()
    assert.equal(dendrite.state, 'stopped')
  })

  await t.test('start twice is refused, stop twice is not', async () => {
    const dendrite = await made()
    const starting = dendrite.start()
    assert.equal(dendrite.state, 'starting')
    await assert.rejects(dendrite.start(), DendriteProtocolError)
    assert.equal(await starting, dendrite)
    await assert.rejects(
      dendrite.start(),
      /is running, and start\(\) works once: leave the second call out/,
    )
    assert.throws(
      () => dendrite.attachAxon(new Axon({ neuronId: 'x', neuronFn: () => 1 })),
      /attachAxon works before start\(\) only.*addAxon/s,
    )
    await Promise.all([dendrite.stop(), dendrite.stop()])
    await dendrite.stop()
    assert.equal(dendrite.state, 'stopped')
    await assert.rejects(dendrite.start(), /is stopped, and start\(\) works once: make a new one/)
    assert.throws(
      () => dendrite.attachAxon(new Axon({ neuronId: 'x', neuronFn: () => 1 })),
      /this Dendrite is stopped: make a new one/,
    )
    await assert.rejects(dendrite.ask({ neuron: 'echo', input: 1 }), /is stopped: make a new one/)
  })

  await t.test('a stop while it starts ends the start', async () => {
    const dendrite = await made()
    const starting = assert.rejects(dendrite.start(), /was stopped while it started/)
    await dendrite.stop()
    await starting
    assert.equal(dendrite.state, 'stopped')
  })

  await t.test('the role of a worker does not dispatch', async (inner) => {
    const dendrite = await startDendrite(inner, synapse.url, { role: 'worker' })
    await assert.rejects(dendrite.ask({ neuron: 'echo', input: 1 }), /role: 'worker' does not/)
  })

  await t.test('a stop ends every call, Pathway, iterator and observer', async () => {
    const dendrite = await made()
    await dendrite.start()
    const task = { neuron: 'slow', input: { ms: 60_000 } }
    const asking = assert.rejects(
      dendrite.ask(task),
      /stopped while neuron 'slow' worked: await the outcome before stop\(\)/,
    )
    const pathway = dendrite.dispatch(task)
    const types = []
    const reading = (async () => {
      for await (const { type } of pathway) types.push(type)
    })()
    const observed = await dendrite.observePathway(pathway.traceId)
    const waiting = assert.rejects(observed.waitFor('FINAL'), PathwayClosedError)
    const iterating = (async () => {
      for await (const each of dendrite.signals('PLAN')) assert.fail(each)
    })()
    await dendrite.sync()
    await dendrite.stop()
    await Promise.all([asking, reading, waiting, iterating])
    assert.deepEqual(types, ['ERROR'])
    assert.equal((await pathway.outcome()).payload.code, 'CANCELLED')
  })

  await t.test('a namespace that is not served is a SynapseRefused', async (inner) => {
    const strict = await startSynapse(inner, { namespaces: ['only'] })
    const dendrite = new Dendrite({ synapse: await connectSynapse(strict.url), namespace: 'x' })
    await assert.rejects(dendrite.start(), SynapseRefused)
    assert.equal(dendrite.state, 'stopped')
  })

  await t.test('disposal stops it', async () => {
    const dendrite = await made()
    await dendrite.start()
    await dendrite[Symbol.asyncDispose]()
    assert.equal(dendrite.state, 'stopped')
  })

  await t.test('a process ends by itself after stop, whatever it did before', async (inner) => {
    const child = startNode(
      inner,
      program(`
        const d = new c.Dendrite({ synapse: await c.connectSynapse('${synapse.url}') })
        d.attachAxon(new c.Axon({ neuronId: 'mine', neuronFn: async (input) => input }))
        await d.start()
        d.onPlan(() => {})
        await d.ask({ neuron: 'mine', input: 1, timeoutMs: 600_000 })
        d.dispatchTask({ neuron: 'slow', input: { ms: 1e6 } })
        d.dispatch({ neuron: 'slow', input: { ms: 1e6 } }).wait({ timeoutMs: 600_000 }).catch(() => {})
        d.ask({ neuron: 'slow', input: { ms: 1e6 } }).catch(() => {})
        for await (const text of d.dispatch({ neuron: 'stream', input: {} }).thoughts()) text.length
        await d.stop()
        console.log('stopped')`),
    )
    await child.line('stopped')
    assert.equal(await child.ended, 0)
  })

  await t.test('a process ends by itself after a start that failed', async (inner) => {
    const strict = await startSynapse(inner, { namespaces: ['only'] })
    const child = startNode(
      inner,
      program(`
        const synapse = await c.connectSynapse('${strict.url}')
        const d = new c.Dendrite({ synapse, namespace: 'x', logger: null })
        d.attachAxon(new c.Axon({ neuronId: 'mine', neuronFn: async (input) => input }))
        await d.start().catch((error) => console.log(error.code))`),
    )
    await child.line('SYNAPSE_REFUSED')
    assert.equal(await child.ended, 0)
  })

  await t.test(
    'onAway and onBack return how to stop them, and one that throws is logged',
    async (inner) => {
      const mortal = await startSynapse(inner)
      const warnings = []
      const logger = { warn: (text) => warnings.push(text) }
      const dendrite = await startDendrite(inner, mortal.url, { logger })
      const calls = []
      const off = dendrite.onAway(() => calls.push('off'))
      const away = deferred()
      const back = deferred()
      dendrite.onAway((why) => {
        away.resolve(why)
        throw new Error('handler')
      })
      dendrite.onBack(back.resolve)
      off()
      await mortal.kill()
      assert.equal(typeof (await away.promise), 'string')
      assert.equal(dendrite.state, 'away')
      assert.ok(dendrite.awayMs >= 0)
      await mortal.restart()
      await back.promise
      assert.equal(dendrite.state, 'running')
      assert.equal(dendrite.awayMs, null)
      assert.deepEqual(calls, [])
      assert.match(warnings[0], /^dendrite dendrite lost its Synapse at cosmo:.*, reconnecting$/)
      assert.equal(warnings[1], 'a handler of onAway threw')
      assert.match(warnings[2], /^dendrite dendrite is back at its Synapse after \d+\.\d s$/)
      assert.throws(() => dendrite.onAway('x'), InvalidArgument)
    },
  )
})

test('without a Synapse start is a SynapseUnreachable that says what to run', async (t) => {
  const port = await freePorts()
  const synapse = await startSynapse(t, { port })
  const dendrite = new Dendrite({ synapse: await connectSynapse(synapse.url), logger: null })
  await synapse.kill()
  await assert.rejects(dendrite.start({ timeoutMs: 300 }), (error) => {
    assert.ok(error instanceof SynapseUnreachable)
    assert.equal(error.code, 'SYNAPSE_UNREACHABLE')
    assert.match(error.message, /^no Synapse at cosmo:/)
    return true
  })
  assert.equal(dendrite.state, 'stopped')
})
