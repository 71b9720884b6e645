// SPDX-License-Identifier: Apache-2.0
// What the gateway says of users, and how it comes over the wire. Nothing here knows a socket.

/** As the host application writes it. `7` and `'7'` are the same user, as they are for the gateway. */
export type UserId = number | string

/** What others see of a user. */
export type Status = 'online' | 'away' | 'busy' | 'offline'

/** What a user can ask to be shown as. `'offline'` and `'invisible'` mean the same. */
export type Choice = Status | 'invisible'

/** A user as this client may see them. Frozen: a change is a new object. */
export interface Presence {
  readonly userId: UserId
  readonly status: Status
  /** When others could last see the user; null if never, or if that is hidden. */
  readonly lastSeen: Date | null
  /** Rises with every change of the user. 0: nothing is known, or nothing may be known. */
  readonly v: number
}

/** A user in `presence_updated` and `presence_info`. */
export interface Wire {
  user_id: UserId
  status: Status
  last_seen: string | null
  v: number
}

/** A contact on WhatsApp whom the user may watch. Frozen: a change is a new object. */
export interface ContactPresence {
  readonly jid: string
  /** Empty for somebody who is not tracked. */
  readonly name: string
  /** `'unknown'`: the gateway does not hear of the contact now. Show neither online nor offline. */
  readonly status: 'online' | 'offline' | 'unknown'
  /** Null if never, or if the contact hides it. */
  readonly lastSeen: Date | null
  /** Rises with every change of the status. */
  readonly v: number
}

/** A contact in `contact_presence_updated` and `contact_presence_info`. */
export interface ContactWire {
  jid: string
  name: string
  status: ContactPresence['status']
  last_seen: string | null
  v: number
}

/** Something was refused or did not work. */
export class PresenceError extends Error {
  /**
   * @param code for programs: the gateway's (`forbidden`, `unauthenticated`, …), or `timeout`, `unreachable`,
   *   `token` and `closed` of this client
   * @param event that was refused, if it was one
   */
  constructor(
    readonly code: string,
    message: string,
    readonly event: string | null = null,
  ) {
    super(message)
    this.name = 'PresenceError'
  }
}

/** A user's id in its one form: digits are a number, as long as a number can hold them. */
export function keyOf(user: UserId): UserId {
  const number = Number(user)
  return /^[0-9]+$/.test(String(user)) && Number.isSafeInteger(number) ? number : user
}

export function fromWire({ user_id, status, last_seen, v }: Wire): Presence {
  const lastSeen = last_seen === null ? null : new Date(last_seen)
  return Object.freeze({ userId: keyOf(user_id), status, lastSeen, v })
}

export function contactFromWire({ jid, name, status, last_seen, v }: ContactWire): ContactPresence {
  return Object.freeze({ jid, name, status, lastSeen: last_seen === null ? null : new Date(last_seen), v })
}

/**
 * Whether what came takes the place of what is known.
 *
 * A push is a change, so its `v` must be higher. An answer may also say the same `v` with a newer last seen, and 0:
 * the user does not let us look any more.
 */
export function replaces(known: Presence | undefined, came: Presence, how: 'push' | 'answer'): boolean {
  if (known === undefined) return true
  if (how === 'push') return came.v > known.v
  return (came.v >= known.v || came.v === 0) && !same(known, came)
}

function same(one: Presence, other: Presence): boolean {
  const seen = one.lastSeen?.getTime() === other.lastSeen?.getTime()
  return seen && one.status === other.status && one.v === other.v
}
