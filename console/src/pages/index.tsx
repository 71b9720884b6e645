// SPDX-License-Identifier: Apache-2.0
// All pages: their names, their addresses, and which one an address shows. The gateway knows the first parts of these
// addresses (src/wigwag/adapters/console/mount.py).

import type { ReactNode } from 'react'
import { t } from '../i18n/index.ts'
import { Empty } from '../ui/parts.tsx'
import { Now } from './now.tsx'

export const PAGES = [{ name: 'now', to: '/' }] as const

/** The page at an address. */
export function pageOf(path: string): ReactNode {
  const [, first = ''] = path.split('/').map(decodeURIComponent)
  switch (first) {
    case '':
      return <Now />
    default:
      return <Empty title={t('any.notFound')} />
  }
}
