// SPDX-License-Identifier: Apache-2.0
// Whom to track, how far WhatsApp was asked for them, and how fast that goes.

import { useEffect, useRef, useState, type FormEvent, type ReactNode } from 'react'
import { call, path, post } from '../api.ts'
import { number } from '../format.ts'
import { parse } from '../forms.ts'
import { t, type Key } from '../i18n/index.ts'
import { useResource, type Resource } from '../live/resource.ts'
import { useStore } from '../live/store.ts'
import { place } from '../router.ts'
import type { Account, Group, Pace, Subscription, SubscriptionStats, TrackedGroup } from '../types.ts'
import { Action, Dialog, useAction, useMay } from '../ui/actions.tsx'
import { useSeen } from '../ui/hooks.ts'
import { Empty, Failure, Link, Loading, Person, Title, When } from '../ui/parts.tsx'
import { SubscriptionBadge } from '../ui/states.tsx'

const KINDS = ['subscription.changed', 'contact.added', 'contact.removed', 'account.changed'] as const
const STATES: Subscription['state'][] = ['queued', 'pending', 'active', 'stale', 'failed']
const PRESETS = ['small', 'medium', 'large', 'careful'] as const
const HEIGHT = 44 // pixels of a line

export function Subscriptions(): ReactNode {
  const state = useStore(place, p => p.query.get('state') ?? '')
  const stats = useResource<SubscriptionStats>('/api/subscriptions/stats', KINDS)
  const all = useResource<Subscription[]>('/api/subscriptions', KINDS)
  const found = all.value?.filter(each => !state || each.state === state)
  const [adding, setAdding] = useState(false)
  const add = useMay('track') ? (
    <button type="button" className="primary" onClick={() => setAdding(true)}>
      {t('now.track')}
    </button>
  ) : null
  return (
    <div className="page">
      <Title aside={add}>{t('nav.subscriptions')}</Title>
      <p className="quiet">{t('subs.about')}</p>
      <div className="columns">
        <PaceCard queue={stats.value?.queue_length ?? 0} />
        <Groups />
      </div>
      <div className="chips" role="group" aria-label={t('any.state')}>
        {(['', ...STATES] as const).map(each => (
          <button
            key={each}
            type="button"
            className="chip"
            aria-pressed={state === each}
            onClick={() => place.set({ state: each })}
          >
            {each ? t(`subscription.${each}`) : t('any.all')}{' '}
            <span className="quiet">
              {all.value ? number(all.value.filter(one => !each || one.state === each).length) : ''}
            </span>
          </button>
        ))}
      </div>
      {all.error ? <Failure error={all.error} retry={() => void all.load()} /> : null}
      {!all.value && !all.error ? <Loading /> : null}
      {found?.length === 0 ? <Empty title={state ? t('now.nothing') : t('now.nobody')} /> : null}
      {found?.length ? <List found={found} /> : null}
      {adding ? <Track all={all} close={() => setAdding(false)} /> : null}
    </div>
  )
}

function List({ found }: { found: Subscription[] }): ReactNode {
  const list = useRef<HTMLDivElement>(null)
  const [first, end] = useSeen(list, found.length, HEIGHT)
  return (
    <div ref={list} className="rows plain" role="list" aria-label={t('nav.subscriptions')} style={{ height: found.length * HEIGHT }}>
      {found.slice(first, end).map((each, index) => (
        <div
          key={`${each.account} ${each.jid}`}
          role="listitem"
          className="row sub"
          aria-posinset={first + index + 1}
          aria-setsize={found.length}
          style={{ transform: `translateY(${(first + index) * HEIGHT}px)`, height: HEIGHT }}
        >
          <Link to={path`/contacts/${each.jid}`}>
            <Person jid={each.jid} name={each.name} />
          </Link>
          <SubscriptionBadge state={each.state} />
          <small className="quiet">
            {each.retry_at ? (
              <>
                {t('subs.retry', { n: each.attempts })} <When at={each.retry_at} />
              </>
            ) : each.subscribed_at ? (
              <>
                {t('subs.asked')} <When at={each.subscribed_at} />
              </>
            ) : (
              t('subs.waits')
            )}
          </small>
          <small className="quiet">{t(`priority.${each.priority}` as Key)}</small>
        </div>
      ))}
    </div>
  )
}

