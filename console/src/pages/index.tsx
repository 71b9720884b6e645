// SPDX-License-Identifier: Apache-2.0
// All pages: their names, their addresses, and which one an address shows. The gateway knows the first parts of these
// addresses (src/wigwag/adapters/console/mount.py).

import type { ReactNode } from 'react'
import { t } from '../i18n/index.ts'
import { Empty } from '../ui/parts.tsx'
import { Accounts } from './accounts.tsx'
import { Contact } from './contact.tsx'
import { DeadLetters } from './dead-letters.tsx'
import { Message, Messages } from './messages.tsx'
import { Now } from './now.tsx'
import { Simulator } from './simulator.tsx'
import { Subscriptions } from './subscriptions.tsx'
import { System } from './system.tsx'
import { Webhook, Webhooks } from './webhooks.tsx'

export const PAGES = [
  { name: 'now', to: '/' },
  { name: 'messages', to: '/messages' },
  { name: 'dead-letters', to: '/dead-letters' },
  { name: 'webhooks', to: '/webhooks' },
  { name: 'subscriptions', to: '/subscriptions' },
  { name: 'accounts', to: '/accounts' },
  { name: 'system', to: '/system' },
  { name: 'simulator', to: '/simulator' },
] as const

/** The page at an address. */
export function pageOf(path: string): ReactNode {
  const [, first = '', id = ''] = path.split('/').map(decodeURIComponent)
  switch (first) {
    case '':
    case 'sign-in':
      return <Now />
    case 'contacts':
      return id ? <Contact key={id} jid={id} /> : <Now />
    case 'messages':
      return id ? <Message key={id} id={id} /> : <Messages />
    case 'dead-letters':
      return <DeadLetters />
    case 'webhooks':
      return id ? <Webhook key={id} id={id} /> : <Webhooks />
    case 'subscriptions':
      return <Subscriptions />
    case 'accounts':
      return <Accounts />
    case 'system':
      return <System />
    case 'simulator':
      return <Simulator />
    default:
      return <Empty title={t('any.notFound')} />
  }
}
