# SPDX-License-Identifier: Apache-2.0
"""What a gateway says of all contacts at one moment, ready to be shown. Reads answers of the API; draws nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from wigwag.cli.client import Client

ONLINE, OFFLINE, UNOBSERVED = "online", "offline", "not observed"
_RANK = {ONLINE: 0, OFFLINE: 1, UNOBSERVED: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One line of the table. Instants are Unix seconds; `typing` and `subscription` are "" when there is nothing."""

    jid: str
    name: str
    state: str
    since: float | None
    last_seen: float | None
    typing: str
    subscription: str

    @property
    def number(self) -> str:
        return self.jid.partition("@")[0]

    @property
    def activity(self) -> tuple[bool, int, float, float]:
        """What sorts the busiest first."""
        return not self.typing, _RANK[self.state], -(self.since or 0.0), -(self.last_seen or 0.0)

    def matches(self, words: Sequence[str]) -> bool:
        """Whether each word is somewhere in the line; `unobserved` may be written together."""
        state = "unobserved" if self.state == UNOBSERVED else self.state
        line = f"{self.name} {self.number} {state} {self.typing} {self.subscription}".casefold()
        return all(word.casefold() in line for word in words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """How an account stands."""

    name: str
    state: str
    advice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Contacts, the busiest first, and the accounts."""

    contacts: tuple[Contact, ...]
    accounts: tuple[Account, ...]

    def count(self, state: str) -> int:
        return sum(contact.state == state for contact in self.contacts)

    def only(self, words: Sequence[str]) -> "Snapshot":
        """Those that match."""
        return replace(self, contacts=tuple(contact for contact in self.contacts if contact.matches(words)))

    def unobserved(self) -> "Snapshot":
        """The same people when we can no longer know how they are."""
        lost = (replace(contact, state=UNOBSERVED, typing="", subscription="") for contact in self.contacts)
        return Snapshot(contacts=tuple(lost), accounts=())


def take(gateway: Client) -> Snapshot:
    """Ask for everything once. Raises Failure."""
    typing = {each["jid"]: each["typing"] for each in gateway.get("presence", "typing")}
    subscriptions = {each["jid"]: each["state"] for each in gateway.get("subscriptions")}
    contacts = [
        _contact(each, typing.get(each["jid"], ""), subscriptions.get(each["jid"], ""))
        for each in gateway.get("presence")
    ]
    accounts = [
        Account(name=each["name"], state=each["state"], advice=each["advice"]) for each in gateway.get("accounts")
    ]
    return Snapshot(contacts=tuple(sorted(contacts, key=lambda each: each.activity)), accounts=tuple(accounts))


def instant(text: str | None) -> float | None:
    """Unix seconds of a time as the API writes it."""
    return datetime.fromisoformat(text).timestamp() if text else None


def _contact(answer: dict[str, Any], typing: str, subscription: str) -> Contact:
    known = ONLINE if answer["is_online"] else OFFLINE
    return Contact(
        jid=answer["jid"],
        name=answer["name"],
        state=known if answer["observed"] else UNOBSERVED,
        since=instant(answer["last_status_change"]),
        last_seen=instant(answer["last_seen"]),
        typing=typing,
        subscription=subscription,
    )