function PaceCard({ queue }: { queue: number }): ReactNode {
  const pace = useResource<Pace>('/api/subscriptions/pace')
  const [draft, setDraft] = useState<Pace | null>(null)
  const [busy, run] = useAction()
  const may = useMay('track')
  useEffect(() => setDraft(pace.value ?? null), [pace.value])
  if (pace.error) return <Failure error={pace.error} retry={() => void pace.load()} />
  if (!draft) return <Loading />
  const put = (change: object) => run(async () => pace.set(await call<Pace>('PUT', '/api/subscriptions/pace', change)), t('subs.paceSet'))
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    const { batch_size, batch_delay_seconds, subscription_delay_seconds } = draft
    void put({ batch_size, batch_delay_seconds, subscription_delay_seconds })
  }
  const field = (name: 'batch_size' | 'batch_delay_seconds' | 'subscription_delay_seconds', step: number, label: Key): ReactNode => (
    <label className="field">
      <span>{t(label)}</span>
      <input
        type="number"
        required
        min={name === 'batch_size' ? 1 : 0}
        step={step}
        disabled={!may}
        value={draft[name]}
        onChange={event => setDraft({ ...draft, [name]: event.target.valueAsNumber || 0 })}
      />
    </label>
  )
  const rate = pace.value?.per_minute
  return (
    <section className="card" aria-label={t('subs.pace')}>
      <header>
        <h2>{t('subs.pace')}</h2>
        <span className="quiet">{rate ? t('subs.perMinute', { n: Math.round(rate) }) : t('subs.noLimit')}</span>
      </header>
      <div className="actions" role="group" aria-label={t('subs.presets')}>
        {PRESETS.filter(preset => may || pace.value?.preset === preset).map(preset => (
          <button
            key={preset}
            type="button"
            className="small"
            aria-pressed={pace.value?.preset === preset}
            disabled={!may || busy}
            onClick={() => void put({ preset })}
          >
            {t(`preset.${preset}`)}
          </button>
        ))}
      </div>
      <form className="thirds" onSubmit={submit}>
        {field('batch_size', 1, 'subs.batch')}
        {field('subscription_delay_seconds', 0.05, 'subs.gap')}
        {field('batch_delay_seconds', 0.5, 'subs.rest')}
        {may ? (
          <button type="submit" disabled={busy}>
            {t('subs.set')}
          </button>
        ) : null}
      </form>
      <p className="quiet">
        {queue ? t('subs.queue', { n: queue, minutes: rate ? Math.max(1, Math.ceil(queue / rate)) : 1 }) : t('subs.queue.empty')}
      </p>
    </section>
  )
}

function Groups(): ReactNode {
  const tracked = useResource<TrackedGroup[]>('/api/subscriptions/groups', ['group.changed'])
  const [choosing, setChoosing] = useState(false)
  const may = useMay('track')
  return (
    <section className="card" aria-label={t('subs.groups')}>
      <header>
        <h2>{t('subs.groups')}</h2>
        {may ? (
          <button type="button" className="small" onClick={() => setChoosing(true)}>
            {t('subs.trackGroup')}
          </button>
        ) : null}
      </header>
      {tracked.value?.length ? (
        <ul className="simple">
          {tracked.value.map(group => (
            <li key={group.jid}>
              <Link to={`/?group=${encodeURIComponent(group.jid)}`}>{group.name || group.jid}</Link>
              <small className="quiet">{t(`priority.${group.priority}` as Key)}</small>
              <Action
                scope="track"
                small
                kind="plain"
                sure={t('subs.untrackGroup.sure')}
                label={`${t('subs.untrack')}: ${group.name}`}
                work={async () => {
                  await call('DELETE', path`/api/subscriptions/groups/${group.jid}`)
                  await tracked.load()
                }}
              >
                {t('subs.untrack')}
              </Action>
            </li>
          ))}
        </ul>
      ) : (
        <p className="quiet">{t('subs.groups.none')}</p>
      )}
      {choosing ? <ChooseGroup tracked={tracked} close={() => setChoosing(false)} /> : null}
    </section>
  )
}

