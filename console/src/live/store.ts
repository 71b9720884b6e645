// SPDX-License-Identifier: Apache-2.0
// What changes outside React and tells whoever shows it.

import { useSyncExternalStore } from 'react'

export class Store {
  version = 0
  readonly #watchers = new Set<() => void>()

  /** Bound, so that React can hold on to it. */
  readonly watch = (tell: () => void): (() => void) => {
    this.#watchers.add(tell)
    return () => void this.#watchers.delete(tell)
  }

  changed(): void {
    this.version++
    for (const tell of this.#watchers) tell()
  }
}

/** Draw again when this part of a store is another. `pick` must give the same value for the same state. */
export function useStore<S extends Store, T>(store: S, pick: (store: S) => T): T {
  return useSyncExternalStore(store.watch, () => pick(store))
}
