// SPDX-License-Identifier: Apache-2.0
// What we send, and how far it is: the ledger as it changes, and one message's life.

import { useEffect, useMemo, useState, type ReactNode } from 'react'
import { get, path, post } from '../api.ts'
import { moment, number } from '../format.ts'
import { t, type Key } from '../i18n/index.ts'
import { contacts } from '../live/contacts.ts'
import { useResource } from '../live/resource.ts'
import { useStore } from '../live/store.ts'
import { stream } from '../live/stream.ts'
import { place } from '../router.ts'
import type { Account, Job, JobPage, JobState, JobStats, JobWithReceipts } from '../types.ts'
import { Action, useAction, useMay } from '../ui/actions.tsx'
import { Compose } from '../ui/compose.tsx'
import { Empty, Failure, Link, Loading, Masked, Person, Title, When } from '../ui/parts.tsx'
import { JobBadge } from '../ui/states.tsx'

const STATES: JobState[] = ['accepted', 'sending', 'sent', 'delivered', 'read', 'played', 'unconfirmed', 'failed', 'cancelled']
const MOST = 500 // lines of a page that grows by itself

export function Messages(): ReactNode {
  const query = useStore(place, p => p.query)
  const [writing, setWriting] = useState(false)
  const stats = useResource<JobStats>('/api/messages/stats', ['job.changed'])
  const accounts = useResource<Account[]>('/api/accounts')
  const state = STATES.find(each => each === query.get('state')) ?? ''
  const write = useMay('send') ? (
    <button type="button" className="primary" onClick={() => setWriting(true)}>
      {t('messages.write')}
    </button>
  ) : null
  return (
    <div className="page">
      <Title aside={write}>{t('nav.messages')}</Title>
      <div className="chips" role="group" aria-label={t('any.state')}>
        <Chip value="" chosen={state === ''} label={t('any.all')} count={stats.value?.total} />
        {STATES.map(each => (
          <Chip
            key={each}
            value={each}
            chosen={state === each}
            label={t(`job.${each}`)}
            count={stats.value?.states[each]}
          />
        ))}
      </div>
      <form className="filters" onSubmit={event => event.preventDefault()}>
        {(accounts.value?.length ?? 0) > 1 ? (
          <label>
            <span>{t('any.account')}</span>
            <select value={query.get('account') ?? ''} onChange={event => place.set({ account: event.target.value })}>
              <option value="">{t('any.all')}</option>
              {accounts.value?.map(account => <option key={account.name}>{account.name}</option>)}
            </select>
          </label>
        ) : null}
        <label className="check">
          <input
            type="checkbox"
            checked={query.get('scheduled') === 'true'}
            onChange={event => place.set({ scheduled: event.target.checked ? 'true' : '' })}
          />
          {t('messages.scheduled')}
        </label>
      </form>
      <Ledger state={state} account={query.get('account') ?? ''} to={query.get('to') ?? ''} scheduled={query.get('scheduled') ?? ''} />
      {writing ? <Compose close={() => setWriting(false)} /> : null}
    </div>
  )
}

interface ChipProps {
  value: string
  chosen: boolean
  label: string
  count: number | undefined
}

function Chip({ value, chosen, label, count }: ChipProps): ReactNode {
  return (
    <button type="button" className="chip" aria-pressed={chosen} onClick={() => place.set({ state: value })}>
      {label} <span className="quiet">{count === undefined ? '' : number(count)}</span>
    </button>
  )
}

interface Wish {
  state: JobState | ''
  account: string
  to: string
  scheduled: string
}

