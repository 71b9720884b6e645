// SPDX-License-Identifier: Apache-2.0
// Writing a text to somebody, now or later. An idempotency key goes along, so that asking twice sends once.

import { useRef, useState, type FormEvent, type ReactNode } from 'react'
import { call } from '../api.ts'
import { t } from '../i18n/index.ts'
import { useResource } from '../live/resource.ts'
import { place } from '../router.ts'
import type { Account, Job } from '../types.ts'
import { Dialog, useAction } from './actions.tsx'

const LONGEST = 4096

interface Draft {
  to: string
  text: string
  account?: string
  send_at?: string
  idempotency_key: string
}

/** The form alone; `sent` is told of the message that came of it, `account` is what to begin with. */
interface WriterProps {
  to?: string
  account?: string
  sent: (job: Job) => void
  close?: () => void
}

export function Writer({ to, account: usual = '', sent, close }: WriterProps): ReactNode {
  const [recipient, setRecipient] = useState(to ?? '')
  const [text, setText] = useState('')
  const [later, setLater] = useState('')
  const [chosen, setAccount] = useState('')
  const account = chosen || usual
  const accounts = useResource<Account[]>('/api/accounts')
  const key = useRef(crypto.randomUUID())
  const [busy, run] = useAction()
  const send = (event: FormEvent): void => {
    event.preventDefault()
    const draft: Draft = { to: to ?? recipient, text, idempotency_key: key.current }
    if (account) draft.account = account
    if (later) draft.send_at = new Date(later).toISOString()
    void run(async () => {
      const job = await call<Job>('POST', '/api/messages', draft)
      key.current = crypto.randomUUID()
      setText('')
      setLater('')
      sent(job)
    }, later ? t('compose.scheduled') : t('compose.accepted'))
  }
  return (
    <form className="form" onSubmit={send}>
      {to === undefined ? (
        <label className="field">
          <span>{t('compose.to')}</span>
          <input
            required
            autoFocus
            inputMode="tel"
            autoComplete="off"
            placeholder="+91 98765 43210"
            value={recipient}
            onChange={event => (setRecipient(event.target.value), (key.current = crypto.randomUUID()))}
          />
        </label>
      ) : null}
      {(accounts.value?.length ?? 0) > 1 ? (
        <label className="field">
          <span>{t('any.account')}</span>
          <select required value={account} onChange={event => setAccount(event.target.value)}>
            <option value="" />
            {accounts.value?.map(each => <option key={each.name}>{each.name}</option>)}
          </select>
        </label>
      ) : null}
      <label className="field">
        <span>{t('compose.text')}</span>
        <textarea
          required
          maxLength={LONGEST}
          value={text}
          onChange={event => (setText(event.target.value), (key.current = crypto.randomUUID()))}
        />
      </label>
      <label className="field">
        <span>{t('compose.later')}</span>
        <input type="datetime-local" value={later} onChange={event => setLater(event.target.value)} />
      </label>
      <div className="actions">
        <button type="submit" className="primary" disabled={busy}>
          {later ? t('compose.schedule') : t('compose.send')}
        </button>
        {close ? (
          <button type="button" onClick={close}>
            {t('any.cancel')}
          </button>
        ) : null}
      </div>
    </form>
  )
}

/** The form in a window; leads to the message afterwards. */
export function Compose({ close }: { close: () => void }): ReactNode {
  return (
    <Dialog title={t('messages.write')} close={close}>
      <Writer sent={job => (close(), place.go(`/messages/${job.id}`))} close={close} />
    </Dialog>
  )
}
