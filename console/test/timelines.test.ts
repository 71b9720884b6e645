// SPDX-License-Identifier: Apache-2.0
// Timelines: asked for in bundles, kept up by the stream, and drawn so that the three states are three shapes.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { apply, Timelines, type Line } from '../src/live/timelines.ts'
import type { Span } from '../src/types.ts'
import { bars, within } from '../src/ui/timeline.tsx'
import { ANNA, BERT, change, fakeStream } from './fakes.ts'

const AT = Date.parse('2026-01-31T09:00:00Z') / 1000

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function answer(jids: string[]) {
  return { from: 0, to: AT, timelines: jids.map(jid => ({ jid, online: [] as Span[], observed: [[AT - 60, null]] as Span[] })) }
}

describe('timelines', () => {
  it('are asked for together, once, and not for who scrolled by', async () => {
    const read = vi.fn(async (jids: string[]) => answer(jids))
    const lines = new Timelines(read)
    for (const jid of [ANNA, BERT, ANNA, 'gone']) lines.of(jid)
    lines.leave('gone')
    await vi.runAllTimersAsync()
    expect(read.mock.calls).toEqual([[[ANNA, BERT]]])
    expect(lines.of(ANNA)?.observed).toEqual([[AT - 60, null]])
    await vi.runAllTimersAsync()
    expect(read).toHaveBeenCalledTimes(1)
  })

  it('have what happened while they were asked for', async () => {
    const { stream, source, frame } = fakeStream()
    let given: () => void = () => undefined
    const lines = new Timelines(jids => new Promise(done => (given = () => done(answer(jids)))))
    lines.follow(stream)
    lines.of(ANNA)
    await vi.advanceTimersByTimeAsync(100)
    source.say('presence.changed', change(ANNA, 'online'))
    frame()
    given()
    await vi.runAllTimersAsync()
    expect(lines.of(ANNA)?.online).toEqual([[AT, null]])
  })

  it('are not asked for again and again while the gateway is away', async () => {
    const read = vi.fn().mockRejectedValue(new Error('away'))
    const lines = new Timelines(read)
    lines.watch(() => lines.of(ANNA))
    lines.of(ANNA)
    await vi.advanceTimersByTimeAsync(4_000)
    expect(read).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(4_000)
    expect(read).toHaveBeenCalledTimes(2)
  })

  it('open and close spans, however often they are told', () => {
    const line: Line = { online: [], observed: [], version: 0 }
    const told = [
      change(ANNA, 'offline', '2026-01-31T09:00:00Z'),
      change(ANNA, 'online', '2026-01-31T09:01:00Z'),
      change(ANNA, 'online', '2026-01-31T09:01:00Z'),
      change(ANNA, 'offline', '2026-01-31T09:02:00Z'),
      change(ANNA, 'unknown', '2026-01-31T09:03:00Z'),
      change(ANNA, 'unknown', '2026-01-31T09:03:00Z'),
    ]
    for (const each of told) apply(line, each)
    expect(line.online).toEqual([[AT + 60, AT + 120]])
    expect(line.observed).toEqual([[AT, AT + 180]])
  })

  it('let go of what ended over a day ago, and of nothing that lasts', () => {
    const line: Line = { online: [[AT - 200_000, AT - 190_000], [AT - 86_500, AT - 86_390]], observed: [[AT - 200_000, null]], version: 0 }
    apply(line, change(ANNA, 'online', '2026-01-31T09:00:00Z'))
    expect(line.online).toEqual([[AT - 86_500, AT - 86_390], [AT, null]])
    expect(line.observed).toEqual([[AT - 200_000, null]])
  })

  it('are drawn within their window, and the shortest span can be seen', () => {
    const spans: Span[] = [[-50, -10], [-10, 10], [50, 50.1], [90, null], [200, 300]]
    expect(bars(spans, 0, 100, 2, 0, 4, 1)).toBe('M0.0 0h20.0v4h-20.0zM100.0 0h1.0v4h-1.0zM180.0 0h20.0v4h-20.0z')
    expect(within(spans, 0, 100)).toBeCloseTo(20.1)
  })
})
