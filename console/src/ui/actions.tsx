// SPDX-License-Identifier: Apache-2.0
// Doing something: a button that waits, a question before what cannot be undone, and a word on what came of it.

import { useEffect, useId, useRef, useState, type ReactNode } from 'react'
import { Problem } from '../api.ts'
import { t } from '../i18n/index.ts'
import { Store, useStore } from '../live/store.ts'
import { session } from '../session.ts'
import { Masked } from './parts.tsx'

const LASTS = 6_000 // milliseconds

interface Word {
  id: number
  text: string
  bad: boolean
}

class Words extends Store {
  words: Word[] = []
  #next = 1

  say(text: string, bad = false): void {
    const word = { id: this.#next++, text, bad }
    this.words = [...this.words.slice(-3), word]
    this.changed()
    setTimeout(() => this.drop(word.id), LASTS)
  }

  drop(id: number): void {
    this.words = this.words.filter(word => word.id !== id)
    this.changed()
  }
}

export const words = new Words()

/** Where words on what was done appear. A screen reader reads them when it comes to rest. */
export function Toasts(): ReactNode {
  const all = useStore(words, w => w.words)
  return (
    <div className="toasts" role="status" aria-live="polite">
      {all.map(word => (
        <p key={word.id} className={word.bad ? 'toast bad' : 'toast'}>
          <Masked text={word.text} />
        </p>
      ))}
    </div>
  )
}

/** What an error says to people. */
export function wordsOf(error: unknown): string {
  return error instanceof Problem ? error.message : t('any.failed')
}

/** Do something, once at a time. Returns whether it is being done, and how to do it. */
export function useAction(): [busy: boolean, run: (work: () => Promise<unknown>, done?: string) => Promise<boolean>] {
  const [busy, setBusy] = useState(false)
  const run = async (work: () => Promise<unknown>, done?: string): Promise<boolean> => {
    setBusy(true)
    try {
      await work()
      if (done) words.say(done)
      return true
    } catch (error) {
      words.say(wordsOf(error), true)
      return false
    } finally {
      setBusy(false)
    }
  }
  return [busy, run]
}

/** Whether the viewer's key allows this. What it does not allow has no button. */
export function useMay(scope: string): boolean {
  return useStore(session, s => s.may(scope))
}

interface ActionProps {
  scope: string
  children: ReactNode
  work: () => Promise<unknown>
  done?: string
  /** A question to be answered first. */
  sure?: string
  kind?: 'primary' | 'danger' | 'plain' | ''
  small?: boolean
  label?: string
  disabled?: boolean
}

/** A button that does something at the gateway. */
export function Action({ scope, children, work, done, sure, kind = '', small, label, disabled }: ActionProps): ReactNode {
  const [busy, run] = useAction()
  const [asks, setAsks] = useState(false)
  if (!useMay(scope)) return null
  return (
    <>
      <button
        type="button"
        className={`${kind} ${small ? 'small' : ''}`}
        disabled={busy || disabled}
        aria-label={label}
        onClick={() => (sure ? setAsks(true) : void run(work, done))}
      >
        {children}
      </button>
      {asks && sure ? (
        <Dialog title={label ?? (typeof children === 'string' ? children : '')} close={() => setAsks(false)}>
          <p>{sure}</p>
          <div className="actions">
            <button
              type="button"
              className={kind === 'danger' ? 'danger' : 'primary'}
              disabled={busy}
              onClick={() => void run(work, done).then(() => setAsks(false))}
            >
              {children}
            </button>
            <button type="button" onClick={() => setAsks(false)}>
              {t('any.cancel')}
            </button>
          </div>
        </Dialog>
      ) : null}
    </>
  )
}

/** A window before the page, with the browser's own care for focus and Escape. */
export function Dialog({ title, close, children }: { title: string; close: () => void; children: ReactNode }): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null)
  const name = useId()
  useEffect(() => {
    const element = dialog.current
    if (!element) return
    element.showModal()
    return () => element.close()
  }, [])
  return (
    <dialog ref={dialog} aria-labelledby={name} onCancel={event => (event.preventDefault(), close())}>
      <div>
        <h2 id={name}>{title}</h2>
        {children}
      </div>
    </dialog>
  )
}

/** A text that one may want elsewhere. */
export function Copy({ text }: { text: string }): ReactNode {
  const [busy, run] = useAction()
  return (
    <button
      type="button"
      className="small"
      disabled={busy}
      onClick={() => void run(() => navigator.clipboard.writeText(text), t('any.copied'))}
    >
      {t('any.copy')}
    </button>
  )
}
