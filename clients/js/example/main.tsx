// SPDX-License-Identifier: Apache-2.0
// A contact list: who is here, who is not, and since when. Below it, who may be watched on WhatsApp.

import { type CSSProperties, useEffect, useState, useSyncExternalStore } from 'react'
import { createRoot } from 'react-dom/client'
import {
  type Choice,
  type ContactPresence,
  formatLastSeen,
  type Presence,
  PresenceClient,
  type PresenceError,
} from '../src/index.js'
import { useContacts, usePresence } from '../src/react.js'
import people from './people.json' with { type: 'json' }

type Person = (typeof people)[number]

declare const GATEWAY: string
const CHOICES: Record<string, string> = { online: 'Online', away: 'Away', busy: 'Busy', invisible: 'Invisible' }
const locale = new URLSearchParams(location.search).get('lang') ?? 'en'
const [me, ...contacts] = people as [Person, ...Person[]]
const client = new PresenceClient({ url: GATEWAY, userId: me.id })

function ContactList() {
  const presence = usePresence(client, contacts.map(contact => contact.id))
  const connected = useSyncExternalStore(listener => client.subscribe(listener), () => client.connected)
  const now = useNow(20_000)
  const here = [...presence.values()].filter(user => user.status !== 'offline').length
  return (
    <div className={connected ? '' : 'old'}>
      <header>
        <div>
          <h1>Contacts</h1>
          <p role="status">{connected ? `${here} of ${contacts.length} are here` : 'Connecting…'}</p>
        </div>
        <Me />
      </header>
      <ul>
        {contacts.map(contact => (
          <Contact key={contact.id} contact={contact} presence={presence.get(contact.id)} now={now} />
        ))}
      </ul>
      <OnWhatsApp now={now} />
      <Problem connected={connected} />
    </div>
  )
}

function OnWhatsApp({ now }: { now: number }) {
  const contacts = [...useContacts(client).values()]
  if (contacts.length === 0) return null
  return (
    <section>
      <h2>On WhatsApp</h2>
      <ul>
        {contacts.map(({ jid, name, ...presence }, index) => (
          <Contact key={jid} contact={{ id: index + 3, name: name || jid }} presence={presence} now={now} />
        ))}
      </ul>
    </section>
  )
}

type Known = Pick<Presence | ContactPresence, 'status' | 'lastSeen'>

function Contact({ contact, presence, now }: { contact: Person; presence: Known | undefined; now: number }) {
  const text = presence && formatLastSeen(presence.status, presence.lastSeen, { now, locale })
  return (
    <li>
      <Avatar person={contact} status={presence?.status} />
      <div>
        <div className="name">{contact.name}</div>
        <div className={`status ${presence?.status ?? ''}`}>{text ?? '\u00a0'}</div>
      </div>
    </li>
  )
}

function Me() {
  const presence = usePresence(client, [me.id]).get(me.id)
  const [choice, setChoice] = useState<Choice>('online')
  const choose = (wanted: Choice) => client.setStatus(wanted).then(() => setChoice(wanted), () => undefined)
  return (
    <label className="me">
      <Avatar person={me} status={presence?.status} />
      <span className="name">{me.name}</span>
      <select aria-label="Your status" value={choice} onChange={event => choose(event.target.value as Choice)}>
        {Object.entries(CHOICES).map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  )
}

function Avatar({ person, status }: { person: Person; status: string | undefined }) {
  const initials = person.name.split(' ').map(word => word[0]).join('')
  return (
    <span className="avatar" style={{ '--hue': person.id * 47 } as CSSProperties} aria-hidden="true">
      {initials}
      <i className={`dot ${status ?? ''}`} />
    </span>
  )
}

/** The last thing that did not work, until the connection stands again. That there is none is said above. */
function Problem({ connected }: { connected: boolean }) {
  const [problem, setProblem] = useState('')
  const hear = ({ code, message }: PresenceError) => code !== 'unreachable' && setProblem(message)
  useEffect(() => client.subscribe(news => news.kind === 'error' && hear(news.error)), [])
  useEffect(() => setProblem(''), [connected])
  return problem && <p className="problem" role="alert">{problem}</p>
}

function useNow(milliseconds: number): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), milliseconds)
    return () => clearInterval(timer)
  }, [milliseconds])
  return now
}

createRoot(document.getElementById('page')!).render(<ContactList />)
