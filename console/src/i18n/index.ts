// SPDX-License-Identifier: Apache-2.0
// Texts in the viewer's language. Another language is one more catalogue here, checked by its type to be whole.

import { en } from './en.ts'

export type Key = keyof typeof en
type Plurals = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string }
export type Catalogue = Record<Key, string | Plurals>

const CATALOGUES: Record<string, Catalogue> = { en }

/** The first of the viewer's languages that there is a catalogue for. */
export function choose(wanted: readonly string[]): string {
  return wanted.map(tag => tag.split('-')[0] ?? '').find(tag => tag in CATALOGUES) ?? 'en'
}

export const language = choose(typeof navigator === 'undefined' ? [] : navigator.languages)
const catalogue: Catalogue = CATALOGUES[language] ?? en
const plurals = new Intl.PluralRules(language)
const numbers = new Intl.NumberFormat(language)

/** The text of a key, with its places filled in. Numbers are written as the language does. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  const found = catalogue[key]
  const text = typeof found === 'string' ? found : (found[plurals.select(Number(values['n']))] ?? found.other)
  return text.replace(/\{(\w+)\}/g, (_place, name: string) => {
    const value = values[name] ?? ''
    return typeof value === 'number' ? numbers.format(value) : value
  })
}
