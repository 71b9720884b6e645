// SPDX-License-Identifier: Apache-2.0
// What people type, and what is filled in for them.

/** A line is a number and perhaps a name: `+91 98765 43210, John Doe`. */
export function parse(text: string): { phone: string; name: string }[] {
  return text
    .split('\n')
    .map(line => line.trim())
    .filter(Boolean)
    .map(line => {
      const [, phone = line, name = ''] = /^(\+?[\d\s().-]+(?:@\S+)?)[,;\s]*(.*)$/.exec(line) ?? []
      return { phone: phone.trim(), name: name.trim() }
    })
}

/** JSON in lines; anything else as it is. */
export function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}

/** As a field for a local time wants it. */
export function localTime(at: number): string {
  const date = new Date(at - new Date(at).getTimezoneOffset() * 60_000)
  return date.toISOString().slice(0, 16)
}
