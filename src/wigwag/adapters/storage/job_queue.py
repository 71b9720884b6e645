# SPDX-License-Identifier: Apache-2.0
"""Who is to be sent next, as statements on the two indexes of the queue. Nothing here is executed.

New jobs are read in the order of sending until there are enough. Those who hold up others, because they are being
sent or wait for another attempt, are few or thousands; they are found by their own index, once for each statement.
"""

from sqlalchemy import BindParameter, Select, and_, bindparam, func, select, union_all

from wigwag.adapters.storage.job_rows import AGAIN, NEW, SENDING
from wigwag.adapters.storage.schema_messages import jobs

_account: BindParameter[str] = bindparam("account")
_now: BindParameter[float] = bindparam("now")
_most: BindParameter[int] = bindparam("most")


def _due() -> Select[tuple[object, ...]]:
    waits = and_(jobs.c.stage == AGAIN, jobs.c.due > _now)
    ahead = union_all(
        select(jobs.c.recipient, jobs.c.place).where(jobs.c.account == _account, jobs.c.stage == SENDING),
        select(jobs.c.recipient, jobs.c.place).where(jobs.c.account == _account, waits),
    ).subquery("ahead")
    held = select(ahead.c.recipient, func.min(ahead.c.place).label("place")).group_by(ahead.c.recipient).cte("held")

    def ready(stage: int) -> Select[tuple[int, int]]:
        behind = and_(held.c.recipient == jobs.c.recipient, held.c.place < jobs.c.place)
        return (
            select(jobs.c.place, jobs.c.turn)
            .select_from(jobs.outerjoin(held, behind))
            .where(jobs.c.account == _account, jobs.c.stage == stage, jobs.c.due <= _now, held.c.recipient.is_(None))
            .order_by(jobs.c.turn, jobs.c.place)
            .limit(_most)
        )

    parts = [select(ready(stage).subquery(f"ready_{stage}")) for stage in (NEW, AGAIN)]
    both = union_all(*parts).subquery("both_stages")
    first = select(both.c.place).order_by(both.c.turn, both.c.place).limit(_most).subquery("first_of_all")
    return select(jobs).join(first, first.c.place == jobs.c.place).order_by(jobs.c.turn, jobs.c.place)


def _next_due(stage: int) -> Select[tuple[float]]:
    return select(func.min(jobs.c.due).label("due")).where(
        jobs.c.account == _account, jobs.c.stage == stage, jobs.c.due > _now
    )


DUE = _due()
NEXT_DUE = union_all(_next_due(NEW), _next_due(AGAIN))
