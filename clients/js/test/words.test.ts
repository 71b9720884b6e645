// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatLastSeen, type Status, type Words } from '../src/index.js'

const NOW = new Date('2025-11-10T14:30:00Z')
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const DATE = new Date(NOW.getTime() - 7 * DAY).toLocaleDateString()

const english: [Status, number | null, string][] = [
  ['online', 0, 'Online'],
  ['away', 3 * DAY, 'Away'],
  ['busy', null, 'Busy'],
  ['offline', null, 'Offline'],
  ['offline', -5 * MINUTE, 'Last seen just now'],
  ['offline', MINUTE - 1, 'Last seen just now'],
  ['offline', MINUTE, 'Last seen 1 minute ago'],
  ['offline', HOUR - 1, 'Last seen 59 minutes ago'],
  ['offline', HOUR, 'Last seen 1 hour ago'],
  ['offline', 2 * HOUR, 'Last seen 2 hours ago'],
  ['offline', DAY - 1, 'Last seen 23 hours ago'],
  ['offline', DAY, 'Last seen 1 day ago'],
  ['offline', 7 * DAY - 1, 'Last seen 6 days ago'],
  ['offline', 7 * DAY, `Last seen ${DATE}`],
]
for (const [status, age, text] of english) {
  test(`${status}, ${age} ms ago: ${text}`, () => {
    const lastSeen = age === null ? null : new Date(NOW.getTime() - age)
    assert.equal(formatLastSeen(status, lastSeen, { now: NOW }), text)
    assert.equal(formatLastSeen(status, lastSeen?.toISOString() ?? null, { now: NOW.getTime() }), text)
  })
}

const languages: [Words, string][] = [
  [{ locale: 'de' }, 'Zuletzt online: vor 2 Stunden'],
  [{ locale: 'pt-BR' }, 'Visto por último: há 2 horas'],
  [{ locale: 'ja' }, 'Last seen 2 hours ago'],
  [{ locale: 'ja', messages: { lastSeen: '{when}にオンライン' } }, '2 時間前にオンライン'],
  [{ messages: { lastSeen: 'seen {when}' } }, 'seen 2 hours ago'],
]
for (const [words, text] of languages) {
  test(`in ${JSON.stringify(words)}: ${text}`, () => {
    assert.equal(formatLastSeen('offline', NOW.getTime() - 2 * HOUR, { now: NOW, ...words }), text)
  })
}

test('a date is written as its language does', () => {
  assert.equal(formatLastSeen('offline', '2025-01-31T12:00:00Z', { now: NOW, locale: 'de' }), 'Zuletzt online: 31.1.2025')
})

test('unknown is said as such, whatever was known last', () => {
  assert.equal(formatLastSeen('unknown', NOW, { now: NOW }), 'Unknown')
  assert.equal(formatLastSeen('unknown', null, { now: NOW, locale: 'de' }), 'Unbekannt')
})

test('what is no instant is no time', () => {
  assert.equal(formatLastSeen('offline', 'nonsense'), 'Offline')
})
