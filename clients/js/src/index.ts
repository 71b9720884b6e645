// SPDX-License-Identifier: Apache-2.0
export { type News, type Options, PresenceClient, type Token } from './client.js'
export { type Choice, type ContactPresence, type Presence, PresenceError, type Status, type UserId } from './presence.js'
export { catalogues, formatLastSeen, type Messages, type Words } from './words.js'
