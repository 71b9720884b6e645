// SPDX-License-Identifier: Apache-2.0
// Coming in with an API key. The key is not kept here: the gateway answers with a cookie that no script can read.

import { useState, type FormEvent, type ReactNode } from 'react'
import { Problem } from '../api.ts'
import { t } from '../i18n/index.ts'
import { session } from '../session.ts'

export function SignIn(): ReactNode {
  const [key, setKey] = useState('')
  const [wrong, setWrong] = useState('')
  const [busy, setBusy] = useState(false)
  async function enter(event: FormEvent): Promise<void> {
    event.preventDefault()
    setBusy(true)
    setWrong('')
    try {
      await session.enter(key.trim())
    } catch (error) {
      setWrong(error instanceof Problem && error.status !== 401 ? error.message : t('signIn.wrong'))
    }
    setBusy(false)
  }
  return (
    <main className="sign-in">
      <form onSubmit={event => void enter(event)}>
        <img src="/favicon.svg" alt="" width="48" height="48" />
        <h1>{t('signIn.title')}</h1>
        <label>
          <span>{t('signIn.key')}</span>
          <input
            type="password"
            autoComplete="current-password"
            required
            value={key}
            onChange={event => setKey(event.target.value)}
            aria-describedby="sign-in-hint"
          />
        </label>
        <p id="sign-in-hint" className="quiet">
          {t('signIn.hint')}
        </p>
        {wrong ? (
          <p className="notice bad" role="alert">
            {wrong}
          </p>
        ) : null}
        <button type="submit" className="primary" disabled={busy}>
          {t('signIn.enter')}
        </button>
      </form>
    </main>
  )
}
