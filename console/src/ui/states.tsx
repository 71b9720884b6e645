// SPDX-License-Identifier: Apache-2.0
// States as words with a tone, the same on every page.

import type { ReactNode } from 'react'
import { t, type Key } from '../i18n/index.ts'
import type { Delivery, Endpoint, JobState, Subscription } from '../types.ts'
import { Badge, type Tone } from './parts.tsx'

const LINK: Record<string, Tone> = {
  connected: 'good',
  connecting: 'busy',
  pairing: 'busy',
  unpaired: 'warn',
  degraded: 'warn',
  transient: 'warn',
  stopped: 'quiet',
}
const JOB: Record<JobState, Tone> = {
  accepted: 'busy',
  sending: 'busy',
  sent: 'good',
  delivered: 'good',
  read: 'good',
  played: 'good',
  unconfirmed: 'warn',
  failed: 'bad',
  cancelled: 'quiet',
}
const SUBSCRIPTION: Record<Subscription['state'], Tone> = {
  queued: 'busy',
  pending: 'busy',
  active: 'good',
  stale: 'warn',
  failed: 'bad',
}
const ENDPOINT: Record<Endpoint['state'], Tone> = { working: 'good', failing: 'bad', disabled: 'quiet' }
const DELIVERY: Record<Delivery['state'], Tone> = { pending: 'busy', delivered: 'good', failed: 'bad' }

export function LinkBadge({ state }: { state: string }): ReactNode {
  return <Badge tone={LINK[state] ?? 'bad'}>{t(`link.${state}` as Key)}</Badge>
}

export function JobBadge({ state }: { state: JobState }): ReactNode {
  return <Badge tone={JOB[state]}>{t(`job.${state}`)}</Badge>
}

export function SubscriptionBadge({ state }: { state: Subscription['state'] }): ReactNode {
  return <Badge tone={SUBSCRIPTION[state]}>{t(`subscription.${state}`)}</Badge>
}

export function EndpointBadge({ state }: { state: Endpoint['state'] }): ReactNode {
  return <Badge tone={ENDPOINT[state]}>{t(`endpoint.${state}`)}</Badge>
}

export function DeliveryBadge({ state }: { state: Delivery['state'] }): ReactNode {
  return <Badge tone={DELIVERY[state]}>{t(`delivery.${state}`)}</Badge>
}
