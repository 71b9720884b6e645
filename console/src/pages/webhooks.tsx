// SPDX-License-Identifier: Apache-2.0
// Who is told of events: endpoints, how they stand, what was delivered, and what was in it.

import { useEffect, useState, type FormEvent, type ReactNode } from 'react'
import { call, get, path, post } from '../api.ts'
import { masked, number, seconds } from '../format.ts'
import { localTime, pretty } from '../forms.ts'
import { t } from '../i18n/index.ts'
import { useResource, type Resource } from '../live/resource.ts'
import { useStore } from '../live/store.ts'
import { stream } from '../live/stream.ts'
import { prefs } from '../prefs.ts'
import { place } from '../router.ts'
import type { Delivery, Endpoint, WholeDelivery } from '../types.ts'
import { Action, Copy, Dialog, useAction, useMay } from '../ui/actions.tsx'
import { Empty, Failure, Link, Loading, Title, When } from '../ui/parts.tsx'
import { DeliveryBadge, EndpointBadge } from '../ui/states.tsx'

const KINDS = ['webhook.changed', 'delivery.tried', 'webhook.dropped'] as const
const DELIVERIES: Delivery['state'][] = ['pending', 'delivered', 'failed']

export function Webhooks(): ReactNode {
  const endpoints = useResource<Endpoint[]>('/api/webhooks', KINDS)
  const [adding, setAdding] = useState(false)
  const add = useMay('admin') ? (
    <button type="button" className="primary" onClick={() => setAdding(true)}>
      {t('webhooks.add')}
    </button>
  ) : null
  return (
    <div className="page">
      <Title aside={add}>{t('nav.webhooks')}</Title>
      {endpoints.error ? <Failure error={endpoints.error} retry={() => void endpoints.load()} /> : null}
      {!endpoints.value && !endpoints.error ? <Loading /> : null}
      {endpoints.value?.length === 0 ? <Empty title={t('webhooks.none')} hint={t('webhooks.none.hint')} /> : null}
      {endpoints.value?.length ? (
        <ul className="lines" aria-label={t('nav.webhooks')}>
          {endpoints.value.map(endpoint => (
            <li key={endpoint.id} className="line">
              <Link to={path`/webhooks/${endpoint.id}`} className="line-link">
                <span className="line-main">
                  <b>{endpoint.description || hostOf(endpoint.url)}</b>
                  <span className="line-text mono">{endpoint.events.join(', ')}</span>
                </span>
              </Link>
              <span className="line-side">
                <EndpointBadge state={endpoint.state} />
                <small className="quiet">{t('webhooks.waiting', { n: endpoint.waiting })}</small>
              </span>
            </li>
          ))}
        </ul>
      ) : null}
      {adding ? <AddEndpoint all={endpoints} close={() => setAdding(false)} /> : null}
    </div>
  )
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url
}

function AddEndpoint({ all, close }: { all: Resource<Endpoint[]>; close: () => void }): ReactNode {
  const [url, setUrl] = useState('')
  const [events, setEvents] = useState('*')
  const [description, setDescription] = useState('')
  const [ordered, setOrdered] = useState(false)
  const [made, setMade] = useState<(Endpoint & { secret: string }) | null>(null)
  const [busy, run] = useAction()
  const add = (event: FormEvent): void => {
    event.preventDefault()
    const wish = { url, events: events.split(/[\s,]+/).filter(Boolean), description, ordered }
    void run(async () => {
      setMade(await post('/api/webhooks', wish))
      await all.load()
    })
  }
  if (made) return <Secret secret={made.secret} close={() => (close(), place.go(path`/webhooks/${made.id}`))} />
  return (
    <Dialog title={t('webhooks.add')} close={close}>
      <form className="form" onSubmit={add}>
        <label className="field">
          <span>{t('webhooks.url')}</span>
          <input type="url" required autoFocus placeholder="https://" value={url} onChange={e => setUrl(e.target.value)} />
        </label>
        <label className="field">
          <span>{t('webhooks.events')}</span>
          <input required className="mono" value={events} onChange={e => setEvents(e.target.value)} />
        </label>
        <p className="quiet">{t('webhooks.events.hint')}</p>
        <label className="field">
          <span>{t('webhooks.description')}</span>
          <input value={description} onChange={e => setDescription(e.target.value)} />
        </label>
        <label className="check">
          <input type="checkbox" checked={ordered} onChange={e => setOrdered(e.target.checked)} />
          {t('webhooks.ordered')}
        </label>
        <div className="actions">
          <button type="submit" className="primary" disabled={busy}>
            {t('webhooks.add')}
          </button>
          <button type="button" onClick={close}>
            {t('any.cancel')}
          </button>
        </div>
      </form>
    </Dialog>
  )
}

/** A secret is shown this once; whoever loses it makes another. */
function Secret({ secret, close }: { secret: string; close: () => void }): ReactNode {
  return (
    <Dialog title={t('webhooks.secret')} close={close}>
      <p>{t('webhooks.secret.once')}</p>
      <p className="source mono" data-secret>
        {secret}
      </p>
      <div className="actions">
        <Copy text={secret} />
        <button type="button" className="primary" onClick={close}>
          {t('webhooks.secret.kept')}
        </button>
      </div>
    </Dialog>
  )
}

