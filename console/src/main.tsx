// SPDX-License-Identifier: Apache-2.0
// The console begins: the stores follow the stream, and the first page is drawn.

import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { language } from './i18n/index.ts'
import { contacts } from './live/contacts.ts'
import { figures } from './live/figures.ts'
import { stream } from './live/stream.ts'
import { timelines } from './live/timelines.ts'
import { troubles } from './live/troubles.ts'
import { session } from './session.ts'
import './style/base.css'
import './style/parts.css'
import './style/now.css'
import './style/pages.css'

document.documentElement.lang = language
for (const store of [contacts, timelines, figures, troubles]) store.follow(stream)
stream.refused = () => void session.ask()
void session.ask()

const root = document.getElementById('root')
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  )
}
