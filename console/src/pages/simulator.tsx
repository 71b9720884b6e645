// SPDX-License-Identifier: Apache-2.0
// Only in the demo: be WhatsApp. Let people come, go and write, break things, and watch what the gateway makes of it.

import { useEffect, useState, type FormEvent, type ReactNode } from 'react'
import { call, path, post } from '../api.ts'
import { t, type Key } from '../i18n/index.ts'
import { contacts } from '../live/contacts.ts'
import { useResource } from '../live/resource.ts'
import { useSimulator } from '../live/simulator.ts'
import { useStore } from '../live/store.ts'
import { stream } from '../live/stream.ts'
import type { Account, ChatMessage, Job, PresenceChange } from '../types.ts'
import { Action, useAction, useMay } from '../ui/actions.tsx'
import { Badge, Empty, Failure, Title, When } from '../ui/parts.tsx'
import { LinkBadge } from '../ui/states.tsx'

interface Person {
  phone: string
  name: string
  online: boolean
}

interface Fault {
  kind: string
  until: number | null
  left: number | null
}

interface Letter {
  seq: number
  at: number
  phone: string
  kind: string
  text: string
}

const FAULTS: { key: Key; body: Record<string, unknown> }[] = [
  { key: 'sim.cut', body: { kind: 'cut' } },
  { key: 'sim.refuse', body: { kind: 'refuse', seconds: 30 } },
  { key: 'sim.ban', body: { kind: 'ban', seconds: 60 } },
  { key: 'sim.delay_acks', body: { kind: 'delay_acks', seconds: 60, delay: 5 } },
  { key: 'sim.drop_acks', body: { kind: 'drop_acks', count: 1 } },
  { key: 'sim.error_463', body: { kind: 'error_463', count: 1 } },
  { key: 'sim.forget', body: { kind: 'forget_subscriptions' } },
  { key: 'sim.silence', body: { kind: 'silence', seconds: 60 } },
  { key: 'sim.replaced', body: { kind: 'replaced' } },
  { key: 'sim.logged_out', body: { kind: 'logged_out' } },
]
const LOOK = 2_000 // milliseconds
const ECHOES = 14

export function Simulator(): ReactNode {
  const simulated = useSimulator()
  const may = useMay('admin')
  if (simulated && !may) return <Empty title={t('any.readOnly')} />
  if (!simulated) return <Empty title={t('sim.none')} hint={t('sim.none.hint')} />
  return (
    <div className="page">
      <Title>{t('nav.simulator')}</Title>
      <p className="quiet">{t('sim.about')}</p>
      <div className="columns">
        <div className="stack">
          <People />
          <Faults />
        </div>
        <div className="stack">
          <Echo />
          <Inbox />
        </div>
      </div>
    </div>
  )
}

function People(): ReactNode {
  const people = useResource<Person[]>('/sim/contacts')
  const accounts = useResource<{ phone: string }[]>('/sim/accounts')
  const [chosen, setChosen] = useState('')
  const [text, setText] = useState('')
  const [busy, run] = useAction()
  useEffect(() => stream.on('presence.changed', () => people.soon()), [people])
  const others = people.value?.filter(person => !accounts.value?.some(account => account.phone === person.phone))
  const phone = chosen || others?.[0]?.phone || ''
  const person = others?.find(each => each.phone === phone)
  const at = path`/sim/contacts/${phone}`
  const turn = (online: boolean) => async () => {
    await post(`${at}/presence`, { online })
    await people.load()
  }
  const write = (event: FormEvent): void => {
    event.preventDefault()
    void run(async () => {
      await post(`${at}/messages`, { text })
      setText('')
    }, t('sim.written'))
  }
  return (
    <section className="card" aria-label={t('sim.people')}>
      <header>
        <h2>{t('sim.people')}</h2>
        {person ? <Badge tone={person.online ? 'good' : 'quiet'}>{t(person.online ? 'status.online' : 'status.offline')}</Badge> : null}
      </header>
      {people.error ? <Failure error={people.error} retry={() => void people.load()} /> : null}
      <label className="field">
        <span>{t('sim.who')}</span>
        <select value={phone} onChange={event => setChosen(event.target.value)}>
          {others?.map(each => (
            <option key={each.phone} value={each.phone}>
              {each.name || each.phone}
            </option>
          ))}
        </select>
      </label>
      <div className="actions">
        <Action scope="admin" kind="primary" work={turn(true)}>
          {t('sim.come')}
        </Action>
        <Action scope="admin" work={turn(false)}>
          {t('sim.go')}
        </Action>
        <Action scope="admin" work={() => post(`${at}/typing`, { state: 'composing' })}>
          {t('sim.type')}
        </Action>
      </div>
      <form className="inline" onSubmit={write}>
        <label className="field">
          <span>{t('sim.message')}</span>
          <input required value={text} onChange={event => setText(event.target.value)} />
        </label>
        <button type="submit" disabled={busy || !phone}>
          {t('sim.write')}
        </button>
      </form>
    </section>
  )
}