function ChooseGroup({ tracked, close }: { tracked: Resource<TrackedGroup[]>; close: () => void }): ReactNode {
  const accounts = useResource<Account[]>('/api/accounts')
  const [account, setAccount] = useState('')
  const name = account || accounts.value?.[0]?.name || ''
  const groups = useResource<(Group & { tracked: boolean })[]>(name ? `/api/groups?account=${encodeURIComponent(name)}` : null)
  return (
    <Dialog title={t('subs.trackGroup')} close={close}>
      {(accounts.value?.length ?? 0) > 1 ? (
        <label className="field">
          <span>{t('any.account')}</span>
          <select value={name} onChange={event => setAccount(event.target.value)}>
            {accounts.value?.map(each => <option key={each.name}>{each.name}</option>)}
          </select>
        </label>
      ) : null}
      {groups.error ? <Failure error={groups.error} /> : null}
      <ul className="simple">
        {groups.value?.map(group => (
          <li key={group.jid}>
            {group.name || group.jid}
            {group.tracked ? (
              <small className="quiet">{t('subs.tracked')}</small>
            ) : (
              <Action
                scope="track"
                small
                done={t('subs.groupTracked')}
                work={async () => {
                  await post('/api/subscriptions/groups', { group: group.jid, account: name })
                  await Promise.all([tracked.load(), groups.load()])
                }}
              >
                {t('subs.track')}
              </Action>
            )}
          </li>
        ))}
      </ul>
      <div className="actions">
        <button type="button" onClick={close}>
          {t('any.close')}
        </button>
      </div>
    </Dialog>
  )
}

function Track({ all, close }: { all: Resource<Subscription[]>; close: () => void }): ReactNode {
  const accounts = useResource<Account[]>('/api/accounts')
  const [text, setText] = useState('')
  const [priority, setPriority] = useState(2)
  const [account, setAccount] = useState('')
  const [busy, run] = useAction()
  const people = parse(text)
  const track = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    const wish = { contacts: people, priority, ...(account ? { account } : {}) }
    const done = await run(async () => {
      await post('/api/subscriptions', wish)
      await all.load()
    }, t('subs.trackedNow', { n: people.length }))
    if (done) close()
  }
  return (
    <Dialog title={t('now.track')} close={close}>
      <form className="form" onSubmit={event => void track(event)}>
        <label className="field">
          <span>{t('subs.people')}</span>
          <textarea
            required
            autoFocus
            placeholder={'+91 98765 43210, John Doe\n+91 91234 56789'}
            value={text}
            onChange={event => setText(event.target.value)}
          />
        </label>
        <p className="quiet">{t('subs.consent')}</p>
        <label className="field">
          <span>{t('message.priority')}</span>
          <select value={priority} onChange={event => setPriority(Number(event.target.value))}>
            {[1, 2, 3].map(each => (
              <option key={each} value={each}>
                {t(`priority.${each}` as Key)}
              </option>
            ))}
          </select>
        </label>
        {(accounts.value?.length ?? 0) > 1 ? (
          <label className="field">
            <span>{t('any.account')}</span>
            <select required value={account} onChange={event => setAccount(event.target.value)}>
              <option value="" />
              {accounts.value?.map(each => <option key={each.name}>{each.name}</option>)}
            </select>
          </label>
        ) : null}
        <div className="actions">
          <button type="submit" className="primary" disabled={busy || !people.length}>
            {t('subs.trackThese', { n: people.length })}
          </button>
          <button type="button" onClick={close}>
            {t('any.cancel')}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
