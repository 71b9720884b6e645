// SPDX-License-Identifier: Apache-2.0
// Words and numbers: durations, masks, catalogues, and what people type.

import { describe, expect, it } from 'vitest'
import { bytes, duration, masked, named, person, seconds, time } from '../src/format.ts'
import { en } from '../src/i18n/en.ts'
import { choose, t } from '../src/i18n/index.ts'
import { localTime, parse, pretty } from '../src/forms.ts'
import { csv, hours } from '../src/past.ts'
import { line, thin } from '../src/ui/chart.tsx'
import { ANNA } from './fakes.ts'

describe('format', () => {
  it.each([
    [-5, '0s'],
    [42_000, '42s'],
    [60_000, '1m'],
    [3 * 3_600_000, '3h'],
    [3 * 3_600_000 + 20 * 60_000, '3h 20m'],
    [5 * 86_400_000, '5d'],
  ])('says %i ms as %s', (ms, words) => expect(duration(ms)).toBe(words))

  it.each([
    [0.0042, '4 ms'],
    [0.949, '949 ms'],
    [2.42, '2.4 s'],
    [90, '1m'],
  ])('says %f s of work as %s', (value, words) => expect(seconds(value)).toBe(words))

  it.each([
    [512, '512 B'],
    [2048, '2.0 KiB'],
    [5 << 20, '5.0 MiB'],
  ])('says %i bytes as %s', (value, words) => expect(bytes(value)).toBe(words))

  it('says the clock alone today, and the day before that', () => {
    const now = Date.parse('2026-01-31T12:00:00Z')
    expect(time('2026-01-31T08:05:00Z', now)).not.toContain('Jan')
    expect(time('2026-01-29T08:05:00Z', now)).toContain('Jan 29')
    expect(time('2025-10-01T08:05:00Z', now)).toContain('Oct 1')
  })

  it('masks numbers wherever they stand, unless they are to be seen', () => {
    expect(person(ANNA, false)).toBe('+91 ••• 210')
    expect(person(ANNA, true)).toBe('+919876543210')
    expect(person('120363400902171371@g.us', false)).toBe('••1371')
    expect(named('John', ANNA, false)).toBe('John')
    expect(named('+91 98765 43210', ANNA, false)).toBe('+91 ••• 210')
    expect(named('', ANNA, false)).toBe('+91 ••• 210')
    expect(masked('to 919876543210@s.whatsapp.net at 12:30, 503', false)).toBe('to 919•••210@s.whatsapp.net at 12:30, 503')
    expect(masked('to 919876543210', true)).toBe('to 919876543210')
  })
})

describe('texts', () => {
  it('count and fill in', () => {
    expect(t('now.contacts', { n: 1 })).toBe('1 contact')
    expect(t('now.contacts', { n: 12_000 })).toBe('12,000 contacts')
    expect(t('contact.seen', { time: '12:30' })).toBe('last seen 12:30')
  })

  it('are in the first language that there is', () => {
    expect(choose(['xx-YY', 'en-GB', 'de'])).toBe('en')
    expect(choose([])).toBe('en')
  })

  it('have all that pages ask for by a composed key', () => {
    const has = (key: string): boolean => key in en
    const states = 'unpaired pairing connecting connected degraded transient replaced logged_out banned outdated failed stopped'
    expect(states.split(' ').filter(state => !has(`link.${state}`))).toEqual([])
    const kinds = 'text image video audio voice document sticker location contact poll reaction'
    expect(kinds.split(' ').filter(kind => !has(`type.${kind}`))).toEqual([])
  })
})

describe('what people type and take away', () => {
  it.each([
    ['+91 98765 43210, John Doe', { phone: '+91 98765 43210', name: 'John Doe' }],
    ['919123456789', { phone: '919123456789', name: '' }],
    ['919123456789@s.whatsapp.net Jane', { phone: '919123456789@s.whatsapp.net', name: 'Jane' }],
    ['+1 (555) 010-0042;Zoë', { phone: '+1 (555) 010-0042', name: 'Zoë' }],
  ])('reads the line %s', (text, wish) => expect(parse(`\n ${text} \n\n`)).toEqual([wish]))

  it('writes a history as lines that any table reads', () => {
    const history = {
      jid: ANNA,
      name: 'Anna',
      from: '',
      to: '',
      online: [{ from: '2026-01-31T08:00:00Z', to: '2026-01-31T08:05:00Z' }],
      observed: [{ from: '2026-01-31T07:00:00Z', to: null }],
    }
    expect(csv(history)).toBe(
      `jid,kind,from,to\r\n${ANNA},online,2026-01-31T08:00:00Z,2026-01-31T08:05:00Z\r\n${ANNA},observed,2026-01-31T07:00:00Z,\r\n`,
    )
  })

  it('knows of each hour how much of the time that we listened somebody was online', () => {
    const day = Date.parse('2026-01-31T00:00:00Z') / 1000
    const shares = hours([[day + 3_600, day + 5_400]], [[day, day + 7_200]], day + 10_000)
    expect(shares.slice(0, 3)).toEqual([0, 0.5, null])
  })

  it('shows JSON in lines, and anything else as it is', () => {
    expect(pretty('{"a":1}')).toBe('{\n  "a": 1\n}')
    expect(pretty('{"a":')).toBe('{"a":')
  })

  it('fills in the time as the field wants it', () => expect(localTime(Date.parse('2026-01-31T08:05:42Z'))).toBe('2026-01-31T08:05'))
})

describe('charts', () => {
  it('have a gap where nothing was measured', () => {
    expect(line([1, null, 1], 1).match(/M/g)).toHaveLength(2)
    expect(line([null, null], 1)).toBe('')
  })

  it('are thinned by sums or means, of what there is', () => {
    expect(thin([1, null, 3, null, null], 2, 'sum')).toEqual([1, 3, null])
    expect(thin([1, 3, 5], 2, 'mean')).toEqual([2, 5])
  })
})