function Faults(): ReactNode {
  const active = useResource<Fault[]>('/sim/faults')
  useEffect(() => {
    const timer = setInterval(() => void active.load(), LOOK)
    return () => clearInterval(timer)
  }, [active])
  return (
    <section className="card" aria-label={t('sim.faults')}>
      <header>
        <h2>{t('sim.faults')}</h2>
        {active.value?.length ? (
          <Action
            scope="admin"
            small
            work={async () => {
              await call('DELETE', '/sim/faults')
              await active.load()
            }}
          >
            {t('sim.mend')}
          </Action>
        ) : null}
      </header>
      <div className="actions">
        {FAULTS.map(({ key, body }) => (
          <Action
            key={key}
            scope="admin"
            work={async () => {
              await post('/sim/faults', body)
              await active.load()
            }}
          >
            {t(key)}
          </Action>
        ))}
      </div>
      {active.value?.length ? (
        <ul className="simple">
          {active.value.map((fault, index) => (
            <li key={index}>
              <Badge tone="bad">{fault.kind}</Badge>
              <small className="quiet">
                {fault.until ? (
                  <>
                    {t('sim.until')} <When at={fault.until * 1000} />
                  </>
                ) : (
                  t('sim.times', { n: fault.left ?? 0 })
                )}
              </small>
            </li>
          ))}
        </ul>
      ) : (
        <p className="quiet">{t('sim.whole')}</p>
      )}
    </section>
  )
}

interface Heard {
  id: number
  at: number
  text: string
}

/** What the gateway says to all this, as it says it. */
function Echo(): ReactNode {
  const accounts = useResource<Account[]>('/api/accounts', ['account.changed'])
  const [heard, setHeard] = useState<Heard[]>([])
  useEffect(() => {
    let id = 0
    const add = (text: string): void =>
      setHeard(before => [{ id: ++id, at: Date.now(), text }, ...before].slice(0, ECHOES))
    const nameOf = (jid: string): string => contacts.byJid.get(jid)?.name ?? jid.split('@')[0] ?? jid
    const stops = [
      stream.on<PresenceChange>('presence.changed', change =>
        add(`${change.name}: ${t(`status.${change.observed ? (change.is_online ? 'online' : 'offline') : 'unknown'}`)}`),
      ),
      stream.on<Account & { before: string }>('account.changed', account =>
        add(`${account.name}: ${t(`link.${account.before}` as Key)} → ${t(`link.${account.state}` as Key)}`),
      ),
      stream.on<Job>('job.changed', job => add(`${t('sim.job')} ${nameOf(job.to)}: ${t(`job.${job.state}`)}`)),
      stream.on<ChatMessage>('message.received', message => add(`${message.name ?? nameOf(message.sender)}: ${message.text ?? message.type}`)),
    ]
    return () => stops.forEach(stop => stop())
  }, [])
  return (
    <section className="card" aria-label={t('sim.echo')}>
      <header>
        <h2>{t('sim.echo')}</h2>
        <span className="actions">
          {accounts.value?.map(account => <LinkBadge key={account.name} state={account.state} />)}
        </span>
      </header>
      {heard.length ? (
        <ol className="life">
          {heard.map(each => (
            <li key={each.id}>
              <When at={each.at} /> <span>{each.text}</span>
            </li>
          ))}
        </ol>
      ) : (
        <p className="quiet">{t('sim.echo.none')}</p>
      )}
    </section>
  )
}

function Inbox(): ReactNode {
  const counts = useStore(contacts, c => c.byJid.size)
  const inbox = useResource<Letter[]>('/sim/inbox?limit=8')
  useEffect(() => stream.on('job.changed', () => inbox.soon()), [inbox])
  const nameOf = (phone: string): string => (counts ? contacts.byJid.get(`${phone}@s.whatsapp.net`)?.name : undefined) ?? `+${phone}`
  return (
    <section className="card" aria-label={t('sim.inbox')}>
      <h2>{t('sim.inbox')}</h2>
      {inbox.value?.length ? (
        <ol className="life">
          {[...inbox.value].reverse().map(letter => (
            <li key={letter.seq}>
              <When at={typeof letter.at === 'number' ? letter.at * 1000 : letter.at} />{' '}
              <span>
                <b>{nameOf(letter.phone)}</b>: {letter.text || letter.kind}
              </span>
            </li>
          ))}
        </ol>
      ) : (
        <p className="quiet">{t('sim.inbox.none')}</p>
      )}
    </section>
  )
}

