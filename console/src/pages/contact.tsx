// SPDX-License-Identifier: Apache-2.0
// One contact: what holds now, the past by day and by hour, why it is tracked, and what was said.

import { useMemo, useRef, useState, type ReactNode } from 'react'
import { call, get, path } from '../api.ts'
import { duration, named, person } from '../format.ts'
import { language, t, type Key } from '../i18n/index.ts'
import { contacts } from '../live/contacts.ts'
import { useResource } from '../live/resource.ts'
import { useStore } from '../live/store.ts'
import { csv, hours } from '../past.ts'
import { prefs } from '../prefs.ts'
import { place } from '../router.ts'
import type { ChatMessage, History, Presence, Span, SubscriptionWithReasons, TrackedGroup } from '../types.ts'
import { Action, useMay } from '../ui/actions.tsx'
import { Writer } from '../ui/compose.tsx'
import { useNow, useWidth } from '../ui/hooks.ts'
import { Empty, Failure, Link, Loading, Title, When } from '../ui/parts.tsx'
import { SubscriptionBadge } from '../ui/states.tsx'
import { Timeline, within } from '../ui/timeline.tsx'
import { lastSeen, standing } from './now.tsx'

const DAY = 86_400 // seconds
const DAYS = [1, 7, 14, 30] as const
const SESSIONS = 12 // shown

export function Contact({ jid }: { jid: string }): ReactNode {
  const presence = useResource<Presence>(path`/api/presence/${jid}`)
  const revealed = useStore(prefs, p => p.revealed)
  useStore(contacts, c => c.byJid.get(jid)?.version)
  const live = contacts.byJid.get(jid)
  const account = useResource<SubscriptionWithReasons>(path`/api/subscriptions/${jid}`).value?.account ?? ''
  const now = useNow()
  const name = presence.value ? named(live?.name ?? presence.value.name, jid, revealed) : person(jid, revealed)
  if (presence.error) {
    return (
      <div className="page">
        <Title back="/">{name}</Title>
        <Failure error={presence.error} retry={() => void presence.load()} />
      </div>
    )
  }
  return (
    <div className="page">
      <Title back="/">{name}</Title>
      <p className="standing">
        {live ? (
          <>
            <i className={`mark ${live.status}`} aria-hidden="true" />{' '}
            {live.typing ? t(`contact.${live.typing}` as Key) : standing(live, now)}
          </>
        ) : null}
        <span className="quiet">{[live && lastSeen(live, now), person(jid, revealed)].filter(Boolean).map(word => ` · ${word}`)}</span>
      </p>
      <Past jid={jid} changes={live?.changes ?? 0} />
      <div className="columns">
        <Why jid={jid} />
        {useMay('send') ? (
          <section className="card">
            <h2>{t('contact.send')}</h2>
            <Writer to={jid} account={account} sent={() => undefined} />
          </section>
        ) : null}
      </div>
      <Chat jid={jid} />
      <Erase jid={jid} />
    </div>
  )
}

/** Unix seconds of a history's spans. */
function spansOf(spans: History['online']): Span[] {
  return spans.map(({ from, to }) => [Date.parse(from) / 1000, to ? Date.parse(to) / 1000 : null])
}

function Past({ jid, changes }: { jid: string; changes: number }): ReactNode {
  const [days, setDays] = useState<number>(7)
  const beat = Math.floor(useNow(60_000) / 60_000)
  const from = useMemo(() => new Date(midnight(Date.now()) - (days - 1) * DAY * 1000).toISOString(), [days, beat > 0])
  const history = useResource<History>(`${path`/api/presence/${jid}/history`}?from=${encodeURIComponent(from)}`)
  const seen = useRef(changes)
  if (seen.current !== changes) {
    seen.current = changes
    history.soon()
  }
  const online = useMemo(() => spansOf(history.value?.online ?? []), [history.value])
  const observed = useMemo(() => spansOf(history.value?.observed ?? []), [history.value])
  return (
    <section className="card" aria-label={t('contact.history')}>
      <header>
        <h2>{t('contact.history')}</h2>
        <div className="actions">
          <div className="actions" role="group" aria-label={t('contact.days')}>
            {DAYS.map(each => (
              <button key={each} type="button" className="small" aria-pressed={days === each} onClick={() => setDays(each)}>
                {t('contact.lastDays', { n: each })}
              </button>
            ))}
          </div>
          <button
            type="button"
            className="small"
            disabled={!history.value}
            onClick={() => save(`${person(jid, true).slice(1)}.csv`, csv(history.value))}
          >
            {t('contact.export')}
          </button>
        </div>
      </header>
      {history.error ? <Failure error={history.error} retry={() => void history.load()} /> : null}
      {!history.value && !history.error ? <Loading /> : null}
      {history.value ? (
        <>
          <Days online={online} observed={observed} days={days} />
          <Hours online={online} observed={observed} />
          <Sessions online={online} />
        </>
      ) : null}
    </section>
  )
}

