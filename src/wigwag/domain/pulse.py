# SPDX-License-Identifier: Apache-2.0
"""Whether a link is alive: what came through it, and what was asked in vain since. No link is judged by silence alone.

A socket that stands and answers keep-alives proves little: WhatsApp may have forgotten us behind it. So a link has
stalled when a message gets no word, or when enough else was asked of it and nothing at all came since.
"""

from collections import Counter

from wigwag.domain.account import Stall

ENOUGH = {Stall.MESSAGES: 1, Stall.REQUESTS: 2, Stall.SUBSCRIPTIONS: 10}  # questions in vain, in a row
# Contacts may all have their reasons to stay silent; a new link would change nothing then, and is made only once.
DOUBTFUL = {Stall.SUBSCRIPTIONS}
CERTAIN = {Stall.MESSAGES}  # always answered, whatever else comes


class Pulse:
    """One account's link. Instants are Unix seconds."""

    def __init__(self) -> None:
        self.heard_at: float | None = None
        self._in_vain: Counter[Stall] = Counter()
        self._blamed: set[Stall] = set()

    def hear(self, at: float) -> None:
        """Something came from WhatsApp."""
        self.heard_at = at
        if self._in_vain or self._blamed:
            self._in_vain.clear()
            self._blamed.clear()

    def renew(self) -> None:
        """A new link stands: what the one before did not answer says nothing about this one."""
        self._in_vain.clear()

    def miss(self, what: Stall, asked: float) -> bool:
        """What was asked at an instant was not answered in its time. True if the link has stalled, says this."""
        if what not in CERTAIN and self.heard_at is not None and self.heard_at >= asked:
            return False
        self._in_vain[what] += 1
        if self._in_vain[what] < ENOUGH[what] or what in self._blamed & DOUBTFUL:
            return False
        self._blamed.add(what)
        return True
