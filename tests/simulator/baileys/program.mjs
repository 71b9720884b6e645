// SPDX-License-Identifier: Apache-2.0
// Baileys as a program of JSON lines: events on stdout, commands on stdin, as whatsmeow_program.py.
// Run as `node program.mjs <simulator url> <root key> <session>`; this version of Baileys checks no root key.

import { createInterface } from 'node:readline'
import baileys, { initAuthCreds } from 'baileys'
import pino from 'pino'

const [url] = process.argv.slice(2)
const makeSocket = baileys.default ?? baileys
const tell = (event, fields = {}) => process.stdout.write(JSON.stringify({ event, ...fields }) + '\n')

const creds = initAuthCreds()
const store = {}
const keys = {
  get: async (kind, ids) => Object.fromEntries(ids.filter(id => store[kind]?.[id]).map(id => [id, store[kind][id]])),
  set: async changes => {
    for (const kind in changes) store[kind] = { ...store[kind], ...changes[kind] }
  },
}

let socket
function connect() {
  socket = makeSocket({
    auth: { creds, keys },
    logger: pino({ level: 'silent' }),
    waWebSocketUrl: url.replace('http:', 'ws:') + '/ws/chat',
    browser: ['Linux', 'Chrome', '1.0'],
    shouldSyncHistoryMessage: () => false,
  })
  socket.ev.on('creds.update', changes => Object.assign(creds, changes))
  socket.ev.on('connection.update', ({ qr, connection }) => {
    if (qr) tell('qr', { code: qr })
    if (connection === 'open') tell('connected')
    if (connection === 'close') {
      tell('disconnected')
      connect()
    }
  })
  socket.ev.on('presence.update', ({ id, presences }) => {
    const state = Object.values(presences)[0].lastKnownPresence
    if (state === 'composing') tell('typing', { jid: id })
    else tell('presence', { jid: id, online: state === 'available' })
  })
  socket.ev.on('messages.upsert', ({ messages }) => {
    for (const { key, message } of messages) if (!key.fromMe) tell('message', { jid: key.remoteJid, text: message?.conversation ?? '' })
  })
  socket.ws.on('CB:receipt', ({ attrs }) => tell('receipt', { ids: [attrs.id] }))
}

const deeds = {
  code: async ({ phone }) => tell('code', { code: await socket.requestPairingCode(phone) }),
  available: async () => {
    creds.me.name ??= 'Tester' // the name comes with a history sync, which is not part of this trial
    await socket.sendPresenceUpdate('available')
  },
  subscribe: ({ phone }) => socket.presenceSubscribe(`${phone}@s.whatsapp.net`),
  groups: async () => {
    const groups = Object.values(await socket.groupFetchAllParticipating())
    tell('groups', { subjects: groups.map(group => group.subject) })
  },
  send: async ({ phone, text }) => tell('sent', { id: (await socket.sendMessage(`${phone}@s.whatsapp.net`, { text })).key.id }),
}

connect()
setInterval(() => socket.ev.flush(true), 100) // it holds events back until there was a history sync
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line)
  await deeds[command.do](command)
  tell('done', { what: command.do })
}
process.exit(0)
