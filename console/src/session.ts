// SPDX-License-Identifier: Apache-2.0
// Who we are to the gateway, and what we may do. Where the API asks nobody who they are, everybody may do everything.

import { call, get, Problem, whenUnauthenticated } from './api.ts'
import { Store } from './live/store.ts'

interface Answer {
  name: string
  scopes: string[]
  means: 'key' | 'basic' | 'session' | 'open'
}

class Session extends Store {
  state: 'asking' | 'in' | 'out' = 'asking'
  name = ''
  /** Whether there is a way out, since there was one in. */
  signedIn = false
  #scopes: ReadonlySet<string> | null = null

  constructor() {
    super()
    whenUnauthenticated(() => this.#become('out'))
  }

  /** Ask the gateway. */
  async ask(): Promise<void> {
    try {
      this.#enter(await get<Answer>('/api/session'))
    } catch (error) {
      if (error instanceof Problem && error.status === 401) this.#become('out')
      else if (this.state === 'asking') this.#become('in') // nobody answers: the pages say so themselves
    }
  }

  /** Come in with an API key. Throws Problem. */
  async enter(key: string): Promise<void> {
    await call('POST', '/api/session', { key })
    await this.ask()
  }

  async leave(): Promise<void> {
    await call('DELETE', '/api/session')
    location.assign('/')
  }

  /** Whether a scope is ours: read, send, track, admin. */
  may(scope: string): boolean {
    const scopes = this.#scopes
    return scopes === null || scopes.has(scope)
  }

  #enter(answer: Answer): void {
    this.name = answer.name
    this.#scopes = new Set(answer.scopes)
    this.signedIn = answer.means === 'session'
    this.#become('in')
  }

  #become(state: Session['state']): void {
    if (this.state === 'in' && state === 'out') location.reload() // nothing that was seen stays in this page
    this.state = state
    this.changed()
  }
}

export const session = new Session()
