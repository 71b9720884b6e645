// SPDX-License-Identifier: Apache-2.0
// What a history says: hours of the day, and lines to take away.

import type { History, Span } from './types.ts'

/** How much of each hour of the day the contact was online, of the time that we listened. */
export function hours(online: Span[], observed: Span[], now: number): (number | null)[] {
  const here = new Array<number>(24).fill(0)
  const heard = new Array<number>(24).fill(0)
  const spread = (spans: Span[], into: number[]): void => {
    for (const [start, end] of spans) {
      for (let at = start; at < (end ?? now); ) {
        const date = new Date(at * 1000)
        const next = Math.min(new Date(date).setMinutes(60, 0, 0) / 1000, end ?? now)
        const hour = date.getHours()
        into[hour] = (into[hour] ?? 0) + next - at
        if (next <= at) break
        at = next
      }
    }
  }
  spread(online, here)
  spread(observed, heard)
  return heard.map((listened, hour) => (listened > 0 ? Math.min(1, (here[hour] ?? 0) / listened) : null))
}

/** A history as comma-separated values. */
export function csv(history: History | undefined): string {
  const lines = ['jid,kind,from,to']
  for (const kind of ['online', 'observed'] as const) {
    for (const { from, to } of history?.[kind] ?? []) lines.push([history?.jid, kind, from, to ?? ''].join())
  }
  return `${lines.join('\r\n')}\r\n`
}