function midnight(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0)
}

const weekday = new Intl.DateTimeFormat(language, { weekday: 'short', day: 'numeric', month: 'short' })

/** A line for each day, newest first, from midnight to midnight where the viewer is. */
function Days({ online, observed, days }: { online: Span[]; observed: Span[]; days: number }): ReactNode {
  const list = useRef<HTMLUListElement>(null)
  const width = Math.max(0, useWidth(list) - (useWidth(list) > 560 ? 190 : 0))
  const now = useNow(60_000) / 1000
  const starts = Array.from({ length: days }, (_, back) => {
    const day = new Date()
    return new Date(day.getFullYear(), day.getMonth(), day.getDate() - back).getTime() / 1000
  })
  return (
    <ul ref={list} className="days" aria-label={t('contact.byDay')}>
      {starts.map(start => {
        const end = Math.min(start + DAY, now)
        const here = within(online, start, end)
        const heard = within(observed, start, end)
        const told = heard ? t('contact.day', { online: duration(here * 1000), observed: duration(heard * 1000) }) : t('contact.day.none')
        return (
          <li key={start}>
            <span>{weekday.format(start * 1000)}</span>
            {width > 0 ? (
              <Timeline
                online={online}
                observed={observed}
                from={start}
                to={start + DAY}
                until={now}
                width={width}
                label={told}
              />
            ) : null}
            <small className="quiet">{heard ? duration(here * 1000) : t('status.unknown')}</small>
          </li>
        )
      })}
    </ul>
  )
}

function Hours({ online, observed }: { online: Span[]; observed: Span[] }): ReactNode {
  const shares = hours(online, observed, Date.now() / 1000)
  const percent = new Intl.NumberFormat(language, { style: 'percent' })
  return (
    <figure>
      <h3>{t('contact.byHour')}</h3>
      <ul className="hours" aria-label={t('contact.byHour')}>
        {shares.map((share, hour) => (
          <li key={hour}>
            <svg
              width="100%"
              height="48"
              role="img"
              aria-label={`${hour}:00 ${share === null ? t('status.unknown') : percent.format(share)}`}
            >
              <title>{`${hour}:00 ${share === null ? t('status.unknown') : percent.format(share)}`}</title>
              {share === null ? (
                <rect width="100%" height="48" fill="url(#hatch)" />
              ) : (
                <>
                  <rect className="t-offline" y="46" width="100%" height="2" />
                  <rect className="t-online" y={48 - 48 * share} width="100%" height={48 * share} />
                </>
              )}
            </svg>
            <small className="quiet">{hour % 6 === 0 ? hour : ''}</small>
          </li>
        ))}
      </ul>
    </figure>
  )
}

function Sessions({ online }: { online: Span[] }): ReactNode {
  const [all, setAll] = useState(false)
  const now = useNow(10_000) / 1000
  if (!online.length) return <p className="quiet">{t('contact.sessions.none')}</p>
  const latest = [...online].reverse()
  return (
    <div>
      <h3>{t('contact.sessions', { n: online.length })}</h3>
      <ol className="sessions">
        {latest.slice(0, all ? undefined : SESSIONS).map(([from, to]) => (
          <li key={from}>
            <When at={from * 1000} />
            <b>{to === null ? t('contact.stillOnline', { time: duration((now - from) * 1000) }) : duration((to - from) * 1000)}</b>
          </li>
        ))}
      </ol>
      {latest.length > SESSIONS && !all ? (
        <button type="button" className="small" onClick={() => setAll(true)}>
          {t('any.more')}
        </button>
      ) : null}
    </div>
  )
}

function save(name: string, text: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/csv' }))
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 1_000)
}

