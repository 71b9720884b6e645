// SPDX-License-Identifier: Apache-2.0
// The connection of one user: it enters, enters again after every cut, and keeps what it hears of others.
// How anything looks on a page is not decided here.

import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client'
import { contactFromWire, fromWire, keyOf, PresenceError, replaces } from './presence.js'
import type { Choice, ContactPresence, ContactWire, Presence, UserId, Wire } from './presence.js'

/** What a listener hears. Errors come here even if a promise was rejected with them. */
export type News =
  | { readonly kind: 'presence'; readonly users: readonly Presence[] }
  | { readonly kind: 'contacts'; readonly contacts: ReadonlyMap<string, ContactPresence> }
  | { readonly kind: 'connection'; readonly connected: boolean }
  | { readonly kind: 'error'; readonly error: PresenceError }

export type Token = string | (() => string | Promise<string>)

export interface Options {
  /** Where the gateway is, like `https://presence.example.org`. */
  url: string
  userId: UserId
  /** What the host application gave the user. A function is asked at every connection, and when a token expires. */
  token?: Token
  /** Milliseconds that an answer may take; 5000 if left out. */
  timeout?: number
  /** Passed on to socket.io-client, for example `transports` or `path`. */
  socket?: Partial<ManagerOptions & SocketOptions>
}

const MOST_ASKED = 500 // users in one `get_presence`
const FIRST_PAUSE = 1_000 // milliseconds until a closed connection is tried again; it doubles up to the longest
const LONGEST_PAUSE = 30_000
const FINAL = new Set(['forbidden', 'invalid_user']) // entering again would not help

type Answer<T> = T | { error: { code: string; message: string } }

/** One user's connection. It begins at once and stays until `close`. */
export class PresenceClient {
  readonly userId: UserId
  readonly #socket: Socket
  readonly #token: Token | undefined
  readonly #timeout: number
  readonly #users = new Map<UserId, Presence>()
  #contacts: ReadonlyMap<string, ContactPresence> = new Map()
  readonly #listeners = new Set<(news: News) => void>()
  readonly #watched = new Map<UserId, number>()
  readonly #unasked = new Set<UserId>()
  #entry = new Gate()
  #connected = false
  #failures = 0
  #again: ReturnType<typeof setTimeout> | undefined

  constructor({ url, userId, token, timeout = 5_000, socket = {} }: Options) {
    this.userId = keyOf(userId)
    this.#token = token
    this.#timeout = timeout
    this.#watched.set(this.userId, 1)
    this.#socket = io(url, { ...socket, auth: give => void this.#authenticate(give) })
    this.#socket.on('connect', () => void this.#enter())
    this.#socket.on('disconnect', reason => this.#left(reason))
    this.#socket.on('connect_error', error => this.#refused(error))
    this.#socket.on('presence_updated', (user: Wire) => this.#take([user], 'push'))
    this.#socket.on('presence_info', (users: Wire[]) => this.#take(users, 'answer'))
    this.#socket.on('contact_presence_updated', (contact: ContactWire) => this.#takeContact(contact))
    this.#socket.on('contact_presence_info', (contacts: ContactWire[]) => this.#takeContacts(contacts))
    this.#socket.on('error', ({ event, code, message }) => this.#fail(new PresenceError(code, message, event)))
  }

  /** Whether the user is in. While it is false, what is known may be old: show it as such. */
  get connected(): boolean {
    return this.#connected
  }

  /** All that is known now. */
  get users(): ReadonlyMap<UserId, Presence> {
    return this.#users
  }

  /** The contacts on WhatsApp whom the user may watch, by jid. A new map at every change. */
  get contacts(): ReadonlyMap<string, ContactPresence> {
    return this.#contacts
  }

  /** What is known of a user now, without asking. */
  get(user: UserId): Presence | undefined {
    return this.#users.get(keyOf(user))
  }

