// SPDX-License-Identifier: Apache-2.0
// The accounts: how each link stands, in plain words, what to do next, and pairing by QR code or by a code to type.

import { useEffect, useState, type FormEvent, type ReactNode } from 'react'
import { call, get, path, post } from '../api.ts'
import { duration, number } from '../format.ts'
import { t } from '../i18n/index.ts'
import { useResource, type Resource } from '../live/resource.ts'
import { useSimulator } from '../live/simulator.ts'
import type { Account } from '../types.ts'
import { Action, Dialog, useAction, useMay, wordsOf } from '../ui/actions.tsx'
import { useNow } from '../ui/hooks.ts'
import { Empty, Failure, Loading, Masked, Person, Title, When } from '../ui/parts.tsx'
import { LinkBadge } from '../ui/states.tsx'

const KINDS = ['account.changed', 'subscription.changed', 'job.changed'] as const
const PAIRABLE = ['unpaired', 'pairing', 'logged_out', 'connecting']
const CLOSED = ['stopped', 'replaced', 'logged_out', 'failed', 'unpaired', 'banned', 'outdated']

export function Accounts(): ReactNode {
  const accounts = useResource<Account[]>('/api/accounts', KINDS)
  const [adding, setAdding] = useState(false)
  const may = useMay('admin')
  const add = may ? (
    <button type="button" onClick={() => setAdding(true)}>
      {t('accounts.add')}
    </button>
  ) : null
  return (
    <div className="page">
      <Title aside={add}>{t('nav.accounts')}</Title>
      {accounts.error ? <Failure error={accounts.error} retry={() => void accounts.load()} /> : null}
      {!accounts.value && !accounts.error ? <Loading /> : null}
      {accounts.value?.length === 0 ? <Empty title={t('accounts.none')} hint={t('accounts.none.hint')} /> : null}
      <div className="stack">
        {accounts.value?.map(account => (
          <AccountCard key={account.name} account={account} all={accounts} />
        ))}
      </div>
      {adding ? <AddAccount all={accounts} close={() => setAdding(false)} /> : null}
    </div>
  )
}

function AccountCard({ account, all }: { account: Account; all: Resource<Account[]> }): ReactNode {
  const at = path`/api/accounts/${account.name}`
  const pairable = PAIRABLE.includes(account.state) && !account.jid
  const admin = useMay('admin')
  const do_ = (method: string, verb = '', body?: unknown) => async () => {
    await call(method, at + verb, body)
    await all.load()
  }
  return (
    <section className="card" aria-label={account.name}>
      <header>
        <h2>
          {account.name} {account.jid ? <small className="quiet"><Person jid={account.jid} /></small> : null}
        </h2>
        <LinkBadge state={account.state} />
      </header>
      <p className={account.state === 'connected' ? 'quiet' : 'advice'}>
        <Masked text={admin ? account.advice.replace(/run `wigwag pair`, or /, '') : account.advice} />
      </p>
      <Mishaps account={account} />
      {pairable && admin ? <Pairing account={account} all={all} /> : null}
      <Figures account={account} />
      <div className="actions">
        {account.state === 'connected' || account.state === 'transient' || account.state === 'degraded' ? (
          <Action scope="admin" work={do_('POST', '/disconnect')} sure={t('accounts.disconnect.sure')}>
            {t('accounts.disconnect')}
          </Action>
        ) : null}
        {CLOSED.includes(account.state) ? (
          <Action scope="admin" kind="primary" work={do_('POST', '/connect')}>
            {account.jid ? t('accounts.connect') : t('accounts.offer')}
          </Action>
        ) : null}
        <Action
          scope="admin"
          work={do_('PATCH', '', { appear: !account.appear })}
          sure={account.appear ? t('accounts.hide.sure') : t('accounts.appear.sure')}
        >
          {account.appear ? t('accounts.hide') : t('accounts.appear')}
        </Action>
        <Action scope="admin" kind="danger" work={do_('DELETE')} sure={t('accounts.remove.sure')}>
          {t('accounts.remove')}
        </Action>
      </div>
    </section>
  )
}

function Mishaps({ account }: { account: Account }): ReactNode {
  const now = useNow(1_000)
  const { until, restricted_until, detail, appear } = account
  return (
    <>
      {until && account.state === 'banned' ? (
        <p className="notice bad">
          {t('accounts.bannedUntil')} <When at={until} /> ({duration(Date.parse(until) - now)})
        </p>
      ) : null}
      {restricted_until && Date.parse(restricted_until) > now ? (
        <p className="notice warn">
          {t('accounts.restricted')} <When at={restricted_until} />
        </p>
      ) : null}
      {detail && account.state !== 'connected' ? (
        <p className="quiet">
          <Masked text={detail} />
        </p>
      ) : null}
      {appear ? null : <p className="notice warn">{t('accounts.hidden')}</p>}
    </>
  )
}

