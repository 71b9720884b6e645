# SPDX-License-Identifier: Apache-2.0
"""Deliveries in SQL: the tables `webhook_deliveries` and `webhook_cursor`.

Who is due is asked often, also of endpoints with a hundred thousand waiting: each question reads an index from its
beginning and stops soon.
"""

import json
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, bindparam, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wigwag.adapters.storage.counters import hold_counters
from wigwag.adapters.storage.engine import SOME, Database, chosen, delete_slices, run_for_each
from wigwag.adapters.storage.events import event_rows, write_events
from wigwag.adapters.storage.schema_messages import events as log
from wigwag.adapters.storage.schema_webhooks import cursor as read_up_to
from wigwag.adapters.storage.schema_webhooks import deliveries as kept
from wigwag.adapters.storage.schema_webhooks import endpoints as addressees
from wigwag.adapters.storage.webhook_endpoints import health_of
from wigwag.app.ports import DeliveryArchive, DeliveryFilter, DeliveryStore
from wigwag.domain.outbox import Event
from wigwag.domain.webhooks import HOLDS, Delivery, Endpoint, State, Try

_d = kept.c
_CURSOR = select(read_up_to.c.position)
_MOVE = update(read_up_to).where(read_up_to.c.position < bindparam("reached")).values(position=bindparam("reached"))
_KNOWN = select(_d.endpoint, _d.position).where(_d.position.in_(SOME))
_PENDING = select(kept).where(_d.endpoint == bindparam("to"), _d.state == State.PENDING.value)
_WAITING = select(
    addressees.c.id,
    select(func.count())
    .where(_d.endpoint == addressees.c.id, _d.state == State.PENDING.value)
    .correlate(addressees)
    .scalar_subquery(),
)
_RECORD = (
    update(kept)
    .where(_d.endpoint == bindparam("to"), _d.position == bindparam("of"))
    .values({name: bindparam(f"new_{name}") for name in ("state", "attempts", "due", "tries")})
)


