// SPDX-License-Identifier: Apache-2.0
// Events are given out once a frame, in order; whoever shows something is told to read anew when something was missed.

import { describe, expect, it, vi } from 'vitest'
import { ANNA, change, fakeStream } from './fakes.ts'

describe('the stream', () => {
  it('gives out all that came since the last frame together and in order', () => {
    const { stream, source, frame, frames } = fakeStream()
    const heard: number[] = []
    const after = vi.fn()
    stream.on<{ n: number }>('presence.changed', ({ n }) => heard.push(n))
    stream.afterwards(after)
    for (const n of [1, 2, 3]) source.say('presence.changed', { n })
    expect(heard).toEqual([])
    frame()
    expect([heard, frames(), after.mock.calls.length]).toEqual([[1, 2, 3], 1, 1])
    source.say('presence.changed', { n: 4 })
    frame()
    expect(heard).toEqual([1, 2, 3, 4])
  })

  it.each([
    ['hello', { resumed: false }, 1],
    ['hello', { resumed: true }, 0],
    ['reset', { reason: 'restarted' }, 1],
  ] as const)('tells to read anew after %s %o: %i times', (kind, data, times) => {
    const { stream, source } = fakeStream()
    const read = vi.fn()
    stream.onReset(read)
    source.say(kind, data)
    expect(read).toHaveBeenCalledTimes(times)
    expect(stream.condition).toBe('live')
  })

  it('says that it is behind while it is broken', () => {
    const { stream, source } = fakeStream()
    source.say('hello', { resumed: false })
    source.onerror?.({} as Event)
    expect(stream.condition).toBe('behind')
    source.say('hello', { resumed: true })
    expect(stream.condition).toBe('live')
  })

  it('is not heard any more by whoever stopped', () => {
    const { stream, source, frame } = fakeStream()
    const hear = vi.fn()
    stream.on('presence.changed', hear)()
    source.say('presence.changed', change(ANNA, 'online'))
    frame()
    expect(hear).not.toHaveBeenCalled()
  })
})
