// SPDX-License-Identifier: Apache-2.0
// Presence in words. Numbers, plurals and dates are Intl's; the rest is a catalogue of a few texts per language.

import type { ContactPresence, Status } from './presence.js'

/** The texts of a language. `{when}` is a time like "2 hours ago", or a date. */
export interface Messages {
  online: string
  away: string
  busy: string
  /** For a user who was never seen, or hides it. */
  offline: string
  /** For a contact of whom the gateway does not hear now. */
  unknown: string
  justNow: string
  lastSeen: string
}

export interface Words {
  /** Against which time is told; the present if left out. */
  now?: Date | number
  /** Like `de` or `pt-BR`. If left out: English words, and dates as the browser writes them. */
  locale?: string
  /** In place of the texts that come with the language; needed for one that is not in `catalogues`. */
  messages?: Partial<Messages>
}

const ENGLISH: Messages = {
  online: 'Online',
  away: 'Away',
  busy: 'Busy',
  offline: 'Offline',
  unknown: 'Unknown',
  justNow: 'just now',
  lastSeen: 'Last seen {when}',
}

export const catalogues: Readonly<Record<string, Messages>> = {
  en: ENGLISH,
  de: {
    online: 'Online',
    away: 'Abwesend',
    busy: 'Beschäftigt',
    offline: 'Offline',
    unknown: 'Unbekannt',
    justNow: 'gerade eben',
    lastSeen: 'Zuletzt online: {when}',
  },
  es: {
    online: 'En línea',
    away: 'Ausente',
    busy: 'Ocupado',
    offline: 'Sin conexión',
    unknown: 'Desconocido',
    justNow: 'ahora mismo',
    lastSeen: 'Última vez: {when}',
  },
  fr: {
    online: 'En ligne',
    away: 'Absent',
    busy: 'Occupé',
    offline: 'Hors ligne',
    unknown: 'Inconnu',
    justNow: 'à l’instant',
    lastSeen: 'Dernière connexion : {when}',
  },
  pt: {
    online: 'Online',
    away: 'Ausente',
    busy: 'Ocupado',
    offline: 'Offline',
    unknown: 'Desconhecido',
    justNow: 'agora mesmo',
    lastSeen: 'Visto por último: {when}',
  },
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** "Online", "Away", "Busy", "Last seen 2 hours ago"; a date for what is a week ago or more. */
export function formatLastSeen(
  status: Status | ContactPresence['status'],
  lastSeen: Date | string | number | null,
  words: Words = {},
): string {
  const { messages, locale } = language(words)
  if (status !== 'offline') return messages[status]
  const then = new Date(lastSeen ?? NaN)
  if (Number.isNaN(then.getTime())) return messages.offline
  const age = Number(words.now ?? Date.now()) - then.getTime()
  if (age < MINUTE) return fill(messages.lastSeen, messages.justNow)
  return fill(messages.lastSeen, age < 7 * DAY ? ago(age, locale) : then.toLocaleDateString(locale))
}

/** One language for all of a text: English for a locale that has neither a catalogue nor texts of its own. */
function language({ locale, messages }: Words): { messages: Messages; locale: string | undefined } {
  const catalogue = catalogues[locale?.split('-')[0]?.toLowerCase() ?? 'en']
  const spoken = catalogue || messages ? locale : 'en'
  return { messages: { ...ENGLISH, ...catalogue, ...messages }, locale: spoken }
}

function ago(age: number, locale = 'en'): string {
  const relative = new Intl.RelativeTimeFormat(locale)
  if (age < HOUR) return relative.format(-Math.floor(age / MINUTE), 'minute')
  if (age < DAY) return relative.format(-Math.floor(age / HOUR), 'hour')
  return relative.format(-Math.floor(age / DAY), 'day')
}

function fill(text: string, when: string): string {
  return text.replace('{when}', () => when)
}
