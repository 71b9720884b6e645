// SPDX-License-Identifier: Apache-2.0
// Who is online now: figures, a search, and every contact with its last 24 hours.

import { memo, useDeferredValue, useEffect, useMemo, useRef, useState, type ReactNode } from 'react'
import { path } from '../api.ts'
import { about, duration, named, person, time } from '../format.ts'
import { t, type Key } from '../i18n/index.ts'
import { contacts, type Contact, type Sort, type Status } from '../live/contacts.ts'
import { figures } from '../live/figures.ts'
import { useResource } from '../live/resource.ts'
import { useStore } from '../live/store.ts'
import { timelines } from '../live/timelines.ts'
import { prefs } from '../prefs.ts'
import { place } from '../router.ts'
import type { TrackedGroup } from '../types.ts'
import { useNow, useSeen, useWidth } from '../ui/hooks.ts'
import { Icon } from '../ui/icons.tsx'
import { Empty, Failure, Link, Loading, Title } from '../ui/parts.tsx'
import { Timeline, within } from '../ui/timeline.tsx'

const SORTS: Sort[] = ['activity', 'seen', 'busy', 'name']
const STATUSES: Status[] = ['online', 'offline', 'unknown']
const SPANS = ['24', '6', '1', '0.25'] as const // hours
const RESORT = 1_000 // milliseconds: lines that jump about more often could not be read
const FRESH = 15_000 // milliseconds in which one has just come
const WIDE = 760 // pixels from which on a line has its timeline beside the name
const HEIGHTS = { wide: 48, narrow: 72 }

export function Now(): ReactNode {
  const query = useStore(place, p => p.query)
  const state = useStore(contacts, c => c.state)
  const all = useStore(contacts, c => c.byJid.size)
  const unknown = useStore(contacts, c => c.counts.unknown)
  const status = (query.get('status') ?? '') as Status | ''
  return (
    <div className="page now">
      <Title aside={<Legend />}>{t('now.title')}</Title>
      <Summary chosen={status} />
      {all > 0 && unknown === all ? (
        <p className="notice warn" role="status">
          {t('now.everybodyUnknown')} <Link to="/accounts">{t('now.seeAccounts')}</Link>
        </p>
      ) : null}
      {state === 'loading' ? <Loading /> : null}
      {state === 'failed' ? <Failure error={contacts.error} retry={() => void contacts.load()} /> : null}
      {state === 'ready' && all === 0 ? (
        <Empty title={t('now.nobody')} hint={t('now.nobody.hint')}>
          <Link to="/subscriptions" className="button">
            {t('now.track')}
          </Link>
        </Empty>
      ) : null}
      {all > 0 ? <Everybody status={status} query={query} /> : null}
    </div>
  )
}

function Summary({ chosen }: { chosen: Status | '' }): ReactNode {
  useStore(contacts, c => c.version)
  const changes = useStore(figures, f => f.lastMinute(sample => sample.presence_changes))
  return (
    <div className="tiles" role="group" aria-label={t('now.contacts', { n: contacts.byJid.size })}>
      {STATUSES.map(status => (
        <button
          key={status}
          type="button"
          className={`tile ${status}`}
          aria-pressed={chosen === status}
          onClick={() => place.set({ status: chosen === status ? '' : status })}
        >
          <span className="tile-name">
            <i className={`mark ${status}`} aria-hidden="true" />
            {t(`now.${status}`)}
          </span>
          <span className="tile-value">{about(contacts.counts[status])}</span>
        </button>
      ))}
      <div className="tile plain">
        <span className="tile-name">{t('now.changes')}</span>
        <span className="tile-value">{about(changes)}</span>
      </div>
    </div>
  )
}

function Legend(): ReactNode {
  return (
    <ul className="legend" aria-label={t('legend.title')}>
      {STATUSES.map(status => (
        <li key={status}>
          <svg width="22" height="12" aria-hidden="true">
            {status === 'unknown' ? <rect width="22" height="12" fill="url(#hatch)" /> : null}
            {status === 'offline' ? <rect className="t-offline" y="5" width="22" height="2" /> : null}
            {status === 'online' ? <rect className="t-online" width="22" height="12" /> : null}
          </svg>
          {t(`legend.${status}`)}
        </li>
      ))}
    </ul>
  )
}

