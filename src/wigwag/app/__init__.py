# SPDX-License-Identifier: Apache-2.0
"""Floor 2: what wigwag does. Async use cases over `domain`, and the ports that the rooms above fulfil.

Use cases do not import one another; `gateway` (commands in) and `intake` (events in) know them, `compose` wires them.
No library, no configuration, no logging: what happened leaves as a fact, what failed as an error.
"""
