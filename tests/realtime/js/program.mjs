// SPDX-License-Identifier: Apache-2.0
// The official Socket.IO client as a program of JSON lines: events on stdout, commands on stdin.
// Run as `node program.mjs <url> <transports, with commas between>`.

import { createInterface } from 'node:readline'
import { io } from 'socket.io-client'

const [url, transports] = process.argv.slice(2)
const tell = (event, fields = {}) => process.stdout.write(JSON.stringify({ event, ...fields }) + '\n')
const plain = args => args.map(arg => (Buffer.isBuffer(arg) ? { bytes: [...arg] } : arg))

let socket
const commands = {
  connect({ auth, path = '/' }) {
    socket = io(url + path, { transports: transports.split(','), auth, reconnectionDelay: 20, reconnectionDelayMax: 50 })
    socket.on('connect', () => {
      tell('connected', { transport: socket.io.engine.transport.name, id: socket.id })
    })
    const watch = () => socket.io.engine.once('upgrade', ({ name }) => tell('upgraded', { transport: name }))
    socket.io.on('open', watch)
    socket.io.on('ping', () => tell('pinged'))
    socket.on('connect_error', ({ message, data }) => tell('connect_error', { message, data }))
    socket.on('disconnect', reason => tell('disconnected', { reason }))
    socket.onAny((name, ...args) => tell('heard', { name, args: plain(args) }))
  },
  emit({ name, args }) {
    socket.emit(name, ...args)
  },
  ask({ name, args }) {
    socket.timeout(5000).emit(name, ...args, (error, ...answer) => tell('acked', { failed: !!error, args: plain(answer) }))
  },
  bytes({ name, bytes }) {
    socket.emit(name, Buffer.from(bytes))
  },
  disconnect() {
    socket.disconnect()
  },
}

createInterface({ input: process.stdin })
  .on('line', line => {
    const command = JSON.parse(line)
    commands[command.do](command)
    tell('done', { what: command.do })
  })
  .on('close', () => process.exit())