function Everybody({ status, query }: { status: Status | ''; query: URLSearchParams }): ReactNode {
  const [text, setText] = useState(query.get('q') ?? '')
  const wanted = useDeferredValue(text)
  const group = query.get('group') ?? ''
  const sort = (query.get('sort') ?? 'activity') as Sort
  const span = SPANS.find(each => each === query.get('hours')) ?? '24'
  const groups = useResource<TrackedGroup[]>('/api/subscriptions/groups', ['group.changed'])
  const members = useResource<string[]>(group ? path`/api/subscriptions/groups/${group}` : null)
  const set = useMemo(() => (group ? new Set(members.value ?? []) : null), [group, members.value])
  const found = useFound({ text: wanted, status, members: set, sort: SORTS.includes(sort) ? sort : 'activity' })
  return (
    <>
      <form className="filters" role="search" onSubmit={event => event.preventDefault()}>
        <label className="search">
          <Icon name="search" />
          <span className="hidden">{t('now.search')}</span>
          <input
            type="search"
            value={text}
            placeholder={t('now.search')}
            onChange={event => setText(event.target.value)}
            onBlur={() => place.set({ q: text })}
          />
        </label>
        {groups.value?.length ? (
          <label>
            <span>{t('now.group')}</span>
            <select value={group} onChange={event => place.set({ group: event.target.value })}>
              <option value="">{t('now.everybody')}</option>
              {groups.value.map(each => (
                <option key={each.jid} value={each.jid}>
                  {each.name || each.jid}
                </option>
              ))}
            </select>
          </label>
        ) : null}
        <label>
          <span>{t('now.sort')}</span>
          <select value={sort} onChange={event => place.set({ sort: event.target.value })}>
            {SORTS.map(each => (
              <option key={each} value={each}>
                {t(`now.sort.${each}` as Key)}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span>{t('now.span')}</span>
          <select value={span} onChange={event => place.set({ hours: event.target.value === '24' ? '' : event.target.value })}>
            {SPANS.map(each => (
              <option key={each} value={each}>
                {t(`now.span.${each}`)}
              </option>
            ))}
          </select>
        </label>
        <output className="quiet">{t('now.shown', { n: found.length })}</output>
      </form>
      {found.length ? <List found={found} span={Number(span) * 3600} /> : <Empty title={t('now.nothing')} hint={t('now.nothing.hint')} />}
    </>
  )
}

/** Who is meant, in order: anew at once when the question changes, else at most once a second. */
function useFound(view: Parameters<typeof contacts.in>[0]): Contact[] {
  const { text, status, members, sort } = view
  const [beat, setBeat] = useState(0)
  const shown = useRef(contacts.version)
  useEffect(() => {
    const timer = setInterval(() => {
      if (shown.current !== contacts.version) setBeat(before => before + 1)
    }, RESORT)
    return () => clearInterval(timer)
  }, [])
  return useMemo(() => {
    shown.current = contacts.version
    return contacts.in({ text, status, members, sort })
    // eslint-disable-next-line -- the beat is what makes it look again
  }, [text, status, members, sort, beat])
}

function List({ found, span }: { found: Contact[]; span: number }): ReactNode {
  const list = useRef<HTMLDivElement>(null)
  const width = useWidth(list)
  const wide = width >= WIDE
  const height = wide ? HEIGHTS.wide : HEIGHTS.narrow
  const [first, end] = useSeen(list, found.length, height)
  const now = useNow()
  const bar = wide ? Math.floor((width - 24) * 0.52) : width - 24
  return (
    <div
      ref={list}
      className={`rows ${wide ? 'wide' : 'narrow'}`}
      role="list"
      aria-label={t('now.list')}
      style={{ height: found.length * height }}
      onKeyDown={step}
    >
      {found.slice(first, end).map((contact, index) => (
        <Row
          key={contact.jid}
          contact={contact}
          top={(first + index) * height}
          place={first + index + 1}
          of={found.length}
          bar={bar}
          now={now}
          span={span}
        />
      ))}
    </div>
  )
}

/** Up and down go from line to line. */
function step(event: React.KeyboardEvent<HTMLElement>): void {
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return
  const line = (event.target as HTMLElement).closest('[role=listitem]')
  const wanted = Number(line?.getAttribute('aria-posinset')) + (event.key === 'ArrowDown' ? 1 : -1)
  const next = event.currentTarget.querySelector<HTMLElement>(`[aria-posinset="${wanted}"] a`)
  if (next) {
    event.preventDefault()
    next.focus()
  }
}

interface RowProps {
  contact: Contact
  top: number
  place: number
  of: number
  bar: number
  now: number
  span: number
}

const Row = memo(function Row({ contact, top, place: nth, of, bar, now, span }: RowProps): ReactNode {
  useStore(contacts, () => contact.version)
  const revealed = useStore(prefs, p => p.revealed)
  useEffect(() => () => timelines.leave(contact.jid), [contact.jid])
  useStore(timelines, lines => lines.has(contact.jid))
  const line = timelines.of(contact.jid)
  const to = Math.max(now, contact.since) / 1000
  const from = to - span
  const name = named(contact.name, contact.jid, revealed)
  return (
    <div
      role="listitem"
      className={`row ${contact.status}`}
      style={{ transform: `translateY(${top}px)` }}
      aria-posinset={nth}
      aria-setsize={of}
    >
      <Link to={path`/contacts/${contact.jid}`} className="row-link">
        <i className={`mark ${contact.status}`} aria-hidden="true" />
        <span className="row-name">
          <b>{name}</b>
          <small className="quiet">{person(contact.jid, revealed)}</small>
        </span>
        <span className="row-state">
          {contact.typing ? <em>{t(`contact.${contact.typing}` as Key)}</em> : <span>{standing(contact, now)}</span>}
          <small className="quiet">{lastSeen(contact, now)}</small>
        </span>
      </Link>
      <span className="row-line">
        {line && bar > 0 ? (
          <Timeline
            online={line.online}
            observed={line.observed}
            from={from}
            to={to}
            width={bar}
            label={t('timeline.label', {
              time: duration(span * 1000),
              online: duration(within(line.online, from, to) * 1000),
              observed: duration(within(line.observed, from, to) * 1000),
            })}
          />
        ) : null}
      </span>
    </div>
  )
})

/** What holds now, in words. */
export function standing({ status, since }: Contact, now: number): string {
  const later = Math.max(now, since)
  const lasts = later - since
  if (status === 'unknown') {
    return since ? t('contact.unknownSince', { time: time(since, later) }) : t('contact.unknownNever')
  }
  if (lasts < FRESH) return t(`contact.${status}Now`)
  return t(`contact.${status}For`, { time: duration(lasts) })
}

/** When a contact who is not online was last seen. */
export function lastSeen({ status, seen }: Contact, now: number): string {
  if (status === 'online') return ''
  return seen ? t('contact.seen', { time: time(seen, now) }) : status === 'offline' ? t('contact.hidden') : ''
}
