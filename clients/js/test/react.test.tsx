// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Window } from 'happy-dom'
import type { PresenceClient } from '../src/index.js'
import { useContacts, usePresence } from '../src/react.js'
import { gateway, heard, wire } from './gateway.js'

const window = new Window()
Object.assign(globalThis, { window, document: window.document, IS_REACT_ACT_ENVIRONMENT: true })
Object.defineProperty(globalThis, 'navigator', { value: window.navigator, configurable: true })
const { act } = await import('react')
const { createRoot } = await import('react-dom/client')

test('a component shows its users, and is drawn again for them alone', async () => {
  await using server = await gateway()
  const client = server.client()
  await heard(client, 'presence')
  let drawn = 0
  function List({ client, ids }: { client: PresenceClient; ids: number[] }) {
    drawn++
    const users = usePresence(client, ids)
    return <p>{ids.map(id => users.get(id)?.status ?? '?').join(' ')}</p>
  }
  const page = document.createElement('div')
  const root = createRoot(page)
  const told = async (...users: ReturnType<typeof wire>[]) => {
    const last = users.at(-1)
    const came = heard(client, 'presence', news => news.users.some(user => user.userId === last?.user_id))
    await act(async () => {
      for (const user of users) server.io.emit('presence_updated', user)
      await came
    })
  }

  const answered = heard(client, 'presence', news => news.users.length === 2)
  await act(() => root.render(<List client={client} ids={[2, 3]} />))
  assert.equal(page.textContent, '? ?')
  await act(async () => void (await answered))
  assert.deepEqual(server.asked.at(-1), ['get_presence', [2, 3]])
  assert.equal(page.textContent, 'offline offline')

  await told(wire(2, 'online', 2))
  assert.equal(page.textContent, 'online offline')

  const before = drawn
  await told(wire(9, 'online', 2))
  await act(() => root.render(<List client={client} ids={[2, 3]} />))
  assert.equal(drawn, before + 1)

  await act(() => root.unmount())
  await told(wire(2, 'away', 3))
  assert.equal(drawn, before + 1)
})

test('a component shows the contacts on WhatsApp, and unknown is no status of its own making', async () => {
  await using server = await gateway()
  const client = server.client()
  await heard(client, 'presence')
  function Contacts() {
    return <p>{[...useContacts(client).values()].map(({ name, status }) => `${name} ${status}`).join(', ')}</p>
  }
  const page = document.createElement('div')
  const root = createRoot(page)
  await act(() => root.render(<Contacts />))
  for (const status of ['unknown', 'online']) {
    const came = heard(client, 'contacts')
    await act(async () => {
      server.io.emit('contact_presence_info', [{ jid: 'ann', name: 'Ann', status, last_seen: null, v: 1 }])
      await came
    })
    assert.equal(page.textContent, `Ann ${status}`)
  }
  await act(() => root.unmount())
})
