// SPDX-License-Identifier: Apache-2.0
// What failed and recovered since the page was opened, the newest first.

import { Store } from './store.ts'
import type { Stream } from './stream.ts'
import { t } from '../i18n/index.ts'

const KEPT = 50

interface Trouble {
  at: string
  part: string
  text: string
}

class Troubles extends Store {
  all: Trouble[] = []

  follow(stream: Stream): void {
    stream.on<{ part: string; code: string; detail: string; at: string }>('part.failed', ({ part, detail, code, at }) =>
      this.#add({ part, text: detail || code, at }),
    )
    stream.on<{ part: string; at: string }>('part.recovered', ({ part, at }) =>
      this.#add({ part, text: t('system.recovered'), at }),
    )
  }

  #add(trouble: Trouble): void {
    this.all = [trouble, ...this.all].slice(0, KEPT)
    this.changed()
  }
}

export const troubles = new Troubles()
