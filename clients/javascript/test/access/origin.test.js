// The instance ids of users: as zmq_transport/access/origin.py makes them.
import assert from 'node:assert/strict'
import test from 'node:test'
import { Users, instanceOfUser, tagOf } from '../../src/access/origin.js'
import { instanceOf } from '../../src/signals/ids.js'

const SECRET = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex')

test('an instance id of a user ends with its tag, and begins as one without', () => {
  const instance = instanceOfUser(SECRET, 'ada')

  assert.equal(tagOf('ada').length, 4)
  assert.deepEqual(instance.subarray(12), tagOf('ada'))
  assert.deepEqual(instance.subarray(0, 12), instanceOf(SECRET).subarray(0, 12))
  assert.deepEqual(instanceOfUser(SECRET, ''), instanceOf(SECRET))
  assert.notDeepEqual(tagOf('ada'), tagOf('ben'))
})

test('users are found by the instance ids that the Synapse brings', () => {
  const users = new Users()
  users.add(0, ['ada', 'uid:1000'])
  users.add(1, ['ben'])

  for (const name of ['ada', 'uid:1000', 'ben'])
    assert.equal(users.of(instanceOfUser(SECRET, name)), name)
  assert.equal(users.of(instanceOf(SECRET)), null)
  assert.equal(users.of(instanceOfUser(SECRET, 'carl')), null)
})

test('a user that a new list does not name is nobody, and all are at a Synapse without keys', () => {
  const users = new Users()
  users.add(0, ['ada', 'ben'])
  users.add(0, ['ada'])
  users.onWelcomed()
  assert.equal(users.of(instanceOfUser(SECRET, 'ben')), null)
  assert.equal(users.of(instanceOfUser(SECRET, 'ada')), 'ada')

  users.clear()
  assert.equal(users.of(instanceOfUser(SECRET, 'ada')), null)
})

test('nobody is without a name while a list of several pages comes', () => {
  const users = new Users()
  const told = () => ['ben', 'cyd'].map((each) => users.of(instanceOfUser(SECRET, each)))
  users.add(0, ['ada', 'ben', 'cyd'])

  users.add(0, ['ada'])
  assert.deepEqual(told(), ['ben', 'cyd'])
  users.add(1, ['ben'])
  assert.deepEqual(told(), ['ben', 'cyd'])

  users.add(0, ['ada', 'ben'])
  assert.deepEqual(told(), ['ben', null])
})
