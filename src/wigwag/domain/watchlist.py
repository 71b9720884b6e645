# SPDX-License-Identifier: Apache-2.0
"""Whom we were asked to track and how urgently. A contact may be wanted by name and through several groups at once.

The most urgent wish counts (1 high, 2 medium, 3 low); the contact is tracked until the last wish is withdrawn.
"""

from dataclasses import dataclass

from wigwag.domain.errors import InvalidSettings
from wigwag.domain.ids import Jid

BY_NAME = ""  # the source of a wish that names the contact itself
HIGH, MEDIUM, LOW = 1, 2, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One wish to track a contact. `source` is BY_NAME or the jid of a group."""

    jid: Jid
    source: str = BY_NAME
    account: str
    priority: int = MEDIUM
    name: str = ""

    def __post_init__(self) -> None:
        if self.priority not in (HIGH, MEDIUM, LOW):
            raise InvalidSettings("The priority must be 1 (high), 2 (medium) or 3 (low).")


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedGroup:
    """A group whose members we were asked to track."""

    jid: Jid
    account: str
    priority: int = MEDIUM
    name: str = ""


class Watchlist:
    """All wishes of all accounts."""

    def __init__(self) -> None:
        self._wishes: dict[Jid, dict[str, Watch]] = {}

    def __contains__(self, jid: object) -> bool:
        return jid in self._wishes

    def add(self, watch: Watch) -> None:
        self._wishes.setdefault(watch.jid, {})[watch.source] = watch

    def remove(self, jid: Jid, source: str) -> bool:
        """Withdraw one wish. True if it was the last one: nobody wants this contact any more."""
        wishes = self._wishes.get(jid, {})
        wishes.pop(source, None)
        if not wishes:
            self._wishes.pop(jid, None)
        return not wishes

    def forget(self, jid: Jid) -> list[Watch]:
        """Withdraw all wishes for a contact, and say which they were."""
        return list(self._wishes.pop(jid, {}).values())

    def wishes(self, jid: Jid) -> list[Watch]:
        return list(self._wishes.get(jid, {}).values())

    def priority(self, jid: Jid) -> int:
        """How urgently the contact is wanted."""
        return min((watch.priority for watch in self.wishes(jid)), default=LOW)

    def account(self, jid: Jid) -> str | None:
        """The account that watches a contact; it stays the same as long as anybody wants the contact."""
        return next((watch.account for watch in self.wishes(jid)), None)

    def name(self, jid: Jid) -> str:
        """What the contact was called: by whoever named it, else by its groups, else ""."""
        wishes = sorted(self.wishes(jid), key=lambda watch: watch.source != BY_NAME)
        return next((watch.name for watch in wishes if watch.name), "")

    def members(self, group: Jid) -> set[Jid]:
        """The contacts wanted through a group."""
        return {jid for jid, wishes in self._wishes.items() if group in wishes}
