// SPDX-License-Identifier: Apache-2.0
// The store of contacts: counts that always add up, order, search, and a snapshot that misses nothing that happens meanwhile.

import { beforeEach, describe, expect, it, vi } from 'vitest'
import { Contacts, type View } from '../src/live/contacts.ts'
import type { Presence } from '../src/types.ts'
import { ANNA, BERT, change, fakeStream, presence } from './fakes.ts'

const ALL: View = { text: '', status: '', members: null, sort: 'name' }
const names = (store: Contacts, view: Partial<View> = {}): string[] => store.in({ ...ALL, ...view }).map(each => each.name)

let given: (found: Presence[]) => void
let fake: ReturnType<typeof fakeStream>
let store: Contacts

beforeEach(() => {
  fake = fakeStream()
  store = new Contacts(() => new Promise(done => (given = done)))
  store.follow(fake.stream)
  fake.source.say('hello', { resumed: false })
})

async function loaded(...found: Presence[]): Promise<void> {
  given(found)
  await vi.waitFor(() => expect(store.state).toBe('ready'))
}

describe('contacts', () => {
  it('counts who is online, offline and not observed, whatever happens', async () => {
    await loaded(presence(ANNA, 'Anna'), presence(BERT, 'Bert', 'unknown'))
    expect(store.counts).toEqual({ online: 0, offline: 1, unknown: 1 })
    fake.source.say('presence.changed', change(ANNA, 'online'))
    fake.source.say('presence.changed', change(ANNA, 'online'))
    fake.source.say('presence.changed', change('1@s.whatsapp.net', 'offline'))
    fake.source.say('contact.removed', { jid: BERT })
    fake.source.say('contact.removed', { jid: BERT })
    fake.source.say('contact.added', { jid: '2@s.whatsapp.net', name: 'Zoe' })
    fake.frame()
    expect(store.counts).toEqual({ online: 1, offline: 1, unknown: 1 })
    expect(store.byJid.size).toBe(3)
  })

  it('does what happened while the snapshot was read again afterwards', async () => {
    fake.source.say('presence.changed', change(ANNA, 'online'))
    fake.source.say('contact.removed', { jid: BERT })
    fake.frame()
    await loaded(presence(ANNA, 'Anna'), presence(BERT, 'Bert'))
    expect(names(store)).toEqual(['Anna'])
    expect(store.byJid.get(ANNA)?.status).toBe('online')
  })

  it('keeps the object of a contact when everything is read anew, for lines hold on to it', async () => {
    await loaded(presence(ANNA, 'Anna', 'online'), presence(BERT, 'Bert', 'online'))
    const anna = store.byJid.get(ANNA)
    const before = anna?.version
    void store.load()
    given([presence(ANNA, 'Anna', 'unknown')])
    await vi.waitFor(() => expect(store.counts).toEqual({ online: 0, offline: 0, unknown: 1 }))
    expect(store.byJid.get(ANNA)).toBe(anna)
    expect([anna?.status, anna?.changes]).toEqual(['unknown', 0])
    expect(anna?.version).not.toBe(before)
    expect(names(store)).toEqual(['Anna'])
  })

  it('is told of once a frame, and a line is another only when it is', async () => {
    await loaded(presence(ANNA, 'Anna'), presence(BERT, 'Bert'))
    const tell = vi.fn()
    store.watch(tell)
    for (let times = 0; times < 100; times++) fake.source.say('presence.changed', change(ANNA, 'online'))
    fake.frame()
    expect(tell).toHaveBeenCalledTimes(1)
    expect([store.byJid.get(ANNA)?.version, store.byJid.get(BERT)?.version]).toEqual([101, 1])
  })

  it('never shows typing of one who is gone', async () => {
    await loaded(presence(ANNA, 'Anna', 'online'))
    fake.source.say('typing.changed', { jid: ANNA, typing: 'composing' })
    fake.frame()
    expect(store.byJid.get(ANNA)?.typing).toBe('composing')
    fake.source.say('presence.changed', change(ANNA, 'unknown'))
    fake.frame()
    expect(store.byJid.get(ANNA)?.typing).toBe('')
  })

  it.each([
    [{ text: 'aN' }, ['Anna']],
    [{ text: '+91 91234' }, ['Bert']],
    [{ status: 'online' }, ['Bert']],
    [{ members: new Set([ANNA]) }, ['Anna']],
    [{ sort: 'activity' }, ['Bert', 'Anna']],
    [{ text: 'nobody' }, []],
  ] as [Partial<View>, string[]][])('shows for %o: %o', async (view, expected) => {
    await loaded(presence(ANNA, 'Anna'), presence(BERT, 'Bert'))
    fake.source.say('presence.changed', change(BERT, 'online', '2026-01-31T10:00:00Z', 'Bert'))
    fake.frame()
    expect(names(store, view)).toEqual(expected)
  })

  it('says that it could not be read, and keeps what it knows the second time', async () => {
    const read = vi.fn<() => Promise<Presence[]>>().mockRejectedValueOnce(new Error('away'))
    const other = new Contacts(read)
    await other.load()
    expect(other.state).toBe('failed')
    read.mockResolvedValueOnce([presence(ANNA, 'Anna')])
    await other.load()
    read.mockRejectedValueOnce(new Error('away'))
    await other.load()
    expect([other.state, other.byJid.size]).toEqual(['ready', 1])
  })
})
