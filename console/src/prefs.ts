// SPDX-License-Identifier: Apache-2.0
// What the viewer chose: colours, which are kept, and whether numbers are shown, which is not.

import { Store } from './live/store.ts'

export type Theme = 'system' | 'light' | 'dark'
const KEY = 'wigwag-theme'

class Prefs extends Store {
  theme: Theme = 'system'
  revealed = false

  constructor() {
    super()
    const kept = localStorage.getItem(KEY)
    if (kept === 'light' || kept === 'dark') this.theme = kept
    this.#show()
  }

  setTheme(theme: Theme): void {
    this.theme = theme
    if (theme === 'system') localStorage.removeItem(KEY)
    else localStorage.setItem(KEY, theme)
    this.#show()
    this.changed()
  }

  reveal(revealed: boolean): void {
    this.revealed = revealed
    this.changed()
  }

  #show(): void {
    if (this.theme === 'system') delete document.documentElement.dataset['theme']
    else document.documentElement.dataset['theme'] = this.theme
  }
}

export const prefs = new Prefs()
