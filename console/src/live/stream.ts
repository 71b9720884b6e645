// SPDX-License-Identifier: Apache-2.0
// The live stream (docs/EVENTS.md). Events wait for the next frame and are then given out together, so however many
// come, the page is drawn once.

import { Store } from './store.ts'

/** What the console hears of docs/EVENTS.md; a browser wants to be told each name. */
export const KINDS = [
  'presence.changed',
  'typing.changed',
  'contact.added',
  'contact.removed',
  'subscription.changed',
  'account.changed',
  'job.changed',
  'message.received',
  'group.changed',
  'envelope.refused',
  'delivery.tried',
  'webhook.changed',
  'webhook.dropped',
  'part.failed',
  'part.recovered',
  'system.figures',
] as const
export type Kind = (typeof KINDS)[number]

/** Whether what is shown is what is: connecting at first, live, or behind since the stream broke. */
export type Condition = 'connecting' | 'live' | 'behind'

type Hear = (data: never) => void

interface Source {
  addEventListener(kind: string, hear: (event: MessageEvent<string>) => void): void
  onerror: ((event: Event) => unknown) | null
  readonly readyState: number
  close(): void
}

const CLOSED = 2
const AGAIN = 3_000 // milliseconds until we come back where the browser has given up
const WAIT_HIDDEN = 250 // milliseconds: a page that nobody sees has no frames

/** Calls back once, soon: with the next frame, or a moment later where there is none. */
export function nextFrame(work: () => void): void {
  let done = false
  const once = (): void => {
    if (done) return
    done = true
    work()
  }
  requestAnimationFrame(once)
  setTimeout(once, WAIT_HIDDEN)
}

export class Stream extends Store {
  condition: Condition = 'connecting'
  readonly #hearers = new Map<Kind, Set<Hear>>()
  readonly #resets = new Set<() => void>()
  readonly #afterwards = new Set<() => void>()
  /** Called when the gateway does not take us back: it may want to know who we are. */
  refused: () => void = () => undefined
  #waiting: [Kind, string][] = []
  #source: Source | null = null

  constructor(
    private readonly open: (url: string) => Source = url => new EventSource(url),
    private readonly schedule: (work: () => void) => void = nextFrame,
  ) {
    super()
  }

  /** Hear of a kind of event. Returns how to stop. */
  on<T>(kind: Kind, hear: (data: T) => void): () => void {
    const hearers = this.#hearers.get(kind) ?? new Set()
    this.#hearers.set(kind, hearers.add(hear as Hear))
    return () => void hearers.delete(hear as Hear)
  }

  /** Be told to read anew: at the first start, and when something was missed. */
  onReset(read: () => void): () => void {
    this.#resets.add(read)
    return () => void this.#resets.delete(read)
  }

  /** Be called once after each bundle of events. */
  afterwards(work: () => void): () => void {
    this.#afterwards.add(work)
    return () => void this.#afterwards.delete(work)
  }

  start(): void {
    if (this.#source) return
    const source = this.open('/api/events')
    this.#source = source
    for (const kind of KINDS) source.addEventListener(kind, event => this.#take(kind, event.data))
    source.addEventListener('hello', event => this.#begin((JSON.parse(event.data) as { resumed: boolean }).resumed))
    source.addEventListener('reset', () => this.#begin(false))
    source.onerror = () => {
      this.#become('behind')
      if (source.readyState === CLOSED && this.#source === source) {
        this.stop()
        this.refused()
        setTimeout(() => this.start(), AGAIN)
      }
    }
  }

  stop(): void {
    this.#source?.close()
    this.#source = null
  }

  #begin(resumed: boolean): void {
    this.#become('live')
    if (!resumed) for (const read of this.#resets) read()
  }

  #take(kind: Kind, data: string): void {
    if (this.#waiting.push([kind, data]) === 1) this.schedule(() => this.#giveOut())
  }

  #giveOut(): void {
    const events = this.#waiting
    this.#waiting = []
    for (const [kind, text] of events) {
      const hearers = this.#hearers.get(kind)
      if (!hearers?.size) continue
      const data = JSON.parse(text) as never
      for (const hear of hearers) hear(data)
    }
    for (const work of this.#afterwards) work()
  }

  #become(condition: Condition): void {
    if (this.condition === condition) return
    this.condition = condition
    this.changed()
  }
}

export const stream = new Stream()
