// SPDX-License-Identifier: Apache-2.0
// What REST says, shown while it is read anew: at a reset of the stream, and soon after events that may change it.

import { useEffect, useMemo } from 'react'
import { get } from '../api.ts'
import { Store, useStore } from './store.ts'
import { stream, type Kind } from './stream.ts'

const SOON = 700 // milliseconds in which many events lead to one question
const KEPT = 60 // answers that are kept for who comes back

export class Resource<T> extends Store {
  value: T | undefined
  error: unknown = null
  loading = false
  #timer: ReturnType<typeof setTimeout> | null = null
  #asked = 0

  constructor(
    readonly path: string,
    private readonly read: (path: string) => Promise<T> = get<T>,
  ) {
    super()
  }

  /** Ask. Of answers that overtake each other, that to the latest question counts. */
  async load(): Promise<void> {
    const mine = ++this.#asked
    this.loading = true
    try {
      const value = await this.read(this.path)
      if (mine !== this.#asked) return
      this.value = value
      this.error = null
    } catch (error) {
      if (mine !== this.#asked) return
      this.error = error
    }
    this.loading = false
    this.changed()
  }

  /** Ask in a moment, once for however many reasons. */
  soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      void this.load()
    }, SOON)
  }

  /** Put something in the place of what is shown, until it is read again. */
  set(value: T): void {
    this.value = value
    this.changed()
  }
}

const known = new Map<string, Resource<never>>()

function resource<T>(path: string): Resource<T> {
  const found = (known.get(path) as Resource<T> | undefined) ?? new Resource<T>(path)
  known.delete(path)
  known.set(path, found as Resource<never>)
  for (const old of known.keys()) {
    if (known.size <= KEPT) break
    known.delete(old)
  }
  return found
}

const nothing = new Resource<never>('')

/** What a path of the API says. Null asks nothing. */
export function useResource<T>(path: string | null, kinds: readonly Kind[] = []): Resource<T> {
  const found = useMemo(() => (path === null ? (nothing as Resource<T>) : resource<T>(path)), [path])
  const wanted = kinds.join()
  useEffect(() => {
    if (path === null) return
    void found.load()
    const stops = wanted ? wanted.split(',').map(kind => stream.on(kind as Kind, () => found.soon())) : []
    stops.push(stream.onReset(() => found.soon()))
    return () => stops.forEach(stop => stop())
  }, [found, path, wanted])
  useStore(found, f => f.version)
  return found
}
