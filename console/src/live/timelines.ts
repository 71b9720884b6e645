// SPDX-License-Identifier: Apache-2.0
// The last 24 hours of the contacts that are looked at: read in bundles, and kept up by the stream.

import { get } from '../api.ts'
import type { PresenceChange, Span, Timelines as Answer } from '../types.ts'
import { Store } from './store.ts'
import type { Stream } from './stream.ts'

export const DAY = 86_400 // seconds
const BUNDLE = 50 // contacts asked for at once
const KEPT = 400 // timelines
const PAUSE = 5_000 // milliseconds after a failure
const GATHER = 60 // milliseconds in which a list that scrolls may still change its mind

export interface Line {
  online: Span[]
  observed: Span[]
  version: number
}

type Read = (jids: string[]) => Promise<Answer>

const ask: Read = jids => get<Answer>(`/api/presence/timelines?${jids.map(jid => `jid=${encodeURIComponent(jid)}`).join('&')}`)

export class Timelines extends Store {
  readonly #lines = new Map<string, Line>()
  readonly #wanted = new Set<string>()
  readonly #asked = new Map<string, PresenceChange[]>()
  #timer: ReturnType<typeof setTimeout> | null = null

  constructor(private readonly read: Read = ask) {
    super()
  }

  follow(stream: Stream): void {
    stream.on<PresenceChange>('presence.changed', change => {
      this.#asked.get(change.jid)?.push(change)
      const line = this.#lines.get(change.jid)
      if (line) apply(line, change)
    })
    stream.onReset(() => {
      for (const jid of this.#lines.keys()) this.#wanted.add(jid)
      this.#lines.clear()
      this.#later()
    })
  }

  has(jid: string): boolean {
    return this.#lines.has(jid)
  }

  /** The line of a contact, if it is here. If not, it will be. */
  of(jid: string): Line | undefined {
    const line = this.#lines.get(jid)
    if (!line && !this.#asked.has(jid)) {
      this.#wanted.add(jid)
      this.#later()
    }
    return line
  }

  /** Nobody looks at this contact any more; if it was not read yet, it need not be. */
  leave(jid: string): void {
    this.#wanted.delete(jid)
  }

  #later(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      void this.#fetch()
    }, GATHER)
  }

  async #fetch(): Promise<void> {
    const jids = [...this.#wanted].slice(0, BUNDLE)
    if (!jids.length) return
    for (const jid of jids) {
      this.#wanted.delete(jid)
      this.#asked.set(jid, [])
    }
    try {
      for (const { jid, online, observed } of (await this.read(jids)).timelines) {
        const line: Line = { online, observed, version: 0 }
        for (const change of this.#asked.get(jid) ?? []) apply(line, change)
        this.#lines.delete(jid)
        this.#lines.set(jid, line)
      }
      for (const jid of this.#lines.keys()) {
        if (this.#lines.size <= KEPT) break
        this.#lines.delete(jid)
      }
    } catch {
      await new Promise(done => setTimeout(done, PAUSE)) // they are asked for again by whoever still looks at them
    } finally {
      for (const jid of jids) this.#asked.delete(jid)
    }
    this.changed()
    if (this.#wanted.size) this.#later()
  }
}

/** Let a change open and close spans. Doing it twice is doing it once. */
export function apply(line: Line, change: PresenceChange): void {
  const at = Date.parse(change.last_status_change ?? '') / 1000
  turn(line.online, change.observed && change.is_online, at)
  turn(line.observed, change.observed, at)
  for (const spans of [line.online, line.observed]) leaveOut(spans, at - DAY)
  line.version++
}

/** What nobody can see any more goes, or a page that stays open for weeks would grow. */
function leaveOut(spans: Span[], before: number): void {
  const kept = spans.findIndex(([, end]) => !(end !== null && end < before))
  spans.splice(0, kept < 0 ? spans.length : kept)
}

function turn(spans: Span[], holds: boolean, at: number): void {
  const last = spans.at(-1)
  const open = last !== undefined && last[1] === null
  if (holds && !open && !(last && last[0] >= at)) spans.push([at, null])
  if (!holds && open) last[1] = Math.max(last[0], at)
}

export const timelines = new Timelines()
