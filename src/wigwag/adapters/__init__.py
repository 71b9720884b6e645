# SPDX-License-Identifier: Apache-2.0
"""Floor 3: one room per outside thing, each behind a port of `app.ports` or in front of `app.gateway`.

Rooms never import rooms; a third-party library is imported in one room. A library's errors end at its room's wall.
"""
