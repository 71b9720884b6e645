// SPDX-License-Identifier: Apache-2.0
// A gateway that does what a test tells it: the real Socket.IO server, with answers given by hand.

import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { Server, type Socket } from 'socket.io'
import { type News, PresenceClient, type Options } from '../src/index.js'
import type { Wire } from '../src/presence.js'

type Handler = (socket: Socket, argument: unknown) => unknown

export interface Gateway extends AsyncDisposable {
  readonly url: string
  readonly io: Server
  /** What was asked, as [event, argument]. */
  readonly asked: [string, unknown][]
  /** What is answered to each event; put another one in to change it. */
  readonly answers: Record<string, Handler>
  readonly tokens: unknown[]
  client(options?: Partial<Options>): PresenceClient
}

export const wire = (user_id: number | string, status: Wire['status'], v: number, last_seen: string | null = null) =>
  ({ user_id, status, last_seen, v }) satisfies Wire

/** What the gateway says when it refuses. */
export const refusal = (code: string) => ({ error: { code, message: `No: ${code}.` } })

export async function gateway(): Promise<Gateway> {
  const http = createServer()
  const io = new Server(http)
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  const asked: [string, unknown][] = []
  const tokens: unknown[] = []
  const clients: PresenceClient[] = []
  const answers: Record<string, Handler> = {
    user_authenticated: (_, user) => ({ ok: true, user_id: user }),
    update_status: (_, status) => ({ ok: true, status }),
    get_presence: (socket, users) => {
      const found = (users as number[]).map(user => wire(user, 'offline', 1))
      socket.emit('presence_info', found)
      return found
    },
  }
  io.on('connection', socket => {
    tokens.push(socket.handshake.auth['token'])
    socket.onAny((event: string, argument: unknown, ack?: (answer: unknown) => void) => {
      asked.push([event, argument])
      const answer = answers[event]?.(socket, argument)
      if (answer && typeof answer === 'object' && 'error' in answer) {
        socket.emit('error', { event, ...(answer as ReturnType<typeof refusal>).error })
      }
      if (answer !== undefined) ack?.(answer)
    })
  })
  return {
    ...{ url, io, asked, tokens, answers },
    client(options = {}) {
      const quick = { reconnectionDelay: 5, reconnectionDelayMax: 10, ...options.socket }
      const client = new PresenceClient({ url, userId: 1, ...options, socket: quick })
      clients.push(client)
      return client
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.close()
      await io.close()
    },
  }
}

/** The first news of this kind that the test accepts. */
export function heard<K extends News['kind']>(
  client: PresenceClient,
  kind: K,
  accept: (news: Extract<News, { kind: K }>) => boolean = () => true,
): Promise<Extract<News, { kind: K }>> {
  return new Promise(resolve => {
    const stop = client.subscribe(news => {
      if (news.kind !== kind || !accept(news as Extract<News, { kind: K }>)) return
      stop()
      resolve(news as Extract<News, { kind: K }>)
    })
  })
}
