// SPDX-License-Identifier: Apache-2.0
// How values are written: times in the viewer's zone, durations in one unit that says enough, numbers of people masked.

import { language } from './i18n/index.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const clock = new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit' })
const exact = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'medium' })
const day = new Intl.DateTimeFormat(language, { weekday: 'short', day: 'numeric', month: 'short' })
const count = new Intl.NumberFormat(language)
const short = new Intl.NumberFormat(language, { notation: 'compact', maximumFractionDigits: 1 })

type Unit = 'second' | 'minute' | 'hour' | 'day'
const unitsOf = (name: Unit): Intl.NumberFormat =>
  new Intl.NumberFormat(language, { style: 'unit', unit: name, unitDisplay: 'narrow' })
// Made once: making one takes longer than drawing a line of the list.
const units = { second: unitsOf('second'), minute: unitsOf('minute'), hour: unitsOf('hour'), day: unitsOf('day') }

function unit(value: number, name: Unit): string {
  return units[name].format(value)
}

/** Milliseconds as a duration with its largest unit, or two where one says too little: 40s, 12m, 3h 20m, 5d. */
export function duration(milliseconds: number): string {
  const ms = Math.max(0, milliseconds)
  if (ms < MINUTE) return unit(Math.floor(ms / 1000), 'second')
  if (ms < HOUR) return unit(Math.floor(ms / MINUTE), 'minute')
  if (ms < DAY) {
    const minutes = Math.floor((ms % HOUR) / MINUTE)
    return unit(Math.floor(ms / HOUR), 'hour') + (minutes ? ` ${unit(minutes, 'minute')}` : '')
  }
  return unit(Math.floor(ms / DAY), 'day')
}

/** Seconds of work: 4 ms, 320 ms, 2.4 s. */
export function seconds(value: number): string {
  if (value < 0.95) return `${Math.round(value * 1000)} ms`
  return value < 60 ? `${value.toFixed(1)} s` : duration(value * 1000)
}

/** A time as one says it: the clock today, the day before that. */
export function time(at: number | string, now: number = Date.now()): string {
  const date = new Date(at)
  const today = new Date(now)
  if (date.toDateString() === today.toDateString()) return clock.format(date)
  const ahead = date.getTime() > now && date.getTime() - now < 7 * DAY
  return Math.abs(now - date.getTime()) < 7 * DAY || ahead
    ? `${day.format(date)} ${clock.format(date)}`
    : day.format(date)
}

/** A time to the second, for titles and tables. */
export function moment(at: number | string): string {
  return exact.format(new Date(at))
}

export function number(value: number): string {
  return count.format(value)
}

/** A number that only has to be about right: 12, 3.4K. */
export function about(value: number): string {
  return short.format(value)
}

export function bytes(value: number): string {
  return value < 1024 ? `${value} B` : value < 1 << 20 ? `${(value / 1024).toFixed(1)} KiB` : `${(value / (1 << 20)).toFixed(1)} MiB`
}

/** The number in a jid, whole or with its middle hidden; groups keep their id's end. */
export function person(jid: string, revealed: boolean): string {
  const [digits = '', server] = jid.split('@')
  if (server === 'g.us') return revealed ? digits : `••${digits.slice(-4)}`
  return revealed ? `+${digits}` : `+${digits.slice(0, 2)} ••• ${digits.slice(-3)}`
}

/** A contact's name; one that is nothing but a number is masked like one. */
export function named(name: string, jid: string, revealed: boolean): string {
  return name && !/^\+?[\d\s()-]{7,}$/.test(name) ? name : person(jid, revealed)
}

/** Long digits in a text, masked: an error or a path may hold a number. */
export function masked(text: string, revealed: boolean): string {
  return revealed ? text : text.replace(/\+?\d{7,15}(?=\D|$)/g, digits => `${digits.slice(0, 3)}•••${digits.slice(-3)}`)
}
