// SPDX-License-Identifier: Apache-2.0
// Small pictures, drawn with one line each. They decorate; the words beside them say the same.

const PATHS = {
  now: 'M3 12h4l3-8 4 16 3-8h4',
  accounts: 'M8 3h8a2 2 0 0 1 2 2v14a2 2 0 0 1-2 2H8a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2zm3 15h2',
  messages: 'M4 5h16v11H9l-5 4z',
  'dead-letters': 'M3 6h18v12H3zM3 7l9 6 9-6M16 16l4 4m0-4l-4 4',
  webhooks: 'M9 7a3 3 0 1 1 4 3l3 6m-4-6l-4 7m0 0a3 3 0 1 1-3-3m4 3h9a3 3 0 1 0-2-5',
  subscriptions: 'M5 6h14M5 12h14M5 18h8m5-2v5m-2-2l2 2 2-2',
  system: 'M4 18a8 8 0 1 1 16 0M12 18l4-6',
  simulator: 'M9 3h6m-5 0v6l-5 9a2 2 0 0 0 2 3h10a2 2 0 0 0 2-3l-5-9V3M8 15h8',
  menu: 'M4 7h16M4 12h16M4 17h16',
  eye: 'M2 12s4-7 10-7 10 7 10 7-4 7-10 7S2 12 2 12zm10 3a3 3 0 1 0 0-6 3 3 0 0 0 0 6z',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zm5-2l5 5',
  out: 'M10 4H5v16h5m4-4l4-4-4-4m4 4H9',
  back: 'M14 6l-6 6 6 6',
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name }: { name: IconName }): React.ReactNode {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  )
}
