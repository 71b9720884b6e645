// SPDX-License-Identifier: Apache-2.0
// Presence of users as a small Node program does it, in memory and without a database or tokens: what bench/sockets.py
// compares with.
//
//     node reference.cjs PORT MODE USERS CONTACTS
//
// MODE `seed` sends to each contact's room, as seed 004 shows; `broadcast` sends once to the rooms of all contacts, which
// is the better program. CONTACTS as in load.c: 0 is a star around user 0, any other number a ring.
const http = require('node:http')
const { Server } = require('socket.io')

const [port, mode, users, contacts] = [+process.argv[2], process.argv[3], +process.argv[4], +process.argv[5]]
const STATUSES = ['online', 'offline', 'away', 'busy']
const server = http.createServer()
const io = new Server(server, { pingInterval: 10000, pingTimeout: 30000 })
const devices = new Map() // user -> Set of sockets
const presence = new Map()
const rooms = new Map() // user -> the rooms of the contacts

function roomsOf(user) {
  if (!rooms.has(user)) {
    const sides = Array.from({ length: contacts / 2 }, (_, i) => [user + i + 1, user - i - 1]).flat()
    const inRing = () => sides.map(contact => (contact + users) % users)
    const inStar = () => (user === 0 ? Array.from({ length: users - 1 }, (_, i) => i + 1) : [0])
    rooms.set(user, (contacts ? inRing() : inStar()).map(contact => `user:${contact}`))
  }
  return rooms.get(user)
}

function change(user, status) {
  const now = { status, last_seen: new Date() }
  presence.set(user, now)
  const told = { user_id: user, ...now }
  if (mode === 'seed') roomsOf(user).forEach(room => io.to(room).emit('presence_updated', told))
  else io.to(roomsOf(user)).emit('presence_updated', told)
}

io.on('connection', socket => {
  socket.on('user_authenticated', user => {
    socket.user = user
    const own = devices.get(user) ?? new Set()
    devices.set(user, own.add(socket.id))
    socket.join(`user:${user}`)
    if (own.size === 1) change(user, 'online')
  })
  socket.on('update_status', status => {
    if (socket.user !== undefined && STATUSES.includes(status)) change(socket.user, status)
  })
  socket.on('get_presence', ids => {
    const shown = id => ({ user_id: id, ...(presence.get(id) ?? { status: 'offline', last_seen: null }) })
    socket.emit('presence_info', ids.map(shown))
  })
  socket.on('disconnect', () => {
    const own = devices.get(socket.user)
    own?.delete(socket.id)
    if (own?.size === 0) {
      devices.delete(socket.user)
      change(socket.user, 'offline')
    }
  })
})
server.listen({ port, host: '127.0.0.1', backlog: 4096 }, () => console.log('listening'))
