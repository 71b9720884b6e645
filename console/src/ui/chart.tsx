// SPDX-License-Identifier: Apache-2.0
// A small chart of a figure over the last minutes. Where there was none, there is a gap and no zero.

import type { ReactNode } from 'react'

const WIDE = 300
const TALL = 56

interface Props {
  title: string
  values: readonly (number | null)[]
  format: (value: number) => string
  /** What is said where no value is there at all. */
  empty: string
  /** How the figure beside the title comes about. */
  head?: 'last' | 'sum'
}

export function Chart({ title, values, format, empty, head = 'last' }: Props): ReactNode {
  const known = values.filter((value): value is number => value !== null)
  const most = Math.max(...known, 0)
  const figure = head === 'sum' ? known.reduce((sum, value) => sum + value, 0) : known.at(-1)
  return (
    <figure className="chart">
      <figcaption>
        <span>{title}</span>
        <b>{known.length && figure !== undefined ? format(figure) : empty}</b>
      </figcaption>
      <svg viewBox={`0 0 ${WIDE} ${TALL}`} preserveAspectRatio="none" aria-hidden="true">
        <line className="chart-ground" x1="0" x2={WIDE} y1={TALL - 0.5} y2={TALL - 0.5} />
        <path className="chart-line" d={line(values, most || 1)} />
      </svg>
      <small className="quiet">{known.length ? `max ${format(most)}` : ' '}</small>
    </figure>
  )
}

/** The path through the values; a lone one is a dot of a line. */
export function line(values: readonly (number | null)[], most: number): string {
  const step = WIDE / Math.max(1, values.length - 1)
  let path = ''
  let drawing = false
  values.forEach((value, index) => {
    if (value === null) {
      drawing = false
      return
    }
    const [x, y] = [(index * step).toFixed(1), (TALL - 2 - (value / most) * (TALL - 6)).toFixed(1)]
    path += drawing ? `L${x} ${y}` : `M${x} ${y}h.5`
    drawing = true
  })
  return path
}

/** Every so many values made one, so that a chart is not finer than what can be seen. */
export function thin(
  values: readonly (number | null)[],
  every: number,
  how: 'sum' | 'mean',
): (number | null)[] {
  const thinned: (number | null)[] = []
  for (let at = 0; at < values.length; at += every) {
    const known = values.slice(at, at + every).filter((value): value is number => value !== null)
    const sum = known.reduce((all, value) => all + value, 0)
    thinned.push(known.length ? (how === 'sum' ? sum : sum / known.length) : null)
  }
  return thinned
}