class SqlDeliveryStore:
    """The ports DeliveryStore and DeliveryArchive on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- DeliveryStore

    async def cursor(self) -> int:
        async with self._database.reading() as connection:
            return await connection.scalar(_CURSOR) or 0

    async def queue(self, deliveries: Sequence[Delivery], cursor: int) -> None:
        async with self._database.writing() as connection:
            await connection.execute(_MOVE, {"reached": cursor})  # first: it takes the lock
            positions = {one.position for one in deliveries}
            known = {tuple(row) for row in await connection.run_sync(chosen, _KNOWN, positions)}
            fresh = [one for one in deliveries if (one.endpoint, one.position) not in known]
            await connection.run_sync(run_for_each, insert(kept), [_row(one) for one in fresh])

    async def due(self, endpoint: Endpoint, now: float, limit: int, without: Collection[int] = ()) -> list[Delivery]:
        async with self._database.reading() as connection:
            if endpoint.ordered:
                row = [one for one in await _front(connection, endpoint) if one.due <= now][:1]
                return [one for one in row if one.position not in without]
            wanted = _PENDING.where(_d.due <= now, _d.position.not_in(without)).order_by(_d.due, _d.position)
            found = await _all(connection, wanted.limit(limit), endpoint.id)
        return sorted(found, key=lambda one: one.position)

    async def next_due(self, endpoint: Endpoint, now: float) -> float | None:
        async with self._database.reading() as connection:
            if endpoint.ordered:
                return min((one.due for one in await _front(connection, endpoint) if one.due > now), default=None)
            wanted = _PENDING.where(_d.due > now).order_by(_d.due, _d.position).limit(1)
            found = await _all(connection, wanted, endpoint.id)
        return found[0].due if found else None

    async def record(
        self, deliveries: Sequence[Delivery], endpoints: Sequence[Endpoint] = (), events: Sequence[Event] = ()
    ) -> None:
        told = event_rows(events)
        async with self._database.writing() as connection:
            if told:
                counters = await connection.run_sync(hold_counters)
                await connection.run_sync(write_events, told, counters)
                await connection.run_sync(counters.write)
            await connection.run_sync(run_for_each, _RECORD, [_record_row(one) for one in deliveries])
            for endpoint in endpoints:
                await connection.execute(_health(endpoint))

    async def waiting(self) -> dict[str, int]:
        async with self._database.reading() as connection:
            found = (await connection.execute(_WAITING)).all()
        return {endpoint: count for endpoint, count in found if count}

    # --- DeliveryArchive

    async def delivery(self, endpoint_id: str, position: int) -> Delivery | None:
        found = await self.kept(endpoint_id, [position])
        return found[0] if found else None

    async def deliveries(self, wanted: DeliveryFilter, limit: int) -> list[Delivery]:
        query = select(kept).where(_d.endpoint == bindparam("to"))
        if wanted.state is not None:
            query = query.where(_d.state == wanted.state.value)
        if wanted.kind is not None:
            query = query.where(_d.kind == wanted.kind)
        if wanted.before is not None:
            query = query.where(_d.position < wanted.before)
        async with self._database.reading() as connection:
            return await _all(connection, query.order_by(_d.position.desc()).limit(limit), wanted.endpoint)

    async def kept(self, endpoint_id: str, positions: Collection[int]) -> list[Delivery]:
        query = select(kept).where(_d.endpoint == endpoint_id, _d.position.in_(SOME))
        async with self._database.reading() as connection:
            return [_delivery(row) for row in await connection.run_sync(chosen, query, positions)]

    async def position_at(self, instant: float) -> int:
        first = select(func.min(log.c.position)).where(log.c.happened_at >= instant)
        async with self._database.reading() as connection:
            position = await connection.scalar(first)
            if position is None:
                return await connection.scalar(select(func.max(log.c.position))) or 0
        return int(position) - 1

    async def forget_deliveries(self, before: float) -> int:
        return await delete_slices(self._database, kept, _d.created < before)


async def _front(connection: AsyncConnection, endpoint: Endpoint) -> list[Delivery]:
    """What may be tried for an ordered endpoint: the head, and those before it that stepped aside."""
    heads = await _all(connection, _PENDING.where(_d.attempts < HOLDS).order_by(_d.position).limit(1), endpoint.id)
    aside = _PENDING.where(_d.attempts >= HOLDS).order_by(_d.position)
    if heads:
        aside = aside.where(_d.position < heads[0].position)
    return [*await _all(connection, aside, endpoint.id), *heads]


async def _all(connection: AsyncConnection, query: Select[Any], endpoint_id: str) -> list[Delivery]:
    return [_delivery(row) for row in await connection.execute(query, {"to": endpoint_id})]


def _health(endpoint: Endpoint) -> Any:
    return update(addressees).where(addressees.c.id == endpoint.id).values(health_of(endpoint))


def _row(delivery: Delivery) -> dict[str, Any]:
    return {
        "endpoint": delivery.endpoint,
        "position": delivery.position,
        "event": delivery.event,
        "kind": delivery.kind,
        "state": delivery.state.value,
        "attempts": delivery.attempts,
        "created": delivery.created,
        "due": delivery.due,
        "tries": _tries(delivery),
    }


def _record_row(delivery: Delivery) -> dict[str, Any]:
    changed = {"state": delivery.state.value, "attempts": delivery.attempts, "due": delivery.due}
    changed["tries"] = _tries(delivery)
    return {"to": delivery.endpoint, "of": delivery.position, **{f"new_{name}": to for name, to in changed.items()}}


def _tries(delivery: Delivery) -> str:
    return json.dumps([[one.at, one.status, one.seconds, one.code, one.detail] for one in delivery.tries])


def _delivery(row: Any) -> Delivery:
    endpoint, position, event, kind, state, attempts, created, due, tries = row
    return Delivery(
        endpoint=endpoint,
        position=position,
        event=event,
        kind=kind,
        state=State(state),
        attempts=attempts,
        created=created,
        due=due,
        tries=tuple(
            Try(at=at, status=status, seconds=seconds, code=code, detail=detail)
            for at, status, seconds, code, detail in json.loads(tries)
        ),
    )


if TYPE_CHECKING:
    _store: type[DeliveryStore] = SqlDeliveryStore
    _archive: type[DeliveryArchive] = SqlDeliveryStore
