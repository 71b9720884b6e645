// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { PresenceError } from '../src/index.js'
import { gateway, heard, refusal, wire } from './gateway.js'

const SEEN = '2025-11-10T12:15:00.000Z'
const UNAUTHENTICATED = Object.assign(new Error('Not ours.'), { data: { code: 'unauthenticated' } })
const isIn = (news: { connected: boolean }) => news.connected

test('it enters as its user, with its token, and looks at the user', async () => {
  await using server = await gateway()
  const client = server.client({ userId: '7', token: 'secret' })
  const look = heard(client, 'presence')
  await heard(client, 'connection', isIn)
  assert.equal(client.connected, true)
  assert.deepEqual((await look).users.map(user => user.userId), [7])
  assert.deepEqual(server.asked, [['user_authenticated', 7], ['get_presence', [7]]])
  assert.deepEqual(server.tokens, ['secret'])
})

test('what it is told of it keeps, with a real date', async () => {
  await using server = await gateway()
  const client = server.client()
  await heard(client, 'connection', isIn)
  server.io.emit('presence_updated', wire(2, 'offline', 3, SEEN))
  const { users } = await heard(client, 'presence', news => news.users[0]?.userId === 2)
  assert.deepEqual(users, [{ userId: 2, status: 'offline', lastSeen: new Date(SEEN), v: 3 }])
  assert.equal(client.get('2'), users[0])
  assert.equal(client.get(3), undefined)
})

const arrivals: [string, 'presence_updated' | 'presence_info', ReturnType<typeof wire>, boolean][] = [
  ['an older push', 'presence_updated', wire(2, 'online', 4), false],
  ['a push that came twice', 'presence_updated', wire(2, 'offline', 5), false],
  ['a newer push', 'presence_updated', wire(2, 'online', 6), true],
  ['an older answer', 'presence_info', wire(2, 'online', 4), false],
  ['the same answer', 'presence_info', wire(2, 'away', 5, SEEN), false],
  ['an answer with a later last seen', 'presence_info', wire(2, 'away', 5, '2025-11-10T12:16:00.000Z'), true],
  ['an answer that may say nothing', 'presence_info', wire(2, 'offline', 0), true],
  ['a push that may say nothing', 'presence_updated', wire(2, 'offline', 0), false],
]
for (const [what, event, came, taken] of arrivals) {
  test(`${what} is ${taken ? 'taken' : 'dropped'}`, async () => {
    await using server = await gateway()
    const client = server.client()
    await heard(client, 'connection', isIn)
    server.io.emit('presence_updated', wire(2, 'away', 5, SEEN))
    server.io.emit(event, event === 'presence_info' ? [came] : came)
    server.io.emit('presence_updated', wire(3, 'online', 1)) // after which both have come
    await heard(client, 'presence', news => news.users[0]?.userId === 3)
    const expected = taken ? came : wire(2, 'away', 5, SEEN)
    const kept = client.get(2)
    assert.deepEqual(kept && [kept.status, kept.v], [expected.status, expected.v])
    assert.equal(kept?.lastSeen?.toISOString() ?? null, expected.last_seen)
  })
}

test('it enters again after a cut, and asks again for whom it watches', async () => {
  await using server = await gateway()
  const client = server.client()
  client.watch([5, 6])
  const stop = client.watch([8])
  await heard(client, 'connection', isIn)
  stop()
  const cut = heard(client, 'connection', news => !news.connected)
  server.io.engine.close()
  await cut
  assert.equal(client.connected, false)
  server.asked.length = 0
  const look = heard(client, 'presence')
  server.answers['get_presence'] = socket => (socket.emit('presence_info', [wire(5, 'busy', 9)]), [])
  await look
  assert.deepEqual(server.asked, [['user_authenticated', 1], ['get_presence', [1, 5, 6]]])
  assert.equal(client.get(5)?.status, 'busy')
})

test('watching many at once is one question, and a long list several', async () => {
  await using server = await gateway()
  const client = server.client()
  await heard(client, 'presence')
  server.asked.length = 0
  const answered = heard(client, 'presence', news => news.users.some(user => user.userId === 700))
  for (let user = 101; user <= 700; user++) client.watch([user])
  await answered
  assert.deepEqual(server.asked.map(([, users]) => (users as number[]).length), [500, 100])
})

test('questions wait until the user is in', async () => {
  await using server = await gateway()
  const client = server.client()
  const [users] = await Promise.all([client.getPresence([3, '2']), client.setStatus('away')])
  assert.deepEqual(users.map(user => [user.userId, user.lastSeen]), [[3, null], [2, null]])
  assert.equal(server.asked[0]?.[0], 'user_authenticated')
  assert.ok(server.asked.some(([event, status]) => event === 'update_status' && status === 'away'))
})