export function Webhook({ id }: { id: string }): ReactNode {
  const endpoint = useResource<Endpoint>(path`/api/webhooks/${id}`, KINDS)
  const [secret, setSecret] = useState('')
  const at = path`/api/webhooks/${id}`
  const value = endpoint.value
  const then = (method: string, verb = '', body?: unknown) => async () => {
    await call(method, at + verb, body)
    await endpoint.load()
  }
  if (endpoint.error) {
    return (
      <div className="page">
        <Title back="/webhooks">{t('nav.webhooks')}</Title>
        <Failure error={endpoint.error} retry={() => void endpoint.load()} />
      </div>
    )
  }
  return (
    <div className="page">
      <Title back="/webhooks">{value ? value.description || hostOf(value.url) : t('nav.webhooks')}</Title>
      {value ? (
        <section className="card">
          <header>
            <h2 className="mono cut">{value.url}</h2>
            <EndpointBadge state={value.state} />
          </header>
          <p className={value.state === 'working' ? 'quiet' : 'notice warn'}>{standing(value)}</p>
          <dl className="facts">
            <dt>{t('webhooks.events')}</dt>
            <dd className="mono">{value.events.join(', ')}</dd>
            <dt>{t('webhooks.order')}</dt>
            <dd>{value.ordered ? t('webhooks.ordered') : t('webhooks.concurrency', { n: value.concurrency })}</dd>
            <dt>{t('webhooks.queue')}</dt>
            <dd>{t('webhooks.waiting', { n: value.waiting })}</dd>
            {value.failures ? (
              <>
                <dt>{t('webhooks.failures')}</dt>
                <dd>
                  {number(value.failures)}, {t('webhooks.failingSince')} <When at={value.failing_since} />
                </dd>
                <dt>{t('webhooks.next')}</dt>
                <dd>
                  <When at={value.next_attempt_after} empty="webhooks.nextNow" />
                </dd>
              </>
            ) : null}
            {value.old_secret_until ? (
              <>
                <dt>{t('webhooks.oldSecret')}</dt>
                <dd>
                  <When at={value.old_secret_until} />
                </dd>
              </>
            ) : null}
          </dl>
          <div className="actions">
            <Action scope="admin" work={then('POST', '/test')} done={t('webhooks.tested')} disabled={!value.enabled}>
              {t('webhooks.test')}
            </Action>
            {value.state === 'working' ? (
              <Action scope="admin" work={then('PATCH', '', { enabled: false })}>
                {t('webhooks.pause')}
              </Action>
            ) : (
              <Action scope="admin" kind="primary" work={then('POST', '/enable')}>
                {t('webhooks.enable')}
              </Action>
            )}
            <Replay at={at} then={() => endpoint.load()} />
            <Action
              scope="admin"
              sure={t('webhooks.rotate.sure')}
              work={async () => {
                setSecret((await post<{ secret: string }>(`${at}/rotate`, {})).secret)
                await endpoint.load()
              }}
            >
              {t('webhooks.rotate')}
            </Action>
            <Action
              scope="admin"
              kind="danger"
              sure={t('webhooks.remove.sure')}
              work={async () => {
                await call('DELETE', at)
                place.go('/webhooks')
              }}
            >
              {t('webhooks.remove')}
            </Action>
          </div>
        </section>
      ) : (
        <Loading />
      )}
      <Deliveries endpoint={id} />
      {secret ? <Secret secret={secret} close={() => setSecret('')} /> : null}
    </div>
  )
}

function standing(endpoint: Endpoint): string {
  if (endpoint.state === 'working') return t('webhooks.working')
  if (endpoint.state === 'failing') return t('webhooks.failing')
  if (endpoint.reason === 'gone') return t('webhooks.gone')
  return endpoint.reason === 'failing' ? t('webhooks.gaveUp') : t('webhooks.paused')
}

function Replay({ at, then }: { at: string; then: () => Promise<void> }): ReactNode {
  const [asks, setAsks] = useState(false)
  const [since, setSince] = useState(() => localTime(Date.now() - 3_600_000))
  const [all, setAll] = useState(false)
  const [busy, run] = useAction()
  if (!useMay('admin')) return null
  const replay = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    const done = await run(async () => {
      await post(`${at}/replay`, { since: new Date(since).toISOString(), delivered: all })
      await then()
    }, t('webhooks.replayed'))
    if (done) setAsks(false)
  }
  return (
    <>
      <button type="button" onClick={() => setAsks(true)}>
        {t('webhooks.replay')}
      </button>
      {asks ? (
        <Dialog title={t('webhooks.replay')} close={() => setAsks(false)}>
          <form className="form" onSubmit={event => void replay(event)}>
            <label className="field">
              <span>{t('webhooks.replay.since')}</span>
              <input type="datetime-local" required value={since} onChange={e => setSince(e.target.value)} />
            </label>
            <label className="check">
              <input type="checkbox" checked={all} onChange={e => setAll(e.target.checked)} />
              {t('webhooks.replay.delivered')}
            </label>
            <div className="actions">
              <button type="submit" className="primary" disabled={busy}>
                {t('webhooks.replay')}
              </button>
              <button type="button" onClick={() => setAsks(false)}>
                {t('any.cancel')}
              </button>
            </div>
          </form>
        </Dialog>
      ) : null}
    </>
  )
}

