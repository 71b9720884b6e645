// SPDX-License-Identifier: Apache-2.0
// The frame around every page: where one can go, whether all is live, colours, and whether numbers are shown.

import { useEffect, useRef, useState, type ReactNode } from 'react'
import { t } from './i18n/index.ts'
import { useStore } from './live/store.ts'
import { stream } from './live/stream.ts'
import { PAGES, pageOf } from './pages/index.tsx'
import { prefs, type Theme } from './prefs.ts'
import { place } from './router.ts'
import { session } from './session.ts'
import { SignIn } from './pages/sign-in.tsx'
import { Toasts, useMay } from './ui/actions.tsx'
import { Icon } from './ui/icons.tsx'
import { Link } from './ui/parts.tsx'
import { Hatch } from './ui/timeline.tsx'
import { useSimulator } from './live/simulator.ts'

export function App(): ReactNode {
  const state = useStore(session, s => s.state)
  if (state === 'asking') return <Hatch />
  return (
    <>
      <Hatch />
      {state === 'out' ? <SignIn /> : <House />}
      <Toasts />
    </>
  )
}

function House(): ReactNode {
  const path = useStore(place, p => p.path)
  const main = useRef<HTMLElement>(null)
  useEffect(() => {
    stream.start()
    return () => stream.stop()
  }, [])
  useEffect(() => {
    main.current?.scrollTo(0, 0)
  }, [path])
  return (
    <div className="house">
      <a className="skip" href="#main" onClick={event => (event.preventDefault(), main.current?.focus())}>
        {t('app.skip')}
      </a>
      <Head path={path} />
      <main id="main" ref={main} tabIndex={-1} data-scroller>
        {pageOf(path)}
      </main>
    </div>
  )
}

function Head({ path }: { path: string }): ReactNode {
  const [open, setOpen] = useState(false)
  const simulated = useSimulator()
  const admin = useMay('admin')
  useEffect(() => setOpen(false), [path])
  const pages = PAGES.filter(({ name }) => (simulated && admin) || name !== 'simulator')
  return (
    <header className="head">
      <Link to="/" className="brand" label={`wigwag: ${t('nav.now')}`}>
        <img src="/favicon.svg" alt="" width="24" height="24" />
        <span>wigwag</span>
      </Link>
      <Liveness />
      <button
        type="button"
        className="menu"
        aria-expanded={open}
        aria-controls="pages"
        onClick={() => setOpen(before => !before)}
      >
        <Icon name="menu" />
        <span className="hidden">{t('app.menu')}</span>
      </button>
      <div id="pages" className={open ? 'side open' : 'side'}>
        <nav aria-label={t('app.pages')}>
          <ul>
            {pages.map(({ name, to }) => (
              <li key={name}>
                <Link to={to} current={to === '/' ? path === '/' || path.startsWith('/contacts') : path.startsWith(to)}>
                  <Icon name={name} />
                  {t(`nav.${name}`)}
                </Link>
              </li>
            ))}
          </ul>
        </nav>
        <Choices />
      </div>
    </header>
  )
}

function Liveness(): ReactNode {
  const condition = useStore(stream, s => s.condition)
  return (
    <p className={`liveness ${condition}`} role="status">
      <i aria-hidden="true" />
      {t(`stream.${condition}`)}
    </p>
  )
}

const THEMES: Theme[] = ['system', 'light', 'dark']

function Choices(): ReactNode {
  const theme = useStore(prefs, p => p.theme)
  const revealed = useStore(prefs, p => p.revealed)
  const name = useStore(session, s => (s.signedIn ? s.name || 'API' : ''))
  return (
    <div className="choices">
      <label className="check">
        <input type="checkbox" checked={revealed} onChange={event => prefs.reveal(event.target.checked)} />
        {t('app.reveal')}
      </label>
      <label>
        <span>{t('app.theme')}</span>
        <select value={theme} onChange={event => prefs.setTheme(event.target.value as Theme)}>
          {THEMES.map(each => (
            <option key={each} value={each}>
              {t(`theme.${each}`)}
            </option>
          ))}
        </select>
      </label>
      {name ? (
        <button type="button" onClick={() => void session.leave()}>
          <Icon name="out" /> {t('app.signOut')}
        </button>
      ) : null}
    </div>
  )
}
