# SPDX-License-Identifier: Apache-2.0
"""Commands in: the one place that every door calls, so that all doors have one truth.

It reads what people write, routes to a use case, and decides nothing else.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from wigwag.app.accounts import Accounts
from wigwag.app.correspondence import Correspondence
from wigwag.app.grants import Grants
from wigwag.app.lobby import Lobby
from wigwag.app.pacers import Pacers
from wigwag.app.ports import DeadLetters, UserStore
from wigwag.app.pulses import Pulses
from wigwag.app.recorder import Recorder
from wigwag.app.subscriber import Subscriber
from wigwag.app.tracker import Tracker
from wigwag.app.webhooks import Webhooks
from wigwag.domain.account import Account
from wigwag.domain.errors import Conflict, NotFound
from wigwag.domain.events import PairingOffered, TypingChanged
from wigwag.domain.history import Interval
from wigwag.domain.ids import Jid, contact_jid, group_jid
from wigwag.domain.pacing import Pace
from wigwag.domain.presence import Presence, Status
from wigwag.domain.subscriptions import Plan, State, Stats, Subscription
from wigwag.domain.watchlist import MEDIUM, Watch, WatchedGroup


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceCounts:
    """How many contacts are tracked, and what we know of them. Total is online, offline and unobserved together."""

    total: int
    online: int
    offline: int

    @property
    def observed(self) -> int:
        return self.online + self.offline


class Gateway:
    """What the outside may ask of wigwag. Texts name contacts in any spelling that `domain.ids` understands."""

    _dead_letters: DeadLetters | None = None  # the broker's room needs the gateway first

    def __init__(  # noqa: PLR0913  wired by keyword, once
        self,
        *,
        tracker: Tracker,
        subscriber: Subscriber,
        recorder: Recorder,
        accounts: Accounts,
        pacers: Pacers,
        correspondence: Correspondence,
        webhooks: Webhooks,
        lobby: Lobby,
        grants: Grants,
        users: UserStore,
        pulses: Pulses,
    ) -> None:
        self._tracker, self._subscriber, self._recorder = tracker, subscriber, recorder
        self._accounts, self._pacers, self._correspondence = accounts, pacers, correspondence
        self._pulses = pulses
        self.messages, self.webhooks, self.lobby, self.users = correspondence.messages, webhooks, lobby, users
        self.grants = grants

    # --- dead letters

    @property
    def dead_letters(self) -> DeadLetters:
        """Envelopes that led to nothing. Raises Conflict where no broker is configured."""
        if self._dead_letters is None:
            raise Conflict("No broker is configured, so there are no dead letters: set RABBITMQ_URL or RABBITMQ_HOST.")
        return self._dead_letters

    def attach(self, dead_letters: DeadLetters) -> None:
        """There is a broker, and its dead letters are here."""
        self._dead_letters = dead_letters

    # --- presence

    def presences(self) -> Iterator[Presence]:
        """All tracked contacts."""
        return self._tracker.book.views()

    def presence(self, contact: str) -> Presence:
        """One contact. Raises InvalidJid, or NotFound for one who is not tracked."""
        presence = self._tracker.book.get(contact_jid(contact))
        if presence is None:
            raise NotFound("This contact is not tracked.")
        return presence

    def presence_counts(self) -> PresenceCounts:
        book = self._tracker.book
        return PresenceCounts(total=len(book), online=book.count(Status.ONLINE), offline=book.count(Status.OFFLINE))

    def typing(self) -> list[TypingChanged]:
        """Who types or records a message to us now."""
        return self._tracker.typing()

    async def history(self, contact: str, start: float, end: float) -> list[Interval]:
        """The intervals of a tracked contact that touch [start, end). Raises InvalidJid, NotFound, StoreUnavailable."""
        return await self._recorder.history(self.presence(contact).jid, start, end)

    async def histories(self, contacts: Collection[str], start: float, end: float) -> dict[Jid, list[Interval]]:
        """The same for several contacts, in their order; of those who are not tracked there is nothing."""
        found: dict[Jid, list[Interval]] = {contact_jid(contact): [] for contact in contacts}
        tracked = [jid for jid in found if jid in self._tracker.book]
        for interval in await self._recorder.histories(tracked, start, end):
            found[interval.jid].append(interval)
        return found

    async def erase(self, contact: str) -> None:
        """Forget a person everywhere, under every form of their number. Erasing a stranger is fine."""
        for jid in {contact_jid(contact), *self.messages.addresses(contact)}:
            await self.drop(jid)
            await self._correspondence.erase(jid)
            await self.grants.erase(jid)

    async def drop(self, jid: Jid) -> None:
        """Forget a contact's presence, and that we were to track it."""
        self._subscriber.forget(jid)
        self._tracker.forget(jid)
        await self._recorder.erase(jid)

    # --- tracking

    async def track(
        self, contacts: Sequence[tuple[str, str]], *, priority: int = MEDIUM, account: str | None = None
    ) -> list[Jid]:
        """Track contacts, given as (number or jid, name or ""). All or none. Safe on disk when this returns.

        Raises InvalidJid, InvalidSettings (priority), NotFound or Conflict (which account?), StoreUnavailable.
        """
        pairs = [(contact_jid(contact), name) for contact, name in contacts]
        return await self._subscriber.track(pairs, priority=priority, account=self._accounts.pick(account))

    async def untrack(self, contact: str) -> None:
        """Withdraw the wish to track a contact by name; it stays if a tracked group has it. Raises NotFound."""
        await self._subscriber.untrack(contact_jid(contact))

    async def track_group(self, group: str, *, priority: int = MEDIUM, account: str | None = None) -> WatchedGroup:
        """Track whoever is in a group, now and later."""
        return await self._subscriber.track_group(
            group_jid(group), priority=priority, account=self._accounts.pick(account)
        )

    async def untrack_group(self, group: str) -> None:
        """Withdraw that. Members who are not wanted otherwise are tracked no longer. Raises NotFound."""
        await self._subscriber.untrack_group(group_jid(group))

    def wishes(self, contact: str) -> list[Watch]:
        """Who asked for a contact: by name, or through which groups. Raises InvalidJid."""
        return self._subscriber.wishes(contact_jid(contact))

    def members(self, group: str) -> list[Jid]:
        """The contacts that are tracked through a group. Raises InvalidJid, or NotFound for one that is not tracked."""
        return self._subscriber.members(group_jid(group))

    def tracked_groups(self) -> list[WatchedGroup]:
        return self._subscriber.groups()

    async def groups(self, account: str | None = None) -> dict[Jid, str]:
        """The groups that an account is in, with subjects: what could be tracked. Raises NotLinked."""
        return await self._subscriber.joined_groups(self._accounts.pick(account))

    # --- subscriptions

    def plans(self) -> dict[str, Plan]:
        """The plan of each account, for readers."""
        return self._pacers.plans

    def subscriptions(self, *, account: str | None = None, state: State | None = None) -> list[Subscription]:
        return self._subscriber.subscriptions(account=account, state=state)

    def subscription_stats(self) -> Stats:
        return self._subscriber.stats()

    def pace(self) -> Pace:
        return self._subscriber.pace

    async def configure(self, pace: Pace) -> None:
        """Change the pace while running; it is kept over a restart."""
        await self._subscriber.configure(pace)

    # --- accounts

    def accounts(self) -> list[Account]:
        return self._accounts.all()

    def account(self, name: str) -> Account:
        """Raises NotFound."""
        return self._accounts.get(name)

    def restricted_until(self, name: str) -> float | None:
        """Until when an account sends no first message to a stranger, after error 463. None if it does."""
        return self._correspondence.dispatchers.restricted_until(name)

    def heard_at(self, name: str) -> float | None:
        """When anything last came from WhatsApp for an account, Unix seconds; None before the first."""
        return self._pulses.heard_at(name)

    async def add_account(self, name: str) -> Account:
        """Begin a new account, which then offers pairing. Raises Conflict if the name is taken."""
        return await self._accounts.add(name)

    async def remove_account(self, name: str) -> None:
        """Log out and forget an account. Raises NotFound, or Conflict while contacts are tracked through it."""
        await self._accounts.remove(name)
        self._pacers.remove(name)
        self._correspondence.dispatchers.remove(name)
        self._pulses.forget(name)

    async def set_appear(self, name: str, appear: bool) -> Account:
        """Whether an account may be available, which hearing presences needs and which silences the phone."""
        return await self._accounts.set_appear(name, appear)

    async def connect(self, name: str) -> None:
        """Make the link now, whatever was decided before: pairing is offered again, a replaced session taken back."""
        await self._accounts.connect(name)

    async def disconnect(self, name: str) -> None:
        """Close the link and leave it closed until `connect`."""
        await self._accounts.disconnect(name)

    def pairing(self, name: str) -> PairingOffered:
        """The QR code to show now. Raises NotFound, or Conflict if the account is not pairing."""
        return self._accounts.pairing(name)

    async def pair_by_code(self, name: str, phone: str) -> str:
        """The code to type on the phone. Raises NotFound, Conflict, InvalidJid."""
        return await self._accounts.pair_by_code(name, contact_jid(phone))