  /** Hear of every change. Returns how to stop. */
  subscribe(listener: (news: News) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /**
   * Ask for these users now, and after every cut again. Contacts are told of anyway; for others this is a look at the
   * moment of asking. Many calls in one turn become one question. Returns how to stop.
   */
  watch(users: readonly UserId[]): () => void {
    const keys = users.map(keyOf)
    for (const key of keys) this.#watched.set(key, (this.#watched.get(key) ?? 0) + 1)
    this.#askSoon(keys)
    return () => keys.splice(0).forEach(key => this.#unwatch(key))
  }

  /** Ask for these users. Answers in their order. Rejects with PresenceError. */
  async getPresence(users: readonly UserId[]): Promise<Presence[]> {
    const answers: Presence[] = []
    for (let at = 0; at < users.length; at += MOST_ASKED) {
      const found = await this.#ask<Wire[]>('get_presence', users.slice(at, at + MOST_ASKED).map(keyOf))
      answers.push(...found.map(fromWire))
    }
    return answers
  }

  /** Be shown as this, on all devices of the user. Rejects with PresenceError. */
  async setStatus(status: Choice): Promise<void> {
    await this.#ask('update_status', status)
  }

  /** Say goodbye: if this was the last device, others see the user offline at once. */
  close(): void {
    clearTimeout(this.#again)
    this.#socket.disconnect()
    this.#entry.shut(new PresenceError('closed', 'This client was closed.'))
  }

  // --- coming and going

  async #authenticate(give: (auth: object) => void): Promise<void> {
    try {
      const token = typeof this.#token === 'function' ? await this.#token() : this.#token
      give(token === undefined ? {} : { token })
    } catch (error) {
      this.#fail(new PresenceError('token', `There is no token: ${String(error)}`))
      give({}) // the gateway refuses, and then it is asked for again
    }
  }

  async #enter(): Promise<void> {
    const connection = this.#socket.id
    try {
      await this.#emit('user_authenticated', this.userId)
      this.#failures = 0
      this.#setConnected(true)
      this.#entry.open()
      this.#askSoon([...this.#watched.keys()])
    } catch (error) {
      if (this.#socket.id !== connection) return // it was cut meanwhile, and is made again by itself
      this.#socket.disconnect()
      if (error instanceof PresenceError && FINAL.has(error.code)) this.#entry.shut(error)
      else this.#comeBack()
    }
  }

  #left(reason: string): void {
    this.#entry.close()
    this.#setConnected(false)
    if (reason === 'io server disconnect') this.#comeBack() // the token expired, and socket.io-client stays away then
  }

  #refused(error: Error & { data?: { code?: string } }): void {
    const { code } = error.data ?? {}
    const problem = code
      ? new PresenceError(code, error.message)
      : new PresenceError('unreachable', `The gateway cannot be reached: ${error.message}.`)
    this.#fail(problem)
    if (this.#socket.active) return // socket.io-client tries again by itself
    if (problem.code === 'unauthenticated' && typeof this.#token !== 'function') this.#entry.shut(problem)
    else this.#comeBack()
  }

  #comeBack(): void {
    const pause = Math.min(FIRST_PAUSE * 2 ** this.#failures++, LONGEST_PAUSE)
    clearTimeout(this.#again)
    this.#again = setTimeout(() => this.#socket.connect(), pause)
  }

  // --- asking

  async #ask<T>(event: string, argument: unknown): Promise<T> {
    try {
      await within(this.#timeout, this.#entry.opened, event)
    } catch (error) {
      this.#fail(error as PresenceError)
      throw error
    }
    return this.#emit<T>(event, argument)
  }

  async #emit<T>(event: string, argument: unknown): Promise<T> {
    let answer: Answer<T>
    try {
      if (!this.#socket.connected) throw new Error('cut') // or it would be sent later, before the user is in again
      answer = (await this.#socket.timeout(this.#timeout).emitWithAck(event, argument)) as Answer<T>
    } catch {
      const error = new PresenceError('timeout', `The gateway did not answer ${event}.`, event)
      this.#fail(error)
      throw error
    }
    if (answer && typeof answer === 'object' && 'error' in answer) {
      throw new PresenceError(answer.error.code, answer.error.message, event) // listeners heard the `error` event
    }
    return answer
  }

  #askSoon(keys: readonly UserId[]): void {
    const first = this.#unasked.size === 0
    for (const key of keys) this.#unasked.add(key)
    if (first) queueMicrotask(() => this.#askAll())
  }

  #askAll(): void {
    const asked = [...this.#unasked]
    this.#unasked.clear()
    if (this.#connected) this.getPresence(asked).catch(() => undefined) // listeners heard; else the entry asks for all
  }

  #unwatch(key: UserId): void {
    const left = (this.#watched.get(key) ?? 0) - 1
    if (left > 0) this.#watched.set(key, left)
    else this.#watched.delete(key)
  }

  // --- hearing

  #take(came: readonly Wire[], how: 'push' | 'answer'): void {
    const changed = came.map(fromWire).filter(user => replaces(this.#users.get(user.userId), user, how))
    for (const user of changed) this.#users.set(user.userId, user)
    if (changed.length) this.#tell({ kind: 'presence', users: changed })
  }

  #takeContact(came: ContactWire): void {
    const known = this.#contacts.get(came.jid)
    if (known && came.v < known.v) return
    this.#setContacts(new Map(this.#contacts).set(came.jid, contactFromWire(came)))
  }

  /** Always all of them: who is not among them may not be watched any more. */
  #takeContacts(came: readonly ContactWire[]): void {
    this.#setContacts(new Map(came.map(contact => [contact.jid, contactFromWire(contact)])))
  }

  #setContacts(contacts: ReadonlyMap<string, ContactPresence>): void {
    this.#contacts = contacts
    this.#tell({ kind: 'contacts', contacts })
  }

  #setConnected(connected: boolean): void {
    if (this.#connected === connected) return
    this.#connected = connected
    this.#tell({ kind: 'connection', connected })
  }

  #fail(error: PresenceError): void {
    this.#tell({ kind: 'error', error })
  }

  #tell(news: News): void {
    for (const listener of [...this.#listeners]) listener(news)
  }
}

/** Questions wait here until the user is in. `close` makes later ones wait again, `shut` turns all away for good. */
class Gate {
  opened!: Promise<void>
  open!: () => void
  shut!: (error: PresenceError) => void
  #waiting = false

  constructor() {
    this.close()
  }

  close(): void {
    if (this.#waiting) return
    this.#waiting = true
    this.opened = new Promise((resolve, reject) => {
      this.open = () => {
        this.#waiting = false
        resolve()
      }
      this.shut = reject
    })
    this.opened.catch(() => undefined) // nobody may be waiting
  }
}

async function within<T>(milliseconds: number, work: Promise<T>, event: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    const error = new PresenceError('timeout', 'There is no connection to the gateway.', event)
    timer = setTimeout(() => reject(error), milliseconds)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
