// SPDX-License-Identifier: Apache-2.0
// Small pieces that all pages share.

import { useEffect, useRef, type ReactNode } from 'react'
import { Problem } from '../api.ts'
import { masked, moment, named, person, time } from '../format.ts'
import { t, type Key } from '../i18n/index.ts'
import { useStore } from '../live/store.ts'
import { prefs } from '../prefs.ts'
import { place } from '../router.ts'
import { Icon } from './icons.tsx'

type LinkProps = { to: string; className?: string; children: ReactNode; current?: boolean; label?: string }

/** A link to a page of ours. */
export function Link({ to, className, children, current, label }: LinkProps): ReactNode {
  return (
    <a
      href={to}
      className={className}
      aria-current={current ? 'page' : undefined}
      aria-label={label}
      onClick={event => {
        if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.button !== 0) return
        event.preventDefault()
        place.go(to)
      }}
    >
      {children}
    </a>
  )
}

/** The head of a page. Whoever comes to a page begins at its name. */
export function Title({ children, back, aside }: { children: string; back?: string; aside?: ReactNode }): ReactNode {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${children} · wigwag`
  }, [children])
  useEffect(() => {
    if (place.version > 0) heading.current?.focus({ preventScroll: true })
  }, [])
  return (
    <div className="title">
      {back ? (
        <Link to={back} className="back" label={t('any.back')}>
          <Icon name="back" />
        </Link>
      ) : null}
      <h1 ref={heading} tabIndex={-1}>
        {children}
      </h1>
      {aside}
    </div>
  )
}

/** A time, exact when one points at it. */
export function When({ at, empty = 'any.never' }: { at: string | number | null; empty?: Key }): ReactNode {
  if (!at) return <span className="quiet">{t(empty)}</span>
  const iso = new Date(at).toISOString()
  return (
    <time dateTime={iso} title={moment(at)}>
      {time(at)}
    </time>
  )
}

/** A contact's number, masked unless the viewer wants to see numbers. */
export function Person({ jid, name }: { jid: string; name?: string }): ReactNode {
  const revealed = useStore(prefs, p => p.revealed)
  return <>{name === undefined ? person(jid, revealed) : named(name, jid, revealed)}</>
}

export function Masked({ text }: { text: string }): ReactNode {
  return <>{masked(text, useStore(prefs, p => p.revealed))}</>
}

export type Tone = 'good' | 'bad' | 'warn' | 'busy' | 'quiet'

/** A state as a word with a mark. */
export function Badge({ tone, children }: { tone: Tone; children: ReactNode }): ReactNode {
  return <span className={`badge ${tone}`}>{children}</span>
}

export function Loading(): ReactNode {
  return (
    <p className="loading" role="status">
      {t('any.loading')}…
    </p>
  )
}

/** Why something is not here, and a way to try again. */
export function Failure({ error, retry }: { error: unknown; retry?: () => void }): ReactNode {
  return (
    <div className="notice bad" role="alert">
      <p>{error instanceof Problem ? error.message : t('any.failed')}</p>
      {retry ? (
        <button type="button" onClick={retry}>
          {t('any.retry')}
        </button>
      ) : null}
    </div>
  )
}

export function Empty({ title, hint, children }: { title: string; hint?: string; children?: ReactNode }): ReactNode {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      {hint ? <p className="quiet">{hint}</p> : null}
      {children}
    </div>
  )
}