function Why({ jid }: { jid: string }): ReactNode {
  const subscription = useResource<SubscriptionWithReasons>(path`/api/subscriptions/${jid}`, ['subscription.changed'])
  const groups = useResource<TrackedGroup[]>('/api/subscriptions/groups')
  const value = subscription.value
  return (
    <section className="card" aria-label={t('contact.subscription')}>
      <header>
        <h2>{t('contact.subscription')}</h2>
        {value ? <SubscriptionBadge state={value.state} /> : null}
      </header>
      {subscription.error ? <Failure error={subscription.error} /> : null}
      {value ? (
        <>
          <p className="quiet">{t(`subscription.${value.state}.hint`)}</p>
          <dl className="facts">
            <dt>{t('contact.why')}</dt>
            <dd>
              {value.by_name ? t('contact.byName') : null}
              {value.groups.map(group => (
                <span key={group} className="reason">
                  {value.by_name ? ', ' : ''}
                  {t('contact.inGroup')}{' '}
                  <Link to={`/?group=${encodeURIComponent(group)}`}>
                    {groups.value?.find(each => each.jid === group)?.name || group}
                  </Link>
                </span>
              ))}
            </dd>
            <dt>{t('any.account')}</dt>
            <dd>{value.account}</dd>
            <dt>{t('message.priority')}</dt>
            <dd>{t(`priority.${value.priority}` as Key)}</dd>
            <dt>{t('subs.asked')}</dt>
            <dd>
              <When at={value.subscribed_at} />
            </dd>
            {value.retry_at ? (
              <>
                <dt>{t('subs.retry', { n: value.attempts })}</dt>
                <dd>
                  <When at={value.retry_at} />
                </dd>
              </>
            ) : null}
          </dl>
          <div className="actions">
            {value.by_name ? (
              <Action
                scope="track"
                sure={t('contact.untrack.sure')}
                work={async () => {
                  await call('DELETE', path`/api/subscriptions/${jid}`)
                  if (value.groups.length) await subscription.load()
                  else place.go('/')
                }}
              >
                {t('subs.untrack')}
              </Action>
            ) : null}
          </div>
        </>
      ) : null}
    </section>
  )
}

function Chat({ jid }: { jid: string }): ReactNode {
  const value = useResource<SubscriptionWithReasons>(path`/api/subscriptions/${jid}`).value
  const chat = useResource<{ messages: ChatMessage[]; next: string | null }>(
    value ? `${path`/api/chats/${jid}/messages`}?limit=30&account=${encodeURIComponent(value.account)}` : null,
    ['message.received', 'job.changed'],
  )
  const [older, setOlder] = useState<ChatMessage[]>([])
  const all = [...(chat.value?.messages ?? []), ...older]
  const more = async (): Promise<void> => {
    const next = chat.value?.next
    if (!next || !value) return
    const at = `${path`/api/chats/${jid}/messages`}?limit=200&account=${encodeURIComponent(value.account)}`
    setOlder((await get<{ messages: ChatMessage[] }>(`${at}&before=${encodeURIComponent(next)}`)).messages)
  }
  return (
    <section className="card" aria-label={t('contact.chat')}>
      <h2>{t('contact.chat')}</h2>
      {chat.error ? <Failure error={chat.error} /> : null}
      {chat.value && !all.length ? <Empty title={t('contact.chat.none')} /> : null}
      <ol className="chat" reversed>
        {all.map(message => (
          <li key={message.id} className={message.from_me ? 'ours' : 'theirs'}>
            <p>
              {message.type === 'text' ? null : <span className="quiet">{t(`type.${message.type}` as Key)} </span>}
              {message.text}
            </p>
            <small className="quiet">
              {message.from_me ? t('contact.we') : t('contact.they')} · <When at={message.at} />
            </small>
          </li>
        ))}
      </ol>
      {chat.value?.next && !older.length ? (
        <button type="button" onClick={() => void more()}>
          {t('any.more')}
        </button>
      ) : null}
    </section>
  )
}

function Erase({ jid }: { jid: string }): ReactNode {
  if (!useMay('track')) return null
  return (
    <section className="card" aria-label={t('contact.erase')}>
      <h2>{t('contact.erase')}</h2>
      <p className="quiet">{t('contact.erase.hint')}</p>
      <div className="actions">
        <Action
          scope="track"
          kind="danger"
          sure={t('contact.erase.sure')}
          done={t('contact.erased')}
          work={async () => {
            await call('DELETE', path`/api/contacts/${jid}`)
            place.go('/')
          }}
        >
          {t('contact.erase')}
        </Action>
      </div>
    </section>
  )
}
