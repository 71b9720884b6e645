// SPDX-License-Identifier: Apache-2.0
// The shapes of docs/API.md and docs/EVENTS.md that the console reads. Times are RFC 3339 texts.

export type Time = string

export interface Presence {
  jid: string
  name: string
  is_online: boolean
  last_seen: Time | null
  last_status_change: Time | null
  observed: boolean
}

export interface PresenceChange extends Presence {
  account: string
  before: 'unknown' | 'offline' | 'online'
}

/** Unix seconds; no end while it lasts. */
export type Span = [from: number, to: number | null]

export interface Timeline {
  jid: string
  online: Span[]
  observed: Span[]
}

export interface Timelines {
  from: number
  to: number
  timelines: Timeline[]
}

export interface History {
  jid: string
  name: string
  from: Time
  to: Time
  online: { from: Time; to: Time | null }[]
  observed: { from: Time; to: Time | null }[]
}

export interface Typing {
  jid: string
  typing: 'composing' | 'recording' | 'paused'
}

export interface SubscriptionStats {
  total_subscriptions: number
  active: number
  stale: number
  failed: number
  queue_length: number
}

export interface Subscription {
  jid: string
  name: string
  account: string
  priority: number
  state: 'queued' | 'pending' | 'active' | 'stale' | 'failed'
  attempts: number
  subscribed_at: Time | null
  retry_at: Time | null
}

export interface SubscriptionWithReasons extends Subscription {
  by_name: boolean
  groups: string[]
}

export interface Pace {
  batch_size: number
  batch_delay_seconds: number
  subscription_delay_seconds: number
  preset: string | null
  per_minute: number | null
}

export interface Group {
  jid: string
  name: string
}

export interface TrackedGroup extends Group {
  account: string
  priority: number
}

export interface Account {
  name: string
  jid: string | null
  state: string
  since: Time | null
  until: Time | null
  detail: string
  advice: string
  reconnects: number
  appear: boolean
  subscriptions: SubscriptionStats
  messages: Record<string, number> | null
  restricted_until: Time | null
}

export type JobState =
  | 'accepted'
  | 'sending'
  | 'sent'
  | 'delivered'
  | 'read'
  | 'played'
  | 'unconfirmed'
  | 'failed'
  | 'cancelled'

export interface Job {
  id: string
  state: JobState
  since: Time
  account: string
  to: string
  type: string
  content: Record<string, unknown>
  priority: number
  created_at: Time
  send_at: Time | null
  attempts: number
  retry_at: Time | null
  message_id: string | null
  code: string | null
  detail: string | null
  sent_at: Time | null
  delivered_at: Time | null
  read_at: Time | null
  played_at: Time | null
  reply_to: string | null
  user_id: string | null
  door: string
}

export interface Receipt {
  reader: string
  state: 'delivered' | 'read' | 'played'
  at: Time
}

export interface JobWithReceipts extends Job {
  receipts: Receipt[]
}

export interface JobPage {
  messages: Job[]
  next: number | null
}

export interface JobStats {
  total: number
  states: Record<JobState, number>
}

export interface ChatMessage {
  id: string
  account: string
  chat: string
  sender: string
  from_me: boolean
  name: string | null
  type: string
  at: Time
  text: string | null
}

export interface DeadLetter {
  id: string
  reason: string
  detail: string
  queue: string
  since: Time | null
  job: string | null
  size: number
}

export interface OpenedLetter extends DeadLetter {
  body: string | null
  base64: string | null
}

export interface Endpoint {
  id: string
  url: string
  events: string[]
  accounts: string[]
  description: string
  enabled: boolean
  ordered: boolean
  concurrency: number
  created: Time
  state: 'working' | 'failing' | 'disabled'
  reason: string
  failures: number
  failing_since: Time | null
  next_attempt_after: Time | null
  waiting: number
  old_secret_until: Time | null
}

export interface Attempt {
  at: Time
  status: number | null
  seconds: number
  code: string
  detail: string
}

export interface Delivery {
  id: string
  endpoint: string
  type: string
  webhook_id: string
  state: 'pending' | 'delivered' | 'failed'
  attempts: number
  created: Time
  next_attempt: Time | null
  last: Attempt | null
}

export interface WholeDelivery extends Delivery {
  body: string
  tries: Attempt[]
}

export interface Sample {
  at: Time
  contacts: { online: number; offline: number; unknown: number }
  accounts: number
  connected: number
  subscriptions: { active: number; queue: number; failed: number; stale: number }
  presence_changes: number
  messages_sent: number
  messages_received: number
  webhook_attempts: number
  requests: number
  send_seconds: number | null
  webhook_seconds: number | null
  request_seconds: number | null
  lag_seconds: number
  cpu_percent: number
  memory_bytes: number | null
  clients: number
}

/** One thing that `wigwag doctor` looks at. */
export interface Finding {
  part: string
  verdict: 'fine' | 'notice' | 'wrong'
  found: string
  advice: string
}

export interface System {
  version: string
  python: string
  since: Time
  simulator: boolean
  parts: { part: string; ok: boolean; detail: string }[]
  samples: Sample[]
}
