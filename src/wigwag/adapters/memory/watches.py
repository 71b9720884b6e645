# SPDX-License-Identifier: Apache-2.0
"""Whom we were asked to track, in memory. It keeps the same promises as a database, except to outlive the process."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from wigwag.app.ports import WatchStore
from wigwag.domain.ids import Jid
from wigwag.domain.subscriptions import State, Subscription
from wigwag.domain.texts import kept_text
from wigwag.domain.watchlist import Watch, WatchedGroup


class MemoryWatchStore:
    """The port WatchStore in memory."""

    def __init__(self) -> None:
        self._watches: dict[tuple[Jid, str], Watch] = {}
        self._groups: dict[Jid, WatchedGroup] = {}
        self._failed: dict[Jid, tuple[int, float]] = {}

    async def load(self) -> tuple[list[Watch], list[WatchedGroup]]:
        return list(self._watches.values()), list(self._groups.values())

    async def put(self, watches: Sequence[Watch], groups: Sequence[WatchedGroup] = ()) -> None:
        for watch in watches:
            self._watches[watch.jid, watch.source] = replace(watch, name=kept_text(watch.name))
        for group in groups:
            self._groups[group.jid] = replace(group, name=kept_text(group.name))

    async def remove(self, watches: Sequence[Watch], groups: Sequence[WatchedGroup] = ()) -> None:
        """Withdraw wishes and groups. Who is wanted no longer has no failed subscription either."""
        for watch in watches:
            self._watches.pop((watch.jid, watch.source), None)
        for group in groups:
            self._groups.pop(group.jid, None)
        wanted = {jid for jid, _source in self._watches}
        for jid in {watch.jid for watch in watches} - wanted:
            self._failed.pop(jid, None)

    async def subscriptions(self) -> list[tuple[Jid, int, float]]:
        return [(jid, attempts, due) for jid, (attempts, due) in self._failed.items()]

    async def save_subscriptions(self, changed: Sequence[Subscription]) -> None:
        """Keep who failed in a row, and forget who is heard again. Only a failed one has an instant to wait for."""
        for subscription in changed:
            due = subscription.due if subscription.state is State.FAILED else 0.0
            self._failed[subscription.jid] = (subscription.attempts, due)
            if not subscription.attempts:
                del self._failed[subscription.jid]

    def erase(self, jid: Jid) -> None:
        """Forget a person: their wishes and their subscription."""
        self._watches = {key: watch for key, watch in self._watches.items() if watch.jid != jid}
        self._failed.pop(jid, None)


if TYPE_CHECKING:
    _: type[WatchStore] = MemoryWatchStore
