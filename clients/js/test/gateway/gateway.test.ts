// SPDX-License-Identifier: Apache-2.0
// Against a real gateway: GATEWAY_URL, and TOKEN_SECRET if it asks for tokens (HS256); else it believes everybody.

import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { before, test, type TestContext } from 'node:test'
import { io, type Socket } from 'socket.io-client'
import { type News, PresenceClient, type Presence, type Token } from '../../src/index.js'
import type { Wire } from '../../src/presence.js'

const url = process.env['GATEWAY_URL'] ?? ''
const secret = process.env['TOKEN_SECRET']
const trusted = { skip: secret !== undefined && 'this gateway asks for tokens' }
const asksForTokens = { skip: secret === undefined && 'this gateway believes everybody' }
const NOBODY = 99

before(async () => {
  for (const id of [1, 2, 3, 4]) await put(`/api/users/${id}`, { name: `User ${id}` })
  await put('/api/users/1/contacts', { contacts: [2, 3] })
  await put('/api/users/2/contacts', { contacts: [3] })
})

// --- the official client, as front ends use it without this package

test('contacts hear of each other', trusted, async t => {
  const anna = official(t)
  anna.emit('user_authenticated', 1)
  const contacts = await next<Wire[]>(anna, 'presence_info')
  assert.deepEqual(contacts.map(user => user.user_id).sort(), [2, 3])

  const ben = official(t)
  const online = pushed(anna, 2)
  ben.emit('user_authenticated', 2)
  await next(ben, 'presence_info')
  assert.equal((await online).status, 'online')

  const away = pushed(anna, 2)
  ben.emit('update_status', 'away')
  assert.equal((await away).status, 'away')

  ben.emit('get_presence', [1, NOBODY])
  const asked = await next<Wire[]>(ben, 'presence_info')
  assert.deepEqual(asked.map(user => [user.user_id, user.status]), [[1, 'online'], [NOBODY, 'offline']])

  const offline = pushed(anna, 2)
  ben.close()
  const { status, last_seen } = await offline
  assert.equal(status, 'offline')
  assert.ok(Math.abs(Date.now() - Date.parse(last_seen ?? '')) < 60_000)
})

// the phone opens, the laptop opens, the phone closes, the laptop closes
for (const transports of [['polling'], ['websocket'], ['polling', 'websocket']]) {
  test(`two contacts see one user on two devices over ${transports.join(' and ')}`, trusted, async t => {
    const [anna, cleo] = [await entered(t, 1, transports), await entered(t, 3, transports)]
    const told = [anna, cleo].map(socket => heardOf(socket, 2))
    const everyone = async () => {
      const answers = await Promise.all([anna, cleo].map(socket => asked(socket, 2)))
      assert.deepEqual(answers[0], answers[1])
      return answers[0]!
    }
    const before = (await everyone()).v

    const phone = await entered(t, 2, transports)
    const online = await everyone()
    assert.equal(online.status, 'online')
    assert.ok(online.v > before)

    const laptop = await entered(t, 2, transports)
    assert.deepEqual(shown(await everyone()), shown(online))

    await gone(phone)
    await asked(laptop, 1)
    assert.deepEqual(shown(await everyone()), shown(online))

    const last = [anna, cleo].map(socket => pushed(socket, 2))
    laptop.close()
    for (const { status, last_seen, v } of await Promise.all(last)) {
      assert.equal(status, 'offline')
      assert.ok(v > online.v)
      assert.ok(Date.parse(last_seen!) >= Date.parse(online.last_seen!))
    }
    assert.equal((await everyone()).status, 'offline')
    for (const pushes of told) assert.deepEqual(pushes.map(({ status }) => status), ['online', 'offline'])
  })
}

// a page asks right after it said who it is, and takes each list in place of what it had
test('a page that waits for nothing sees its contacts', trusted, async t => {
  const ben = await entered(t, 2)
  const anna = official(t)
  const page = new Map<unknown, string>()
  const full = new Promise<void>(resolve => {
    anna.emit('user_authenticated', 1)
    anna.on('presence_updated', ({ user_id, status }: Wire) => page.set(user_id, status))
    anna.emit('get_presence', [2, 3])
    let lists = 0
    anna.on('presence_info', (users: Wire[]) => {
      page.clear()
      users.forEach(({ user_id, status }) => page.set(user_id, status))
      if (++lists === 2) resolve()
    })
  })
  await full
  assert.deepEqual([page.get(2), page.get(3)], ['online', 'offline'])
  const away = pushed(anna, 2)
  ben.emit('update_status', 'away')
  await away
  assert.deepEqual([page.get(2), page.get(3)], ['away', 'offline'])
})

test('contacts on WhatsApp are told to whom the operator lets watch them, and to nobody else', trusted, async t => {
  const tracked = (await (await fetch(`${url}/api/presence`)).json()) as { jid: string; name: string }[]
  await put('/api/users/1/grants', { contacts: tracked.map(({ jid }) => jid) })
  const [anna, ben] = [client(t, 1), client(t, 2)]
  await Promise.all([connected(anna), connected(ben)])
  if (anna.contacts.size === 0) await heard(anna, news => news.kind === 'contacts')
  assert.deepEqual([...anna.contacts.keys()].sort(), tracked.map(({ jid }) => jid).sort())
  await heard(anna, news => news.kind === 'contacts') // somebody comes or goes
  assert.equal(ben.contacts.size, 0)
})

test('a refusal is an event with a code', trusted, async t => {
  const anna = official(t)
  anna.emit('get_presence', [2])
  const refused = await next<{ code: string }>(anna, 'error')
  assert.equal(refused.code, 'forbidden')
})

// --- this package