/** A page of jobs, in which each change of a job is seen at once; new ones come in at the top. */
function useLedger({ state, account, to, scheduled }: Wish) {
  const query = new URLSearchParams(
    Object.entries({ state, account, to, scheduled }).filter(([, value]) => value),
  ).toString()
  const first = useResource<JobPage>(`/api/messages?${query}`)
  const [older, setOlder] = useState<Job[]>([])
  const [next, setNext] = useState<number | null | undefined>(undefined)
  useEffect(() => {
    setOlder([])
    setNext(undefined)
  }, [query])
  useEffect(() => {
    const fits = (job: Job): boolean =>
      (!state || job.state === state) &&
      (!account || job.account === account) &&
      (!to || job.to.startsWith(to.replace(/\D/g, ''))) &&
      (!scheduled || job.send_at !== null)
    return stream.on<Job & { before: string | null }>('job.changed', job => {
      const page = first.value
      if (!page) return
      const known = page.messages.some(each => each.id === job.id)
      const changed = page.messages.map(each => (each.id === job.id ? job : each))
      const messages = known ? changed.filter(fits) : fits(job) && !job.before ? [job, ...changed] : changed
      first.set({ ...page, messages: messages.slice(0, MOST) })
      setOlder(before => before.map(each => (each.id === job.id ? job : each)).filter(fits))
      if (!known && fits(job) && job.before) first.soon()
    })
  }, [first, state, account, to, scheduled])
  const more = next === undefined ? (first.value?.next ?? null) : next
  const jobs = useMemo(() => [...(first.value?.messages ?? []), ...older], [first.value, older])
  const loadMore = async (): Promise<void> => {
    const page = await get<JobPage>(`/api/messages?${query}&before=${more}`)
    setOlder(before => [...before, ...page.messages])
    setNext(page.next)
  }
  return { first, jobs, more, loadMore }
}

export function Ledger(wish: Wish): ReactNode {
  const { first, jobs, more, loadMore } = useLedger(wish)
  const [busy, run] = useAction()
  if (first.error) return <Failure error={first.error} retry={() => void first.load()} />
  if (!first.value) return <Loading />
  if (!jobs.length) return <Empty title={t('messages.none')} hint={t('messages.none.hint')} />
  return (
    <>
      <ul className="lines" aria-label={t('nav.messages')}>
        {jobs.map(job => (
          <li key={job.id} className="line job">
            <Link to={path`/messages/${job.id}`} className="line-link">
              <span className="line-main">
                <b>
                  <Recipient jid={job.to} />
                </b>
                <span className="line-text">{summary(job)}</span>
              </span>
            </Link>
            <span className="line-side">
              <JobBadge state={job.state} />
              <small className="quiet">
                {job.send_at ? (
                  <>
                    {t('messages.due')} <When at={job.send_at} />
                  </>
                ) : job.retry_at ? (
                  <>
                    {t('messages.again')} <When at={job.retry_at} />
                  </>
                ) : (
                  <When at={job.since} />
                )}
              </small>
            </span>
          </li>
        ))}
      </ul>
      {more ? (
        <button type="button" disabled={busy} onClick={() => void run(loadMore)}>
          {t('any.more')}
        </button>
      ) : null}
    </>
  )
}

/** A contact's name if we know one, else the number. */
export function Recipient({ jid }: { jid: string }): ReactNode {
  const name = useStore(contacts, c => c.byJid.get(jid)?.name)
  return name === undefined ? <Person jid={jid} /> : <Person jid={jid} name={name} />
}

/** What a message says, in a line. */
export function summary(job: Job): string {
  const { content, type } = job
  const text = content['text'] ?? content['caption'] ?? content['question'] ?? content['emoji'] ?? content['name'] ?? ''
  return type === 'text' ? String(text) : `${t(`type.${type}` as Key)}${text ? `: ${String(text)}` : ''}`
}

