// SPDX-License-Identifier: Apache-2.0
// Envelopes from RabbitMQ that led to nothing: why, what was in them, and another try.

import { useState, type ReactNode } from 'react'
import { call, path } from '../api.ts'
import { bytes, masked } from '../format.ts'
import { pretty } from '../forms.ts'
import { t } from '../i18n/index.ts'
import { figures } from '../live/figures.ts'
import { useResource } from '../live/resource.ts'
import { useStore } from '../live/store.ts'
import { prefs } from '../prefs.ts'
import type { DeadLetter, OpenedLetter } from '../types.ts'
import { Action, Dialog } from '../ui/actions.tsx'
import { Empty, Failure, Link, Loading, Masked, Title, When } from '../ui/parts.tsx'

export function DeadLetters(): ReactNode {
  const [reason, setReason] = useState('')
  const [open, setOpen] = useState('')
  const system = useStore(figures, f => f.system)
  const broker = system?.parts.some(({ part }) => part === 'broker')
  const all = useResource<DeadLetter[]>(broker ? '/api/dead-letters?limit=500' : null, ['envelope.refused', 'job.changed'])
  const letters = all.value?.filter(letter => !reason || letter.reason === reason)
  const reasons = [...new Set(all.value?.map(letter => letter.reason))].sort()
  const query = reason ? `?reason=${encodeURIComponent(reason)}` : ''
  const then = (method: string, at: string) => async () => {
    await call(method, at)
    await all.load()
  }
  if (broker === false) {
    return (
      <div className="page">
        <Title>{t('nav.dead-letters')}</Title>
        <Empty title={t('letters.noBroker')} hint={t('letters.noBroker.hint')} />
      </div>
    )
  }
  return (
    <div className="page">
      <Title>{t('nav.dead-letters')}</Title>
      {all.error ? <Failure error={all.error} retry={() => void all.load()} /> : null}
      {!all.value && !all.error ? <Loading /> : null}
      {all.value?.length === 0 ? <Empty title={t('letters.none')} hint={t('letters.none.hint')} /> : null}
      {letters?.length ? (
        <>
          <div className="filters">
            <label>
              <span>{t('letters.reason')}</span>
              <select value={reason} onChange={event => setReason(event.target.value)}>
                <option value="">{t('any.all')}</option>
                {reasons.map(each => (
                  <option key={each}>{each}</option>
                ))}
              </select>
            </label>
            <Action scope="admin" work={then('POST', `/api/dead-letters/replay${query}`)} sure={t('letters.replayAll.sure')}>
              {t('letters.replayAll')}
            </Action>
            <Action scope="admin" kind="danger" work={then('DELETE', `/api/dead-letters${query}`)} sure={t('letters.dropAll.sure')}>
              {t('letters.dropAll')}
            </Action>
          </div>
          <ul className="lines" aria-label={t('nav.dead-letters')}>
            {letters.map(letter => (
              <li key={letter.id} className="line">
                <span className="line-main">
                  <b>{letter.reason}</b>
                  <span className="line-text">
                    <Masked text={letter.detail} />
                  </span>
                  <small className="quiet">
                    {letter.queue} · {bytes(letter.size)} · <When at={letter.since} />
                    {letter.job ? (
                      <>
                        {' · '}
                        <Link to={path`/messages/${letter.job}`}>{t('letters.message')}</Link>
                      </>
                    ) : null}
                  </small>
                </span>
                <span className="actions">
                  <button type="button" className="small" onClick={() => setOpen(letter.id)}>
                    {t('letters.open')}
                  </button>
                  <Action scope="admin" small work={then('POST', path`/api/dead-letters/${letter.id}/replay`)} done={t('letters.replayed')}>
                    {t('letters.replay')}
                  </Action>
                  <Action
                    scope="admin"
                    small
                    kind="danger"
                    work={then('DELETE', path`/api/dead-letters/${letter.id}`)}
                    sure={t('letters.drop.sure')}
                  >
                    {t('letters.drop')}
                  </Action>
                </span>
              </li>
            ))}
          </ul>
        </>
      ) : null}
      {open ? <Letter id={open} close={() => setOpen('')} /> : null}
    </div>
  )
}

function Letter({ id, close }: { id: string; close: () => void }): ReactNode {
  const letter = useResource<OpenedLetter>(path`/api/dead-letters/${id}`)
  const revealed = useStore(prefs, p => p.revealed)
  return (
    <Dialog title={t('letters.letter')} close={close}>
      {letter.error ? <Failure error={letter.error} /> : null}
      {letter.value ? (
        <>
          <p>
            <b>{letter.value.reason}</b>: {masked(letter.value.detail, revealed)}
          </p>
          <pre className="source" tabIndex={0}>
            {masked(pretty(letter.value.body ?? letter.value.base64 ?? ''), revealed)}
          </pre>
        </>
      ) : null}
      <div className="actions">
        <button type="button" onClick={close}>
          {t('any.close')}
        </button>
      </div>
    </Dialog>
  )
}