test('a refusal rejects with its code, and listeners hear of it', async () => {
  await using server = await gateway()
  server.answers['update_status'] = () => refusal('invalid_status')
  const client = server.client()
  const told = heard(client, 'error')
  await assert.rejects(client.setStatus('busy'), { name: 'PresenceError', code: 'invalid_status', event: 'update_status' })
  assert.equal((await told).error.code, 'invalid_status')
})

test('no answer is an error too', async () => {
  await using server = await gateway()
  server.answers['update_status'] = () => undefined
  const client = server.client({ timeout: 50 })
  await assert.rejects(client.setStatus('busy'), { code: 'timeout', event: 'update_status' })
})

test('no gateway is an error, and questions do not wait for ever', async () => {
  const server = await gateway()
  const client = server.client({ timeout: 50 })
  await server[Symbol.asyncDispose]()
  const lonely = server.client({ timeout: 50 })
  const told = heard(lonely, 'error', ({ error }) => error.code === 'unreachable')
  await assert.rejects(lonely.getPresence([2]), { code: 'timeout' })
  await told
  lonely.close()
  await assert.rejects(client.getPresence([2]), { code: 'closed' })
})

test('another user is refused for good', async () => {
  await using server = await gateway()
  server.answers['user_authenticated'] = () => refusal('forbidden')
  const client = server.client()
  const told = heard(client, 'error')
  await assert.rejects(client.getPresence([2]), (error: PresenceError) => error.code === 'forbidden')
  assert.equal((await told).error.event, 'user_authenticated')
})

test('a fault of the gateway is tried again', async () => {
  await using server = await gateway()
  let attempts = 0
  server.answers['user_authenticated'] = () => (++attempts === 1 ? refusal('store_unavailable') : { ok: true })
  const client = server.client()
  await heard(client, 'connection', isIn)
  assert.equal(attempts, 2)
})

test('a forged token is refused for good', async () => {
  await using server = await gateway()
  server.io.use((_, next) => next(UNAUTHENTICATED))
  const client = server.client({ token: 'forged' })
  await assert.rejects(client.setStatus('away'), { code: 'unauthenticated', message: 'Not ours.' })
})

test('an expired token is replaced by a new one', async () => {
  await using server = await gateway()
  let made = 0
  const client = server.client({ token: async () => `token ${++made}` })
  await heard(client, 'connection', isIn)
  const back = heard(client, 'connection', isIn)
  server.io.disconnectSockets()
  await back
  assert.deepEqual(server.tokens, ['token 1', 'token 2'])
})

test('a token that cannot be had is an error, and asked for again', async () => {
  await using server = await gateway()
  server.io.use((socket, next) => next(socket.handshake.auth['token'] ? undefined : UNAUTHENTICATED))
  let asked = 0
  const client = server.client({ token: () => (++asked === 1 ? Promise.reject(new Error('down')) : 'token') })
  const told = heard(client, 'error')
  await heard(client, 'connection', isIn)
  assert.deepEqual([(await told).error.code, server.tokens], ['token', ['token']])
})

test('closing says goodbye and turns questions away', async () => {
  await using server = await gateway()
  const client = server.client()
  await heard(client, 'connection', isIn)
  const [socket] = [...server.io.sockets.sockets.values()]
  assert.ok(socket)
  const gone = once(socket, 'disconnect')
  client.close()
  assert.deepEqual((await gone)[0], 'client namespace disconnect')
  await assert.rejects(client.setStatus('away'), { code: 'closed' })
})

const contact = (jid: string, status: 'online' | 'offline' | 'unknown', v: number) =>
  ({ jid, name: jid.toUpperCase(), status, last_seen: status === 'unknown' ? null : SEEN, v })

test('contacts on WhatsApp are kept, older news of them is dropped, and who may not be watched is let go of', async () => {
  await using server = await gateway()
  const client = server.client()
  await heard(client, 'connection', isIn)
  const told = (accept: (size: number) => boolean) => heard(client, 'contacts', news => accept(news.contacts.size))
  const first = told(size => size === 2)
  server.io.emit('contact_presence_info', [contact('ann', 'unknown', 0), contact('bob', 'online', 5)])
  const { contacts } = await first
  assert.deepEqual(contacts.get('ann'), { jid: 'ann', name: 'ANN', status: 'unknown', lastSeen: null, v: 0 })
  server.io.emit('contact_presence_updated', contact('bob', 'offline', 4))
  server.io.emit('contact_presence_updated', contact('ann', 'offline', 6))
  await heard(client, 'contacts', news => news.contacts.get('ann')?.status === 'offline')
  assert.equal(client.contacts.get('bob')?.status, 'online')
  assert.deepEqual(client.contacts.get('ann')?.lastSeen, new Date(SEEN))
  assert.equal(contacts.get('ann')?.status, 'unknown') // a change is a new map
  const last = told(size => size === 0)
  server.io.emit('contact_presence_info', [])
  await last
  assert.equal(client.contacts.size, 0)
})