function Figures({ account }: { account: Account }): ReactNode {
  const { subscriptions: subs, messages } = account
  return (
    <dl className="facts">
      <dt>{t('any.since')}</dt>
      <dd>
        <When at={account.since} />
      </dd>
      <dt>{t('accounts.reconnects')}</dt>
      <dd>{number(account.reconnects)}</dd>
      <dt>{t('nav.subscriptions')}</dt>
      <dd>
        {t('accounts.subscriptions', { active: subs.active, all: subs.total_subscriptions, queue: subs.queue_length })}
      </dd>
      <dt>{t('nav.messages')}</dt>
      <dd>
        {messages
          ? t('accounts.messages', {
              waiting: (messages['accepted'] ?? 0) + (messages['sending'] ?? 0),
              failed: messages['failed'] ?? 0,
              unconfirmed: messages['unconfirmed'] ?? 0,
            })
          : t('accounts.messages.unknown')}
      </dd>
    </dl>
  )
}

interface Offer {
  qr: string
  expires: string
  expires_in_seconds: number
}

const LOOK_AGAIN = 2_000 // milliseconds

/** The code to scan, renewed by itself for as long as it is looked at. */
function useOffer(name: string, offered: boolean): { offer: Offer | null; why: string } {
  const [offer, setOffer] = useState<Offer | null>(null)
  const [why, setWhy] = useState('')
  useEffect(() => {
    if (!offered) return
    let timer: ReturnType<typeof setTimeout>
    let over = false
    const look = async (): Promise<void> => {
      let wait = LOOK_AGAIN
      try {
        const found = await get<Offer>(path`/api/accounts/${name}/qr` + '?format=json')
        if (over) return
        setOffer(before => (before?.qr === found.qr ? before : found))
        setWhy('')
        wait = Math.max(500, Math.min(found.expires_in_seconds * 1000 + 300, 20_000))
      } catch (error) {
        if (over) return
        setOffer(null)
        setWhy(wordsOf(error))
      }
      timer = setTimeout(() => void look(), wait)
    }
    void look()
    return () => {
      over = true
      clearTimeout(timer)
    }
  }, [name, offered])
  return { offer, why }
}

function Pairing({ account, all }: { account: Account; all: Resource<Account[]> }): ReactNode {
  const { offer, why } = useOffer(account.name, account.state === 'pairing')
  const now = useNow(1_000)
  const simulated = useSimulator()
  const [phone, setPhone] = useState('')
  const [code, setCode] = useState('')
  const [busy, run] = useAction()
  const at = path`/api/accounts/${account.name}`
  const ask = (event: FormEvent): void => {
    event.preventDefault()
    void run(async () => setCode((await post<{ code: string }>(`${at}/pair`, { phone })).code))
  }
  return (
    <div className="pairing">
      <div className="pairing-code">
        {offer ? (
          <>
            <img
              src={`${at}/qr?format=svg&n=${offer.qr.slice(2, 14).replace(/\W/g, '')}`}
              alt={t('pair.qr')}
              width="232"
              height="232"
            />
            <p className="quiet">
              {t('pair.renews', { time: duration(Math.max(0, Date.parse(offer.expires) - now)) })}
            </p>
          </>
        ) : (
          <p className="quiet pairing-none">{why || t(account.state === 'unpaired' ? 'pair.none' : 'pair.soon')}</p>
        )}
      </div>
      <div className="pairing-words">
        <ol className="steps">
          <li>{t('pair.step1')}</li>
          <li>{t('pair.step2')}</li>
          <li>{t('pair.step3')}</li>
        </ol>
        {simulated && offer ? (
          <Action
            scope="admin"
            kind="primary"
            work={async () => {
              await post('/sim/scan', { qr: offer.qr })
              await all.load()
            }}
            done={t('pair.scanned')}
          >
            {t('pair.simulate')}
          </Action>
        ) : null}
        <form className="inline" onSubmit={ask}>
          <label className="field">
            <span>{t('pair.byCode')}</span>
            <input
              type="tel"
              required
              autoComplete="off"
              placeholder="+91 98765 43210"
              value={phone}
              onChange={event => setPhone(event.target.value)}
            />
          </label>
          <button type="submit" disabled={busy || !offer}>
            {t('pair.getCode')}
          </button>
        </form>
        {code ? (
          <p className="notice" role="status">
            {t('pair.typeCode')} <strong className="mono code">{code}</strong>
          </p>
        ) : null}
      </div>
    </div>
  )
}

function AddAccount({ all, close }: { all: Resource<Account[]>; close: () => void }): ReactNode {
  const [name, setName] = useState('')
  const [busy, run] = useAction()
  const add = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    const done = await run(async () => {
      await post('/api/accounts', { name })
      await all.load()
    })
    if (done) close()
  }
  return (
    <Dialog title={t('accounts.add')} close={close}>
      <form className="form" onSubmit={event => void add(event)}>
        <label className="field">
          <span>{t('accounts.name')}</span>
          <input
            required
            autoFocus
            pattern="[a-z0-9][a-z0-9_\-]{0,31}"
            title={t('accounts.name.rule')}
            value={name}
            onChange={event => setName(event.target.value)}
          />
        </label>
        <p className="quiet">{t('accounts.name.rule')}</p>
        <div className="actions">
          <button type="submit" className="primary" disabled={busy}>
            {t('accounts.add')}
          </button>
          <button type="button" onClick={close}>
            {t('any.cancel')}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
