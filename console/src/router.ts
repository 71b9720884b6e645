// SPDX-License-Identifier: Apache-2.0
// Addresses: the page that is shown is the path, what is filtered is the query. No library is needed for that.

import { Store } from './live/store.ts'

class Place extends Store {
  path = location.pathname
  query = new URLSearchParams(location.search)

  constructor() {
    super()
    addEventListener('popstate', () => this.#arrive())
  }

  /** Go to an address of ours. */
  go(to: string, how: 'push' | 'replace' = 'push'): void {
    if (how === 'push') history.pushState(null, '', to)
    else history.replaceState(null, '', to)
    this.#arrive()
  }

  /** Change a part of the query; empty takes it away. */
  set(changes: Record<string, string>): void {
    const query = new URLSearchParams(location.search)
    for (const [name, value] of Object.entries(changes)) {
      if (value) query.set(name, value)
      else query.delete(name)
    }
    const text = query.toString()
    this.go(this.path + (text ? `?${text}` : ''), 'replace')
  }

  #arrive(): void {
    this.path = location.pathname
    this.query = new URLSearchParams(location.search)
    this.changed()
  }
}

export const place = new Place()
