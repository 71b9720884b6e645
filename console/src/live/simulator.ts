// SPDX-License-Identifier: Apache-2.0
// Whether there is a simulator behind this gateway: only in the demo, which lends us its admin API under /sim.

import { useEffect, useState } from 'react'
import { get } from '../api.ts'
import type { System } from '../types.ts'

let asked: Promise<boolean> | null = null

/** Ask once. */
export function simulated(): Promise<boolean> {
  asked ??= get<System>('/api/system').then(
    found => found.simulator,
    () => false,
  )
  return asked
}

export function useSimulator(): boolean {
  const [is, setIs] = useState(false)
  useEffect(() => void simulated().then(setIs), [])
  return is
}