export function Message({ id }: { id: string }): ReactNode {
  const job = useResource<JobWithReceipts>(path`/api/messages/${id}`)
  useEffect(() => stream.on<Job>('job.changed', changed => void (changed.id === id && job.soon())), [job, id])
  const at = path`/api/messages/${id}`
  const value = job.value
  const then = (verb: string) => async () => {
    await post(`${at}/${verb}`)
    await job.load()
  }
  return (
    <div className="page">
      <Title back="/messages">{t('message.title')}</Title>
      {job.error ? <Failure error={job.error} retry={() => void job.load()} /> : null}
      {!value && !job.error ? <Loading /> : null}
      {value ? (
        <>
          <section className="card">
            <header>
              <h2>
                <Link to={path`/contacts/${value.to}`}>
                  <Recipient jid={value.to} />
                </Link>
              </h2>
              <JobBadge state={value.state} />
            </header>
            <p className="said">{summary(value)}</p>
            <p className="quiet">{t(`job.${value.state}.hint`)}</p>
            {value.detail ? (
              <p className={value.state === 'failed' ? 'notice bad' : 'notice warn'}>
                <span>
                  <Masked text={value.detail} /> <code>{value.code}</code>
                </span>
              </p>
            ) : null}
            <div className="actions">
              {value.state === 'accepted' || value.state === 'unconfirmed' ? (
                <Action scope="send" work={then('cancel')} kind="danger" sure={t('message.cancel.sure')}>
                  {t('message.cancel')}
                </Action>
              ) : null}
              {value.state === 'failed' || value.state === 'unconfirmed' ? (
                <Action
                  scope="send"
                  work={then('retry')}
                  kind="primary"
                  {...(value.state === 'unconfirmed' ? { sure: t('message.retry.twice') } : {})}
                >
                  {t('message.retry')}
                </Action>
              ) : null}
            </div>
          </section>
          <Life job={value} />
          <Facts job={value} />
        </>
      ) : null}
    </div>
  )
}

/** What happened to a message, in order. */
function Life({ job }: { job: JobWithReceipts }): ReactNode {
  const steps: { at: string; what: ReactNode }[] = [{ at: job.created_at, what: t('life.accepted', { door: job.door }) }]
  if (job.sent_at) steps.push({ at: job.sent_at, what: t('life.sent') })
  for (const receipt of job.receipts) {
    steps.push({
      at: receipt.at,
      what: (
        <>
          {t(`life.${receipt.state}`)} <Recipient jid={receipt.reader} />
        </>
      ),
    })
  }
  if (!job.receipts.length) {
    for (const mark of ['delivered', 'read', 'played'] as const) {
      const at = job[`${mark}_at`]
      if (at) steps.push({ at, what: t(`job.${mark}`) })
    }
  }
  if (['failed', 'cancelled', 'unconfirmed'].includes(job.state)) steps.push({ at: job.since, what: t(`job.${job.state}`) })
  const ahead = job.send_at ?? job.retry_at
  return (
    <section className="card">
      <h2>{t('message.life')}</h2>
      <ol className="life">
        {steps
          .sort((a, b) => a.at.localeCompare(b.at))
          .map((step, index) => (
            <li key={index}>
              <time dateTime={step.at}>{moment(step.at)}</time> <span>{step.what}</span>
            </li>
          ))}
        {ahead ? (
          <li className="ahead">
            <time dateTime={ahead}>{moment(ahead)}</time> <span>{t(job.send_at ? 'life.due' : 'life.again', { n: job.attempts })}</span>
          </li>
        ) : null}
      </ol>
    </section>
  )
}

function Facts({ job }: { job: Job }): ReactNode {
  return (
    <section className="card">
      <h2>{t('any.details')}</h2>
      <dl className="facts">
        <dt>{t('message.id')}</dt>
        <dd className="mono">{job.id}</dd>
        <dt>{t('message.whatsappId')}</dt>
        <dd className="mono">{job.message_id ?? '—'}</dd>
        <dt>{t('any.account')}</dt>
        <dd>{job.account}</dd>
        <dt>{t('message.type')}</dt>
        <dd>{t(`type.${job.type}` as Key)}</dd>
        <dt>{t('message.priority')}</dt>
        <dd>{job.priority}</dd>
        <dt>{t('message.attempts')}</dt>
        <dd>{job.attempts}</dd>
        {job.user_id ? (
          <>
            <dt>{t('message.user')}</dt>
            <dd>{job.user_id}</dd>
          </>
        ) : null}
      </dl>
    </section>
  )
}
