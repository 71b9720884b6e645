// SPDX-License-Identifier: Apache-2.0
// All contacts and their presence, for tens of thousands of them and hundreds of changes a second. Rows are changed in
// place and have a version, so that a line of the list is drawn again only when it is another.

import { get } from '../api.ts'
import type { Presence, PresenceChange, Typing } from '../types.ts'
import { Store } from './store.ts'
import type { Stream } from './stream.ts'

export type Status = 'online' | 'offline' | 'unknown'

export interface Contact {
  readonly jid: string
  name: string
  /** The name as it is searched, and its place in the order of names; -1 until that is made. */
  lower: string
  rank: number
  status: Status
  /** When the status became what it is, and when the contact was last online: milliseconds, 0 for never. */
  since: number
  seen: number
  typing: string
  /** Changes since the page was opened. */
  changes: number
  version: number
}

export type Sort = 'activity' | 'name' | 'seen' | 'busy'

export interface View {
  text: string
  status: Status | ''
  members: ReadonlySet<string> | null
  sort: Sort
}

const RANK: Record<Status, number> = { online: 0, offline: 1, unknown: 2 }

export class Contacts extends Store {
  readonly byJid = new Map<string, Contact>()
  readonly counts: Record<Status, number> = { online: 0, offline: 0, unknown: 0 }
  state: 'loading' | 'ready' | 'failed' = 'loading'
  error: unknown = null
  #since: Array<() => void> | null = null
  #dirty = false
  #ranked = false

  constructor(private readonly read: () => Promise<Presence[]> = () => get<Presence[]>('/api/presence')) {
    super()
  }

  /** Follow a stream, from now on. */
  follow(stream: Stream): void {
    stream.on<PresenceChange>('presence.changed', change => this.#soon(() => this.#change(change)))
    stream.on<Typing>('typing.changed', change => this.#soon(() => this.#type(change)))
    stream.on<{ jid: string; name: string }>('contact.added', added => this.#soon(() => this.#add(added)))
    stream.on<{ jid: string }>('contact.removed', removed => this.#soon(() => this.#remove(removed.jid)))
    stream.onReset(() => void this.load())
    stream.afterwards(() => this.#tell())
  }

  /** Read everything anew. What happens meanwhile is done again afterwards. */
  async load(): Promise<void> {
    this.#since = []
    try {
      const found = await this.read()
      const gone = new Set(this.byJid.keys())
      for (const presence of found) {
        gone.delete(presence.jid)
        this.#put(presence).typing = '' // whoever was typing may have stopped meanwhile
      }
      for (const jid of gone) this.#remove(jid)
      this.state = 'ready'
    } catch (error) {
      this.error = error
      if (this.state === 'loading') this.state = 'failed'
    }
    const since = this.#since
    this.#since = null
    for (const again of since ?? []) again()
    this.changed()
  }

  /** The contacts that a view has, in its order. */
  in(view: View): Contact[] {
    const text = view.text.trim().toLowerCase()
    const digits = text.replace(/[\s+()-]/g, '')
    const found: Contact[] = []
    for (const contact of this.byJid.values()) {
      if (view.status && contact.status !== view.status) continue
      if (view.members && !view.members.has(contact.jid)) continue
      if (text && !contact.lower.includes(text) && !(digits && contact.jid.includes(digits))) continue
      found.push(contact)
    }
    if (view.sort === 'name') this.#rank()
    return found.sort(ORDERS[view.sort])
  }

  /** Put all names into their order, once for as long as they stay: comparing them takes long. */
  #rank(): void {
    if (this.#ranked) return
    this.#ranked = true
    ;[...this.byJid.values()].sort((a, b) => names.compare(a.name, b.name)).forEach((each, rank) => (each.rank = rank))
  }

  #rename(contact: Contact, name: string): void {
    if (contact.name === name) return
    contact.name = name
    contact.lower = name.toLowerCase()
    this.#ranked = false
  }

  #soon(work: () => void): void {
    this.#since?.push(work)
    work()
  }

  /** What is known of a contact now. Its object stays the same, for lines hold on to it. */
  #put(presence: Presence): Contact {
    const status = statusOf(presence)
    const contact = this.byJid.get(presence.jid) ?? this.#enter(presence.jid, status)
    this.counts[contact.status]--
    this.counts[status]++
    contact.status = status
    this.#rename(contact, presence.name)
    contact.since = millis(presence.last_status_change)
    contact.seen = millis(presence.last_seen)
    if (status !== 'online') contact.typing = ''
    contact.version++
    return contact
  }

  #enter(jid: string, status: Status): Contact {
    const contact = { jid, name: '', lower: '', rank: -1, status, since: 0, seen: 0, typing: '', changes: 0, version: 0 }
    this.byJid.set(jid, contact)
    this.counts[status]++
    this.#ranked = false
    return contact
  }

  #change(change: PresenceChange): void {
    this.#put(change).changes++
    this.#dirty = true
  }

  #type(change: Typing): void {
    const contact = this.byJid.get(change.jid)
    if (!contact) return
    contact.typing = change.typing === 'paused' ? '' : change.typing
    contact.version++
    this.#dirty = true
  }

  #add({ jid, name }: { jid: string; name: string }): void {
    const contact = this.byJid.get(jid)
    if (contact) {
      this.#rename(contact, name)
      contact.version++
    } else {
      this.#put({ jid, name, is_online: false, observed: false, last_seen: null, last_status_change: null })
    }
    this.#dirty = true
  }

  #remove(jid: string): void {
    const contact = this.byJid.get(jid)
    if (!contact) return
    this.counts[contact.status]--
    this.byJid.delete(jid)
    this.#dirty = true
  }

  #tell(): void {
    if (this.#dirty) {
      this.#dirty = false
      this.changed()
    }
  }
}

const names = new Intl.Collator(undefined, { numeric: true })

const ORDERS: Record<Sort, (a: Contact, b: Contact) => number> = {
  activity: (a, b) => b.since - a.since || RANK[a.status] - RANK[b.status] || (a.jid < b.jid ? -1 : 1),
  seen: (a, b) => b.seen - a.seen || (a.jid < b.jid ? -1 : 1),
  busy: (a, b) => b.changes - a.changes || b.since - a.since || (a.jid < b.jid ? -1 : 1),
  name: (a, b) => a.rank - b.rank,
}

export function statusOf(presence: Presence): Status {
  if (!presence.observed) return 'unknown'
  return presence.is_online ? 'online' : 'offline'
}

function millis(time: string | null): number {
  return time ? Date.parse(time) : 0
}

export const contacts = new Contacts()
