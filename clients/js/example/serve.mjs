// SPDX-License-Identifier: Apache-2.0
// Gives the gateway a few users, lets them come and go, lets one watch contacts on WhatsApp, and serves the page.
// Run as `npm run example -- <gateway> <port>`; the gateway believes everybody and lets the page in:
//   WIGWAG_REALTIME_AUTH=trusted WIGWAG_REALTIME_ORIGINS=http://127.0.0.1:5173 wigwag demo

import { readFile } from 'node:fs/promises'
import { context } from 'esbuild'
import { PresenceClient } from '../dist/index.js'

const [gateway = 'http://127.0.0.1:8080', port = '5173'] = process.argv.slice(2)
const folder = new URL('.', import.meta.url).pathname
const [me, ...contacts] = JSON.parse(await readFile(folder + 'people.json', 'utf8'))

async function put(path, body) {
  const headers = { 'Content-Type': 'application/json' }
  const answer = await fetch(gateway + path, { method: 'PUT', headers, body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
}

for (const { id, name } of [me, ...contacts]) await put(`/api/users/${id}`, { name })
await put(`/api/users/${me.id}/contacts`, { contacts: contacts.map(contact => contact.id) })

// whom of those that the gateway tracks on WhatsApp the user may watch
const tracked = await (await fetch(`${gateway}/api/presence?limit=6`)).json()
if (tracked.length) await put(`/api/users/${me.id}/grants`, { contacts: tracked.map(({ jid }) => jid) })

/** The next person in turn comes, goes, or wants to be shown differently. The last two stay away. */
const acts = ['away', 'busy', 'leave', 'online', 'away']
const here = new Map()
let turn = 0
function live() {
  const { id } = contacts[turn % (contacts.length - 2)]
  const [client, act] = [here.get(id), acts[turn % acts.length]]
  turn++
  if (client === undefined) here.set(id, new PresenceClient({ url: gateway, userId: id }))
  else if (act !== 'leave') client.setStatus(act).catch(console.error)
  else if (here.delete(id)) client.close()
}
for (let step = 0; step < 12; step++) live()
setInterval(live, 4_000)

const build = await context({
  entryPoints: [folder + 'main.tsx'],
  bundle: true,
  format: 'esm',
  outdir: folder,
  write: false,
  define: { GATEWAY: JSON.stringify(gateway), 'process.env.NODE_ENV': '"production"' },
})
await build.serve({ host: '127.0.0.1', port: Number(port), servedir: folder })
console.log(`http://127.0.0.1:${port}`)
