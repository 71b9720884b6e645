# SPDX-License-Identifier: Apache-2.0
"""Whom to track: wishes come in by contact or by group, are kept in the store, and become entries in the plans.

Who actually asks WhatsApp, and when, is the pacer's work.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from wigwag.app.ports import AccountStore, WatchStore, Wire
from wigwag.domain.errors import GatewayError, NotFound
from wigwag.domain.events import GroupReported
from wigwag.domain.ids import Jid
from wigwag.domain.pacing import Pace
from wigwag.domain.subscriptions import Plan, State, Stats, Subscription
from wigwag.domain.watchlist import BY_NAME, Watch, WatchedGroup, Watchlist

PACE_KEY = "pace"


class Subscriber:
    """Keeps the watchlist.

    Args:
        plan_of: the plan of an account, made when there is none.
        keep: begin to keep a contact's presence (jid, name, account).
        drop: stop keeping it.
        wake: an account's plan changed.
    """

    def __init__(  # noqa: PLR0913  a use case is wired by keyword, once
        self,
        *,
        wire: Wire,
        store: WatchStore,
        choices: AccountStore,
        plan_of: Callable[[str], Plan],
        plans: dict[str, Plan],
        keep: Callable[[Jid, str, str], None],
        drop: Callable[[Jid], None],
        wake: Callable[[str], None],
        pace: Pace,
    ) -> None:
        self._wire, self._store, self._choices = wire, store, choices
        self._plan_of, self.plans = plan_of, plans
        self._keep, self._drop, self._wake = keep, drop, wake
        self._watchlist = Watchlist()
        self._groups: dict[Jid, WatchedGroup] = {}
        self.pace = pace

    async def restore(self) -> set[Jid]:
        """Read the wishes from the store. Returns who is wanted; whoever else is still known may go."""
        choices = await self._choices.choices()
        if PACE_KEY in choices:
            self._set_pace(_pace_from(choices[PACE_KEY]))
        watches, groups = await self._store.load()
        self._groups = {group.jid: group for group in groups}
        failed = {jid: (attempts, due) for jid, attempts, due in await self._store.subscriptions()}
        for watch in watches:
            self._watchlist.add(watch)
        for jid in dict.fromkeys(watch.jid for watch in watches):
            attempts, due = failed.get(jid, (0, 0.0))
            self._begin(jid).restore(jid, self._watchlist.priority(jid), attempts, due)
        return {watch.jid for watch in watches}

    # --- contacts

    async def track(self, contacts: Sequence[tuple[Jid, str]], *, priority: int, account: str) -> list[Jid]:
        """Track contacts by name, given as (jid, name or "")."""
        await self._add([Watch(jid=jid, account=account, priority=priority, name=name) for jid, name in contacts])
        return [jid for jid, _name in contacts]

    async def untrack(self, jid: Jid) -> None:
        """Withdraw the wish by name. Raises NotFound if there is none."""
        wish = [watch for watch in self._watchlist.wishes(jid) if watch.source == BY_NAME]
        if not wish:
            raise NotFound("This contact is not tracked by name.")
        await self._remove(wish)

    def forget(self, jid: Jid) -> None:
        """A person is erased: withdraw every wish, without the store, which erases by itself."""
        for watch in self._watchlist.forget(jid):
            self._plan_of(watch.account).drop(jid)

    async def _add(self, watches: Sequence[Watch], groups: Sequence[WatchedGroup] = ()) -> None:
        watches = [replace(w, account=self._watchlist.account(w.jid) or w.account) for w in watches]
        await self._store.put(watches, groups)
        for group in groups:
            self._groups[group.jid] = group
        for watch in watches:
            self._watchlist.add(watch)
            self._begin(watch.jid).want(watch.jid, self._watchlist.priority(watch.jid))
        for account in {watch.account for watch in watches}:
            self._wake(account)

    def _begin(self, jid: Jid) -> Plan:
        account = self._watchlist.account(jid)
        assert account is not None  # noqa: S101  the wish was just added
        self._keep(jid, self._watchlist.name(jid), account)
        return self._plan_of(account)

    async def _remove(self, watches: Sequence[Watch], groups: Sequence[WatchedGroup] = ()) -> None:
        await self._store.remove(watches, groups)
        for group in groups:
            self._groups.pop(group.jid, None)
        for watch in watches:
            plan = self._plan_of(watch.account)
            if self._watchlist.remove(watch.jid, watch.source):
                plan.drop(watch.jid)
                self._drop(watch.jid)
            else:
                plan.want(watch.jid, self._watchlist.priority(watch.jid))

    # --- groups

    async def track_group(self, group: Jid, *, priority: int, account: str) -> WatchedGroup:
        """Track whoever is in a group. Raises NotFound for a group that the account is not in, NotLinked."""
        subject = (await self._wire.groups(account)).get(group, "")
        wanted = WatchedGroup(jid=group, account=account, priority=priority, name=subject)
        await self._expand(wanted)
        return wanted

    async def untrack_group(self, group: Jid) -> None:
        """Withdraw that. Raises NotFound."""
        wanted = self._groups.get(group)
        if wanted is None:
            raise NotFound("This group is not tracked.")
        await self._remove(self._watches_of(group), [wanted])

    def wishes(self, jid: Jid) -> list[Watch]:
        """All wishes for a contact."""
        return self._watchlist.wishes(jid)

    def members(self, group: Jid) -> list[Jid]:
        """Who is wanted through a tracked group. Raises NotFound."""
        if group not in self._groups:
            raise NotFound("This group is not tracked.")
        return sorted(self._watchlist.members(group))

    def groups(self) -> list[WatchedGroup]:
        return list(self._groups.values())

    async def joined_groups(self, account: str) -> dict[Jid, str]:
        return await self._wire.groups(account)

    async def refresh_groups(self, account: str) -> None:
        """A new link: see who is in the tracked groups now. One that cannot be read keeps none of the others back."""
        failed: GatewayError | None = None
        for group in [group for group in self._groups.values() if group.account == account]:
            try:
                await self._expand(group)
            except GatewayError as error:
                failed = error
        if failed is not None:
            raise failed

    async def hear_group(self, report: GroupReported) -> None:
        """People joined or left a group."""
        group = self._groups.get(report.group)
        if group is None or group.account != report.account:
            return
        await self._add([self._watch(group, jid, "") for jid in report.joined])
        await self._remove([watch for watch in self._watches_of(group.jid) if watch.jid in report.left])

    async def _expand(self, group: WatchedGroup) -> None:
        members = await self._wire.members(group.account, group.jid)
        await self._add([self._watch(group, jid, name) for jid, name in members.items()], [group])
        await self._remove([watch for watch in self._watches_of(group.jid) if watch.jid not in members])

    def _watch(self, group: WatchedGroup, jid: Jid, name: str) -> Watch:
        return Watch(jid=jid, source=group.jid, account=group.account, priority=group.priority, name=name)

    def _watches_of(self, group: Jid) -> list[Watch]:
        members = self._watchlist.members(group)
        return [watch for jid in members for watch in self._watchlist.wishes(jid) if watch.source == group]

    # --- pace and figures

    async def configure(self, pace: Pace) -> None:
        await self._choices.choose(PACE_KEY, f"{pace.batch} {pace.gap} {pace.rest}")
        self._set_pace(pace)
        for account in self.plans:
            self._wake(account)

    def _set_pace(self, pace: Pace) -> None:
        self.pace = pace
        for plan in self.plans.values():
            plan.pace = pace

    def subscriptions(self, *, account: str | None, state: State | None) -> list[Subscription]:
        """The subscriptions of one account or all, in one state or all."""
        plans = [plan for name, plan in self.plans.items() if account in (None, name)]
        return [s for plan in plans for s in plan.subscriptions() if state in (None, s.state)]

    def stats(self) -> Stats:
        total = Stats(total_subscriptions=0, active=0, stale=0, failed=0, queue_length=0)
        for plan in self.plans.values():
            total = total + plan.stats()
        return total


def _pace_from(text: str) -> Pace:
    batch, gap, rest = text.split()
    return Pace(batch=int(batch), gap=float(gap), rest=float(rest))
