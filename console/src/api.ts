// SPDX-License-Identifier: Apache-2.0
// How the console asks the API: JSON in and out, and every error as the problem that the gateway says it is.

/** What went wrong, in the gateway's own words. `status` is 0 when it could not be reached at all. */
export class Problem extends Error {
  override readonly name = 'Problem'
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
  ) {
    super(detail)
  }
}

const TIMEOUT = 20_000 // milliseconds

let onUnauthenticated = (): void => {}

/** Who is told when the gateway wants to know who we are. */
export function whenUnauthenticated(tell: () => void): void {
  onUnauthenticated = tell
}

/** Ask, and return the answer's JSON (undefined if it has none). Throws Problem. */
export async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const headers = { Accept: 'application/json', 'X-Wigwag-Request': 'console' } // no page of another site can set that
  const init: RequestInit = { method, headers, signal: AbortSignal.timeout(TIMEOUT) }
  if (body !== undefined) {
    init.body = JSON.stringify(body)
    init.headers = { ...headers, 'Content-Type': 'application/json' }
  }
  let answer: Response
  try {
    answer = await fetch(path, init)
  } catch {
    throw new Problem(0, 'unreachable', 'The gateway does not answer.')
  }
  if (answer.status === 204) return undefined as T
  const text = await answer.text()
  if (answer.ok) return (text ? JSON.parse(text) : undefined) as T
  if (answer.status === 401 && path !== '/api/session') onUnauthenticated()
  throw problemOf(answer.status, text)
}

function problemOf(status: number, text: string): Problem {
  try {
    const told = JSON.parse(text) as { code?: string; detail?: string; error?: string }
    return new Problem(status, told.code ?? 'error', told.detail ?? told.error ?? `The gateway answered ${status}.`)
  } catch {
    return new Problem(status, 'error', `The gateway answered ${status}.`)
  }
}

export const get = <T>(path: string): Promise<T> => call<T>('GET', path)
export const post = <T>(path: string, body?: unknown): Promise<T> => call<T>('POST', path, body)

/** A path with parts that are written as they must be. */
export function path(strings: TemplateStringsArray, ...parts: (string | number)[]): string {
  return strings.reduce((whole, next, index) => whole + encodeURIComponent(String(parts[index - 1])) + next)
}