interface Page {
  deliveries: Delivery[]
  next: number | null
}

function Deliveries({ endpoint }: { endpoint: string }): ReactNode {
  const [state, setState] = useState<Delivery['state'] | ''>('')
  const [older, setOlder] = useState<Page | null>(null)
  const [open, setOpen] = useState('')
  const [busy, run] = useAction()
  const at = path`/api/webhooks/${endpoint}/deliveries` + (state ? `?state=${state}` : '?')
  const page = useResource<Page>(at)
  useEffect(() => setOlder(null), [at])
  useEffect(
    () => stream.on<{ endpoint: string }>('delivery.tried', tried => void (tried.endpoint === endpoint && page.soon())),
    [page, endpoint],
  )
  const all = [...(page.value?.deliveries ?? []), ...(older?.deliveries ?? [])]
  const next = older ? older.next : page.value?.next
  const more = async (): Promise<void> => {
    const found = await get<Page>(`${at}&before=${next}`)
    setOlder({ deliveries: [...(older?.deliveries ?? []), ...found.deliveries], next: found.next })
  }
  return (
    <section className="stack" aria-label={t('webhooks.deliveries')}>
      <div className="filters">
        <h2>{t('webhooks.deliveries')}</h2>
        <label>
          <span>{t('any.state')}</span>
          <select value={state} onChange={event => setState(event.target.value as Delivery['state'] | '')}>
            <option value="">{t('any.all')}</option>
            {DELIVERIES.map(each => (
              <option key={each} value={each}>
                {t(`delivery.${each}`)}
              </option>
            ))}
          </select>
        </label>
      </div>
      {page.error ? <Failure error={page.error} retry={() => void page.load()} /> : null}
      {page.value && !all.length ? <Empty title={t('webhooks.deliveries.none')} /> : null}
      {all.length ? (
        <div className="table" tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th>{t('webhooks.event')}</th>
                <th>{t('any.state')}</th>
                <th className="number">{t('message.attempts')}</th>
                <th>{t('webhooks.answer')}</th>
                <th>{t('webhooks.when')}</th>
                <th>
                  <span className="hidden">{t('letters.open')}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {all.map(delivery => (
                <tr key={delivery.id}>
                  <td className="mono">{delivery.type}</td>
                  <td>
                    <DeliveryBadge state={delivery.state} />
                  </td>
                  <td className="number">{delivery.attempts}</td>
                  <td>{answer(delivery)}</td>
                  <td>
                    <When at={delivery.last?.at ?? delivery.created} />
                  </td>
                  <td>
                    <button type="button" className="small" onClick={() => setOpen(delivery.id)}>
                      {t('letters.open')}
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : null}
      {next ? (
        <button type="button" disabled={busy} onClick={() => void run(more)}>
          {t('any.more')}
        </button>
      ) : null}
      {open ? <Opened id={open} close={() => setOpen('')} then={() => page.load()} /> : null}
    </section>
  )
}

function answer(delivery: Delivery): string {
  const { last } = delivery
  if (!last) return '—'
  return `${last.status ?? (last.code || t('webhooks.noAnswer'))} · ${seconds(last.seconds)}`
}

function Opened({ id, close, then }: { id: string; close: () => void; then: () => Promise<void> }): ReactNode {
  const delivery = useResource<WholeDelivery>(path`/api/webhooks/deliveries/${id}`)
  const revealed = useStore(prefs, p => p.revealed)
  const value = delivery.value
  return (
    <Dialog title={t('webhooks.delivery')} close={close}>
      {delivery.error ? <Failure error={delivery.error} /> : null}
      {value ? (
        <>
          <p>
            <DeliveryBadge state={value.state} /> <span className="mono">{value.type}</span>
          </p>
          <pre className="source" tabIndex={0}>
            {masked(pretty(value.body), revealed)}
          </pre>
          <h3>{t('webhooks.tries')}</h3>
          <ol className="life">
            {value.tries.map(tried => (
              <li key={tried.at}>
                <When at={tried.at} />{' '}
                <span>
                  {tried.status ?? tried.code} · {seconds(tried.seconds)} {tried.detail}
                </span>
              </li>
            ))}
          </ol>
        </>
      ) : null}
      <div className="actions">
        <Action
          scope="admin"
          kind="primary"
          done={t('webhooks.replayed')}
          work={async () => {
            await post(path`/api/webhooks/deliveries/${id}/replay`)
            await Promise.all([delivery.load(), then()])
          }}
        >
          {t('webhooks.deliverAgain')}
        </Action>
        <button type="button" onClick={close}>
          {t('any.close')}
        </button>
      </div>
    </Dialog>
  )
}
