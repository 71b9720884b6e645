# SPDX-License-Identifier: Apache-2.0
"""Whom we were asked to track, in SQL: the tables `watches` (here `wishes`), `watched_groups`, `failed_subscriptions`.

What a wish means is the domain's business; here it is kept.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, select

from wigwag.adapters.storage.engine import Database, put_rows, run_for_each
from wigwag.adapters.storage.schema import failed_subscriptions, watched_groups
from wigwag.adapters.storage.schema import watches as wishes
from wigwag.app.ports import WatchStore
from wigwag.domain.ids import Jid
from wigwag.domain.subscriptions import State, Subscription
from wigwag.domain.texts import kept_text
from wigwag.domain.watchlist import Watch, WatchedGroup

NOT_WANTED = ~select(wishes.c.jid).where(wishes.c.jid == failed_subscriptions.c.jid).exists()


class SqlWatchStore:
    """The port WatchStore on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self) -> tuple[list[Watch], list[WatchedGroup]]:
        async with self._database.reading() as connection:
            wanted = (await connection.execute(select(wishes))).mappings().all()
            groups = (await connection.execute(select(watched_groups))).mappings().all()
        return [Watch(**wish) for wish in wanted], [WatchedGroup(**group) for group in groups]

    async def put(self, watches: Sequence[Watch], groups: Sequence[WatchedGroup] = ()) -> None:
        async with self._database.writing() as connection:
            await connection.run_sync(put_rows, wishes, [_wish_row(watch) for watch in watches])
            await connection.run_sync(put_rows, watched_groups, [_group_row(group) for group in groups])

    async def remove(self, watches: Sequence[Watch], groups: Sequence[WatchedGroup] = ()) -> None:
        """Withdraw wishes and groups. Who is wanted no longer has no failed subscription either."""
        keys = [{"of": watch.jid, "through": watch.source} for watch in watches]
        wish = delete(wishes).where(wishes.c.jid == bindparam("of"), wishes.c.source == bindparam("through"))
        group = delete(watched_groups).where(watched_groups.c.jid == bindparam("of"))
        failed = delete(failed_subscriptions).where(failed_subscriptions.c.jid == bindparam("of"), NOT_WANTED)
        async with self._database.writing() as connection:
            await connection.run_sync(run_for_each, wish, keys)
            await connection.run_sync(run_for_each, failed, [{"of": key["of"]} for key in keys])
            await connection.run_sync(run_for_each, group, [{"of": group.jid} for group in groups])

    async def subscriptions(self) -> list[tuple[Jid, int, float]]:
        async with self._database.reading() as connection:
            failed = (await connection.execute(select(failed_subscriptions))).all()
        return [(Jid(jid), attempts, due) for jid, attempts, due in failed]

    async def save_subscriptions(self, changed: Sequence[Subscription]) -> None:
        """Keep who failed in a row, and forget who is heard again. Only a failed one has an instant to wait for."""
        rows = [_subscription_row(subscription) for subscription in changed]
        heard = delete(failed_subscriptions).where(failed_subscriptions.c.jid == bindparam("of"))
        async with self._database.writing() as connection:
            await connection.run_sync(run_for_each, heard, [{"of": row["jid"]} for row in rows if not row["attempts"]])
            await connection.run_sync(put_rows, failed_subscriptions, [row for row in rows if row["attempts"]])


def _wish_row(watch: Watch) -> dict[str, Any]:
    return {
        "jid": watch.jid,
        "source": watch.source,
        "account": watch.account,
        "priority": watch.priority,
        "name": kept_text(watch.name),
    }


def _group_row(group: WatchedGroup) -> dict[str, Any]:
    return {
        "jid": group.jid,
        "account": group.account,
        "priority": group.priority,
        "name": kept_text(group.name),
    }


def _subscription_row(subscription: Subscription) -> dict[str, Any]:
    due = subscription.due if subscription.state is State.FAILED else 0.0
    return {"jid": subscription.jid, "attempts": subscription.attempts, "due": due}


if TYPE_CHECKING:
    _: type[WatchStore] = SqlWatchStore
