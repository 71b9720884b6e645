// SPDX-License-Identifier: Apache-2.0
// A stretch of time of one contact. Online is a full bar, offline a thin line, and what nobody observed is hatched: three
// shapes, so that no colour is needed to tell them apart.

import type { Span } from '../types.ts'

const TALL = 16 // pixels
const THIN = 2

interface Props {
  online: readonly Span[]
  observed: readonly Span[]
  from: number
  to: number
  width: number
  label: string
  height?: number
  /** What comes after is the future, and is left empty. */
  until?: number
}

export function Timeline({ online, observed, from, to, width, label, height = TALL, until = to }: Props): React.ReactNode {
  const scale = width / (to - from)
  const now = Math.min(until, to)
  const past = Math.max(0, (now - from) * scale)
  const middle = (height - THIN) / 2
  return (
    <svg className="timeline" role="img" aria-label={label} width={width} height={height} viewBox={`0 0 ${width} ${height}`}>
      <rect width={past} height={height} fill="url(#hatch)" />
      <path className="t-clear" d={bars(observed, from, now, scale, 0, height)} />
      <path className="t-offline" d={bars(observed, from, now, scale, middle, THIN)} />
      <path className="t-online" d={bars(online, from, now, scale, 1, height - 2, 1)} />
    </svg>
  )
}

/** The hatching, defined once for the page. */
export function Hatch(): React.ReactNode {
  return (
    <svg className="defs" aria-hidden="true" focusable="false" width="0" height="0">
      <defs>
        <pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <rect className="hatch-ground" width="6" height="6" />
          <rect className="hatch-line" width="2" height="6" />
        </pattern>
      </defs>
    </svg>
  )
}

/** One path for all spans; each is at least so wide that it can be seen. */
export function bars(
  spans: readonly Span[],
  from: number,
  to: number,
  scale: number,
  y: number,
  height: number,
  least = 0,
): string {
  let path = ''
  for (const [start, end] of spans) {
    const left = Math.max(0, (start - from) * scale)
    const right = Math.min((to - from) * scale, ((end ?? to) - from) * scale)
    if (right < 0 || left > (to - from) * scale) continue
    const wide = Math.max(right - left, least)
    if (wide > 0) path += `M${left.toFixed(1)} ${y}h${wide.toFixed(1)}v${height}h-${wide.toFixed(1)}z`
  }
  return path
}

/** Seconds that spans have within a window. */
export function within(spans: readonly Span[], from: number, to: number): number {
  return spans.reduce((sum, [start, end]) => sum + Math.max(0, Math.min(end ?? to, to) - Math.max(start, from)), 0)
}
