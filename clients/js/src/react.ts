// SPDX-License-Identifier: Apache-2.0
// Presence in React: a component is drawn again when one of its users changes, and for nobody else.

import { useMemo, useSyncExternalStore } from 'react'
import type { PresenceClient } from './client.js'
import type { ContactPresence, Presence, UserId } from './presence.js'

/** What is known of these users, by their ids as given. They are asked for while the component is there. */
export function usePresence(client: PresenceClient, ids: readonly UserId[]): ReadonlyMap<UserId, Presence> {
  const key = JSON.stringify(ids)
  const store = useMemo(() => selection(client, JSON.parse(key) as UserId[]), [client, key])
  return useSyncExternalStore(store.subscribe, store.snapshot, store.snapshot)
}

/** The contacts on WhatsApp whom the user may watch, by jid. */
export function useContacts(client: PresenceClient): ReadonlyMap<string, ContactPresence> {
  const store = useMemo(
    () => ({
      subscribe: (changed: () => void) => client.subscribe(news => news.kind === 'contacts' && changed()),
      snapshot: () => client.contacts,
    }),
    [client],
  )
  return useSyncExternalStore(store.subscribe, store.snapshot, store.snapshot)
}

function selection(client: PresenceClient, ids: readonly UserId[]) {
  let known: ReadonlyMap<UserId, Presence> = new Map()

  /** The same map for as long as none of its users changes: React compares. */
  const snapshot = () => {
    if (ids.some(id => client.get(id) !== known.get(id))) {
      const all = ids.map(id => [id, client.get(id)] as const)
      known = new Map(all.filter((entry): entry is [UserId, Presence] => entry[1] !== undefined))
    }
    return known
  }

  const subscribe = (changed: () => void) => {
    const stops = [client.watch(ids), client.subscribe(news => news.kind === 'presence' && changed())]
    return () => stops.forEach(stop => stop())
  }

  return { snapshot, subscribe }
}
