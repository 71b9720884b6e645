// SPDX-License-Identifier: Apache-2.0
// What the gateway says of itself each second, for the last quarter of an hour.

import { get } from '../api.ts'
import type { Sample, System } from '../types.ts'
import { Store } from './store.ts'
import type { Stream } from './stream.ts'

const KEPT = 900
const MINUTE = 60

export class Figures extends Store {
  samples: Sample[] = []
  system: System | null = null
  error: unknown = null

  follow(stream: Stream): void {
    stream.on<Sample>('system.figures', sample => {
      const last = this.samples.at(-1)
      if (last && last.at >= sample.at) return
      this.samples = [...this.samples.slice(1 - KEPT), sample]
      this.changed()
    })
    stream.onReset(() => void this.load())
  }

  async load(): Promise<void> {
    try {
      this.system = await get<System>('/api/system')
      this.samples = this.system.samples
      this.error = null
    } catch (error) {
      this.error = error
    }
    this.changed()
  }

  /** The sum of something over the last minute. */
  lastMinute(of: (sample: Sample) => number): number {
    return this.samples.slice(-MINUTE).reduce((sum, sample) => sum + of(sample), 0)
  }
}

export const figures = new Figures()
