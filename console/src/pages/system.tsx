// SPDX-License-Identifier: Apache-2.0
// Whether the gateway is well: its parts, what goes on and how fast, what failed lately, and versions.

import { useEffect, useState, type ReactNode } from 'react'
import { about, bytes, duration, number, seconds } from '../format.ts'
import { t, type Key } from '../i18n/index.ts'
import { figures } from '../live/figures.ts'
import { useResource } from '../live/resource.ts'
import { useStore } from '../live/store.ts'
import { troubles } from '../live/troubles.ts'
import type { Finding, Sample, System as Answer } from '../types.ts'
import { Chart, thin } from '../ui/chart.tsx'
import { useNow } from '../ui/hooks.ts'
import { Badge, Failure, Loading, Masked, Title, When, type Tone } from '../ui/parts.tsx'

const EVERY = 15_000 // milliseconds between two looks at the parts
const FINE = 5 // samples in a point of a chart

export function System(): ReactNode {
  const system = useStore(figures, f => f.system)
  const error = useStore(figures, f => f.error)
  useEffect(() => {
    void figures.load()
    const timer = setInterval(() => void figures.load(), EVERY)
    return () => clearInterval(timer)
  }, [])
  return (
    <div className="page">
      <Title>{t('nav.system')}</Title>
      {error ? <Failure error={error} retry={() => void figures.load()} /> : null}
      {!system && !error ? <Loading /> : null}
      {system ? (
        <>
          <Parts system={system} />
          <Findings />
          <Charts />
          <Troubles />
          <Versions system={system} />
        </>
      ) : null}
    </div>
  )
}

function Parts({ system }: { system: Answer }): ReactNode {
  const bad = system.parts.filter(part => !part.ok).length
  return (
    <section className="card" aria-label={t('system.parts')}>
      <header>
        <h2>{bad ? t('system.unwell', { n: bad }) : t('system.well')}</h2>
      </header>
      <ul className="parts">
        {system.parts.map(({ part, ok, detail }) => (
          <li key={part}>
            <Badge tone={ok ? 'good' : 'bad'}>{ok ? t('system.works') : t('system.fails')}</Badge>
            <b>{part}</b>
            <span className="quiet">
              <Masked text={detail} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  )
}

const TONES: Record<Finding['verdict'], Tone> = { fine: 'good', notice: 'warn', wrong: 'bad' }

/** What `wigwag doctor` finds around the gateway. It takes some seconds, so it is asked when the page opens. */
function Findings(): ReactNode {
  const found = useResource<Finding[]>('/api/system/findings')
  return (
    <section className="card" aria-label={t('system.findings')}>
      <header>
        <h2>{t('system.findings')}</h2>
      </header>
      {found.error ? <Failure error={found.error} retry={() => void found.load()} /> : null}
      {!found.value && !found.error ? <Loading /> : null}
      <ul className="parts">
        {found.value?.map(({ part, verdict, found: words, advice }, index) => (
          <li key={index}>
            <Badge tone={TONES[verdict]}>{t(`system.findings.${verdict}`)}</Badge>
            <b>{part}</b>
            <span className="quiet">
              <Masked text={advice ? `${words}. ${advice}` : words} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  )
}

const percent = (value: number): string => `${Math.round(value)} %`

function Charts(): ReactNode {
  const [beat, setBeat] = useState(0)
  useEffect(() => figures.watch(() => setBeat(before => before + 1)), [])
  void beat
  const of = (pick: (sample: Sample) => number | null, how: 'sum' | 'mean'): (number | null)[] =>
    thin(figures.samples.map(pick), FINE, how)
  const none = t('system.nothing')
  const rate = (key: Key, pick: (sample: Sample) => number): ReactNode => (
    <Chart title={t(key)} values={of(pick, 'sum')} format={about} empty={none} head="sum" />
  )
  const speed = (key: Key, pick: (sample: Sample) => number | null, format = seconds): ReactNode => (
    <Chart title={t(key)} values={of(pick, 'mean')} format={format} empty={none} />
  )
  return (
    <section className="stack" aria-label={t('system.figures')}>
      <h2>
        {t('system.figures')} <small className="quiet">{t('system.span')}</small>
      </h2>
      <div className="charts">
        {rate('system.presence', sample => sample.presence_changes)}
        {rate('system.sent', sample => sample.messages_sent)}
        {rate('system.received', sample => sample.messages_received)}
        {rate('system.webhooks', sample => sample.webhook_attempts)}
        {rate('system.requests', sample => sample.requests)}
        {speed('system.sendTime', sample => sample.send_seconds)}
        {speed('system.webhookTime', sample => sample.webhook_seconds)}
        {speed('system.requestTime', sample => sample.request_seconds)}
        {speed('system.lag', sample => sample.lag_seconds)}
        {speed('system.cpu', sample => sample.cpu_percent, percent)}
        {speed('system.memory', sample => sample.memory_bytes, bytes)}
        {speed('system.clients', sample => sample.clients, value => number(Math.round(value)))}
      </div>
    </section>
  )
}

function Troubles(): ReactNode {
  const all = useStore(troubles, s => s.all)
  return (
    <section className="card" aria-label={t('system.troubles')}>
      <h2>{t('system.troubles')}</h2>
      {all.length ? (
        <ol className="life">
          {all.map((trouble, index) => (
            <li key={index}>
              <When at={trouble.at} />{' '}
              <span>
                <b>{trouble.part}</b>: <Masked text={trouble.text} />
              </span>
            </li>
          ))}
        </ol>
      ) : (
        <p className="quiet">{t('system.troubles.none')}</p>
      )}
    </section>
  )
}

function Versions({ system }: { system: Answer }): ReactNode {
  const now = useNow(30_000)
  return (
    <section className="card" aria-label={t('system.versions')}>
      <h2>{t('system.versions')}</h2>
      <dl className="facts">
        <dt>wigwag</dt>
        <dd>{system.version}</dd>
        <dt>Python</dt>
        <dd>{system.python}</dd>
        <dt>{t('system.uptime')}</dt>
        <dd>
          {duration(now - Date.parse(system.since))}, {t('any.since').toLowerCase()} <When at={system.since} />
        </dd>
      </dl>
    </section>
  )
}