test('a user is online for as long as one device is', trusted, async t => {
  const anna = client(t, 1)
  await connected(anna)
  const phone = client(t, 2)
  await seen(anna, 2, user => user.status === 'online')
  const laptop = client(t, 2)
  await connected(laptop)
  phone.close()
  await laptop.setStatus('busy') // by then the gateway knows that the phone is gone
  await seen(anna, 2, user => user.status === 'busy')
  laptop.close()
  const { lastSeen } = await seen(anna, 2, user => user.status === 'offline')
  assert.ok(lastSeen instanceof Date)
})

test('a user sees their own status, and hides', trusted, async t => {
  const [anna, ben] = [client(t, 1), client(t, 2)]
  await Promise.all([connected(anna), connected(ben)])
  await anna.setStatus('invisible')
  await seen(anna, 1, user => user.status === 'offline')
  assert.equal((await ben.getPresence([1]))[0]?.status, 'offline')
  await anna.setStatus('online')
  await seen(ben, 1, user => user.status === 'online')
})

test('strangers look like nobody', trusted, async t => {
  const [anna, dora] = [client(t, 1), client(t, 4)]
  await connected(anna)
  const [stranger, nobody] = await dora.getPresence([1, NOBODY])
  const nothing = { status: 'offline', lastSeen: null, v: 0 }
  assert.deepEqual([stranger, nobody], [{ userId: 1, ...nothing }, { userId: NOBODY, ...nothing }])
})

test('what the gateway does not take rejects with its code', trusted, async t => {
  const anna = client(t, 1)
  await assert.rejects(anna.setStatus('asleep' as 'away'), { code: 'invalid_status' })
  await assert.rejects(anna.getPresence(['not a word']), { code: 'invalid_user' })
})

test('a token lets its user in', asksForTokens, async t => {
  const anna = client(t, 1, token(1))
  await connected(anna)
  assert.equal((await anna.getPresence([1]))[0]?.status, 'online')
})

test('a forged token, and none, let nobody in', asksForTokens, async t => {
  for (const bad of [token(1, 600, 'another secret, as long as it must be'), '', undefined]) {
    await assert.rejects(client(t, 1, bad).setStatus('away'), { code: 'unauthenticated' })
  }
})

test("another user's token is refused", asksForTokens, async t => {
  await assert.rejects(client(t, 2, token(1)).setStatus('away'), { code: 'forbidden' })
})

test('when a token expires the client comes back with a new one', asksForTokens, async t => {
  const LEEWAY = 30 // seconds that the gateway allows clocks to differ
  let made = 0
  const anna = client(t, 1, () => token(1, ++made === 1 ? 1 - LEEWAY : 600))
  await connected(anna)
  await heard(anna, news => news.kind === 'connection' && !news.connected)
  await connected(anna)
  assert.equal(made, 2)
})

// --- how it is asked

/** The official client as a user, when it is on its last transport. */
async function entered(t: TestContext, user: number, transports = ['polling', 'websocket']): Promise<Socket> {
  const socket = official(t, transports)
  if (!socket.connected) await next(socket, 'connect')
  const { engine } = socket.io
  if (engine.transport.name !== transports.at(-1)) await new Promise(done => engine.once('upgrade', done))
  await socket.emitWithAck('user_authenticated', user)
  return socket
}

/** What a change would change. */
const shown = ({ status, v }: Wire) => [status, v]

async function asked(socket: Socket, user: number): Promise<Wire> {
  const [found] = (await socket.emitWithAck('get_presence', [user])) as [Wire]
  return found
}

/** All that is pushed of a user from now on. */
function heardOf(socket: Socket, user: number): Wire[] {
  const told: Wire[] = []
  socket.on('presence_updated', (wire: Wire) => void (wire.user_id === user && told.push(wire)))
  return told
}

/** Say goodbye, and be gone. */
async function gone(socket: Socket): Promise<void> {
  const left = next(socket, 'disconnect')
  socket.disconnect()
  await left
}

function official(t: TestContext, transports = ['polling', 'websocket']): Socket {
  const socket = io(url, { forceNew: true, transports })
  t.after(() => void socket.close())
  return socket
}

function client(t: TestContext, userId: number, token?: Token): PresenceClient {
  const made = new PresenceClient({ url, userId, ...(token === undefined ? {} : { token }), socket: { forceNew: true } })
  t.after(() => made.close())
  return made
}

function next<T>(socket: Socket, event: string): Promise<T> {
  return new Promise(resolve => void socket.once(event, resolve))
}

async function pushed(socket: Socket, user: number): Promise<Wire> {
  for (;;) {
    const told = await next<Wire>(socket, 'presence_updated')
    if (told.user_id === user) return told
  }
}

async function connected(client: PresenceClient): Promise<void> {
  if (!client.connected) await heard(client, news => news.kind === 'connection' && news.connected)
}

async function seen(client: PresenceClient, user: number, accept: (user: Presence) => boolean): Promise<Presence> {
  const known = () => [client.get(user)].find(found => found && accept(found))
  if (!known()) await heard(client, () => known() !== undefined)
  return known()!
}

function heard(client: PresenceClient, accept: (news: News) => boolean): Promise<void> {
  return new Promise(resolve => {
    const stop = client.subscribe(news => {
      if (!accept(news)) return
      stop()
      resolve()
    })
  })
}

/** Good for so many seconds. */
function token(sub: number, seconds = 600, key = secret ?? ''): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const claims = { sub: String(sub), exp: Math.floor(Date.now() / 1000) + seconds }
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`
}

async function put(path: string, body: object): Promise<void> {
  const headers = { 'Content-Type': 'application/json' }
  const answer = await fetch(url + path, { method: 'PUT', headers, body: JSON.stringify(body) })
  assert.ok(answer.ok, `${path}: ${answer.status}`)
}
