// SPDX-License-Identifier: Apache-2.0
// A stream that says what a test wants, and presences to say.

import { Stream, type Kind } from '../src/live/stream.ts'
import type { Presence, PresenceChange } from '../src/types.ts'

/** An event source in this process; `say` is what the gateway would. */
export class FakeSource {
  onerror: ((event: Event) => unknown) | null = null
  readyState = 1
  closed = false
  readonly #hearers = new Map<string, (event: MessageEvent<string>) => void>()

  addEventListener(kind: string, hear: (event: MessageEvent<string>) => void): void {
    this.#hearers.set(kind, hear)
  }

  close(): void {
    this.closed = true
  }

  say(kind: Kind | 'hello' | 'reset', data: unknown): void {
    this.#hearers.get(kind)?.({ data: JSON.stringify(data) } as MessageEvent<string>)
  }
}

/** A stream over a fake source; nothing is given out before `frame`. */
export function fakeStream(): { stream: Stream; source: FakeSource; frame: () => void; frames: () => number } {
  const source = new FakeSource()
  let waiting: (() => void)[] = []
  let frames = 0
  const stream = new Stream(
    () => source,
    work => waiting.push(work),
  )
  stream.start()
  const frame = (): void => {
    const now = waiting
    waiting = []
    for (const work of now) {
      frames++
      work()
    }
  }
  return { stream, source, frame, frames: () => frames }
}

export const ANNA = '919876543210@s.whatsapp.net'
export const BERT = '919123456789@s.whatsapp.net'

export function presence(jid: string, name: string, status: 'online' | 'offline' | 'unknown' = 'offline'): Presence {
  return {
    jid,
    name,
    is_online: status === 'online',
    observed: status !== 'unknown',
    last_seen: null,
    last_status_change: '2026-01-31T08:00:00Z',
  }
}

export function change(
  jid: string,
  status: 'online' | 'offline' | 'unknown',
  at = '2026-01-31T09:00:00Z',
  name = 'Anna',
): PresenceChange {
  return { ...presence(jid, name, status), last_status_change: at, account: 'default', before: 'offline' }
}
