# SPDX-License-Identifier: Apache-2.0
"""The laws of the ports EndpointStore, DeliveryStore and DeliveryArchive, on every kind of store."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wigwag.adapters.memory.events import MemoryEventLog
from wigwag.adapters.memory.webhooks import MemoryWebhookStore
from wigwag.adapters.storage.stores import Stores
from wigwag.app.ports import DeliveryArchive, DeliveryFilter, DeliveryStore, EndpointStore, EventLog
from wigwag.domain.errors import StoreUnavailable
from wigwag.domain.ids import Jid
from wigwag.domain.outbox import Event
from wigwag.domain.signing import Secret, new_secret
from wigwag.domain.webhooks import HOLDS, Delivery, Endpoint, State, Try

NOW = 1_800_000_000.0
PLAIN = Endpoint(id="wh_a", url="https://example.com/a?token=5", secrets=(new_secret(bytes(32)),), created=NOW)
ORDERED = replace(PLAIN, id="wh_b", url="https://example.com/b", ordered=True, created=NOW + 1)
ANNA = Jid("919876543210@s.whatsapp.net")


@dataclass(frozen=True, kw_only=True)
class Webhooks:
    """The stores of webhooks, and the log that they stand on."""

    endpoints: EndpointStore
    deliveries: DeliveryStore
    archive: DeliveryArchive
    log: EventLog
    stores: Any

    async def tell(self, count: int, **data: Any) -> list[tuple[int, Event]]:
        """So many new events, with their positions."""
        last = await self.log.last()
        told = [
            Event(id=f"e{last + n}", kind="message.sent", account="default", at=NOW + last + n, data=data)
            for n in range(1, count + 1)
        ]
        await self.log.append(told)
        return await self.log.after(last, count)

    async def queue(self, count: int, endpoint: Endpoint = PLAIN, **data: Any) -> list[Delivery]:
        """As many deliveries of new events."""
        told = await self.tell(count, **data)
        made = [delivery(position, event, endpoint) for position, event in told]
        await self.deliveries.queue(made, told[-1][0])
        return made

    async def all(self, endpoint: Endpoint = PLAIN) -> list[Delivery]:
        return await self.archive.deliveries(DeliveryFilter(endpoint=endpoint.id), 1000)


def delivery(position: int, event: Event, endpoint: Endpoint = PLAIN, **more: Any) -> Delivery:
    values = {"endpoint": endpoint.id, "position": position, "event": event.id, "kind": event.kind}
    return Delivery(**{**values, "created": NOW, "due": NOW, **more})


@pytest.fixture
async def webhooks(stores: Any) -> Webhooks:
    if isinstance(stores, Stores):
        endpoints, deliveries, log = stores.endpoints, stores.deliveries, stores.events
        made = Webhooks(endpoints=endpoints, deliveries=deliveries, archive=deliveries, log=log, stores=stores)
    else:
        assert isinstance(stores.events, MemoryEventLog)
        kept = MemoryWebhookStore(stores.events)
        made = Webhooks(endpoints=kept, deliveries=kept, archive=kept, log=stores.events, stores=stores)
    for endpoint in (ORDERED, PLAIN):
        await made.endpoints.put_endpoint(endpoint)
    return made


def places(found: Sequence[Delivery]) -> list[int]:
    return [one.position for one in found]


# --- endpoints


async def test_endpoints_come_back_as_they_are_oldest_first(webhooks: Webhooks) -> None:
    changed = replace(
        PLAIN,
        url="http://10.0.0.1:8080/x?" + "y" * 1900,
        events=("message.*", "call.received"),
        accounts=("default", "sales"),
        secrets=(new_secret(b"n" * 64), Secret(text=PLAIN.secrets[0].text, until=NOW + 5)),
        description="für Ärzte 🦩",
        enabled=False,
        reason="failing",
        ordered=True,
        concurrency=32,
        failures=7,
        failing_since=NOW - 0.5,
        not_before=NOW + 0.25,
    )
    await webhooks.endpoints.put_endpoint(changed)
    assert await webhooks.endpoints.endpoints() == [changed, ORDERED]


async def test_an_endpoint_goes_with_its_deliveries(webhooks: Webhooks) -> None:
    await webhooks.queue(2)
    theirs = await webhooks.queue(2, ORDERED)
    await webhooks.endpoints.remove_endpoint(PLAIN.id)
    await webhooks.endpoints.remove_endpoint("wh_nobody")
    assert [one.id for one in await webhooks.endpoints.endpoints()] == [ORDERED.id]
    assert await webhooks.deliveries.waiting() == {ORDERED.id: 2}
    assert places(await webhooks.all(ORDERED)) == places(theirs)[::-1]


# --- queueing


async def test_the_cursor_begins_at_0_and_never_goes_back(webhooks: Webhooks) -> None:
    assert await webhooks.deliveries.cursor() == 0
    for position, cursor in [(5, 5), (3, 5), (5, 5), (2**40, 2**40)]:
        await webhooks.deliveries.queue([], position)
        assert await webhooks.deliveries.cursor() == cursor


async def test_a_delivery_is_queued_once(webhooks: Webhooks) -> None:
    [first, _second] = await webhooks.queue(2)
    done = replace(first, state=State.DELIVERED, attempts=1)
    await webhooks.deliveries.record([done])
    again = replace(first, endpoint=ORDERED.id)
    await webhooks.deliveries.queue([first, again], first.position)
    assert await webhooks.archive.kept(PLAIN.id, [first.position]) == [done]
    assert await webhooks.archive.kept(ORDERED.id, [first.position]) == [again]


async def test_thousands_are_queued_at_once(webhooks: Webhooks) -> None:
    await webhooks.queue(1700)
    assert await webhooks.deliveries.waiting() == {PLAIN.id: 1700}


# --- who is due


async def test_those_due_come_in_order_and_none_that_is_left_out(webhooks: Webhooks) -> None:
    one, two, three, four = await webhooks.queue(4)
    await webhooks.deliveries.record([replace(two, due=NOW + 9, attempts=1)])
    found = await webhooks.deliveries.due(PLAIN, NOW, 10)
    assert places(found) == places([one, three, four])
    assert found[0] == one
    assert places(await webhooks.deliveries.due(PLAIN, NOW, 2)) == places([one, three])
    assert places(await webhooks.deliveries.due(PLAIN, NOW, 2, {one.position})) == places([three, four])
    assert places(await webhooks.deliveries.due(PLAIN, NOW + 9, 10)) == places([one, two, three, four])
    assert await webhooks.deliveries.due(ORDERED, NOW, 10) == []
    assert await webhooks.deliveries.due(PLAIN, NOW - 1, 10) == []
    assert await webhooks.deliveries.next_due(PLAIN, NOW) == NOW + 9
    assert await webhooks.deliveries.next_due(PLAIN, NOW + 9) is None


async def test_what_has_ended_is_not_due(webhooks: Webhooks) -> None:
    one, two, three = await webhooks.queue(3)
    await webhooks.deliveries.record([replace(one, state=State.DELIVERED), replace(two, state=State.FAILED)])
    assert places(await webhooks.deliveries.due(PLAIN, NOW, 10)) == [three.position]
    assert await webhooks.deliveries.waiting() == {PLAIN.id: 1}


async def test_the_head_holds_up_those_behind_it_until_it_steps_aside(webhooks: Webhooks) -> None:
    head, second, third = await webhooks.queue(3, ORDERED)
    assert places(await webhooks.deliveries.due(ORDERED, NOW, 10)) == [head.position]
    assert await webhooks.deliveries.due(ORDERED, NOW, 10, {head.position}) == []
    held = replace(head, attempts=HOLDS - 1, due=NOW + 60)
    await webhooks.deliveries.record([held])
    assert await webhooks.deliveries.due(ORDERED, NOW, 10) == []
    assert await webhooks.deliveries.next_due(ORDERED, NOW) == NOW + 60
    await webhooks.deliveries.record([replace(held, attempts=HOLDS)])
    assert places(await webhooks.deliveries.due(ORDERED, NOW, 10)) == [second.position]
    await webhooks.deliveries.record([replace(second, due=NOW + 90, attempts=1)])
    assert await webhooks.deliveries.next_due(ORDERED, NOW) == NOW + 60
    assert places(await webhooks.deliveries.due(ORDERED, NOW + 60, 10)) == [head.position]
    assert places(await webhooks.deliveries.due(ORDERED, NOW + 90, 10)) == [head.position]
    await webhooks.deliveries.record([replace(one, state=State.DELIVERED) for one in (head, second)])
    assert places(await webhooks.deliveries.due(ORDERED, NOW, 10)) == [third.position]


# --- recording

tries = st.builds(
    Try,
    at=st.floats(0.0, 4e9),
    status=st.none() | st.integers(100, 599),
    seconds=st.floats(0.0, 60.0),
    code=st.sampled_from(["", "unavailable"]),
    detail=st.text(max_size=40),
)
changes = st.fixed_dictionaries(
    {
        "state": st.sampled_from(State),
        "attempts": st.integers(0, 10),
        "due": st.floats(0.0, 4e9),
        "tries": st.lists(tries, max_size=20).map(tuple),
    }
)
on_one_store = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@on_one_store
@given(changes=st.lists(changes, min_size=1, max_size=3))
async def test_a_delivery_is_kept_as_it_was_last_recorded(webhooks: Webhooks, changes: list[dict[str, Any]]) -> None:
    queued = await webhooks.queue(len(changes))
    changed = [replace(one, **change) for one, change in zip(queued, changes, strict=True)]
    await webhooks.deliveries.record(changed)
    assert {one.position: one for one in await webhooks.archive.kept(PLAIN.id, places(queued))} == {
        one.position: one for one in changed
    }
    assert await webhooks.archive.delivery(PLAIN.id, queued[0].position) == changed[0]


async def test_health_and_events_are_written_with_the_deliveries(webhooks: Webhooks) -> None:
    [one] = await webhooks.queue(1)
    sick = replace(PLAIN, failures=3, failing_since=NOW, not_before=NOW + 5, enabled=False, reason="gone")
    told = Event(id="told", kind="webhook.disabled", account="", at=NOW, data={"endpoint": PLAIN.id})
    renamed = replace(sick, description="not from here", secrets=(new_secret(b"x" * 32),))
    await webhooks.deliveries.record([replace(one, attempts=1)], [renamed], [told])
    assert await webhooks.endpoints.endpoints() == [sick, ORDERED]
    assert await webhooks.log.get("told") == told


async def test_what_is_gone_stays_away_when_it_is_recorded(webhooks: Webhooks) -> None:
    [one] = await webhooks.queue(1)
    await webhooks.endpoints.remove_endpoint(PLAIN.id)
    await webhooks.deliveries.record([replace(one, attempts=1)], [PLAIN])
    assert [endpoint.id for endpoint in await webhooks.endpoints.endpoints()] == [ORDERED.id]
    assert await webhooks.archive.delivery(PLAIN.id, one.position) is None


# --- reading and forgetting


async def test_deliveries_are_listed_newest_first_and_filtered(webhooks: Webhooks) -> None:
    one, two, three = await webhooks.queue(3)
    await webhooks.deliveries.record([replace(two, state=State.FAILED)])

    async def listed(limit: int = 10, **wanted: Any) -> list[int]:
        return places(await webhooks.archive.deliveries(DeliveryFilter(endpoint=PLAIN.id, **wanted), limit))

    assert await listed() == places([three, two, one])
    assert await listed(limit=2) == places([three, two])
    assert await listed(before=three.position) == places([two, one])
    assert await listed(state=State.FAILED) == [two.position]
    assert await listed(kind="message.sent", state=State.PENDING) == places([three, one])
    assert await listed(kind="call.received") == []


async def test_a_position_is_found_by_its_instant(webhooks: Webhooks) -> None:
    assert await webhooks.archive.position_at(NOW) == 0
    told = await webhooks.tell(3)
    for position, event in told:
        assert await webhooks.archive.position_at(event.at) == position - 1
    assert await webhooks.archive.position_at(NOW + 1e6) == told[-1][0]


async def test_old_deliveries_are_forgotten(webhooks: Webhooks) -> None:
    told = await webhooks.tell(2)
    made = [delivery(position, event, created=NOW + n) for n, (position, event) in enumerate(told)]
    await webhooks.deliveries.queue(made, told[-1][0])
    assert await webhooks.archive.forget_deliveries(NOW + 1) == 1
    assert places(await webhooks.all()) == [made[1].position]


async def test_a_delivery_goes_with_its_event(webhooks: Webhooks) -> None:
    await webhooks.queue(2)
    kept = await webhooks.queue(1)
    await webhooks.log.forget(NOW + kept[0].position)
    assert await webhooks.all() == kept


async def test_erasing_a_person_deletes_the_deliveries_of_their_events(webhooks: Webhooks) -> None:
    await webhooks.queue(2, to=ANNA)
    kept = await webhooks.queue(1, to="somebody else")
    await webhooks.stores.eraser.erase_messages(ANNA)
    assert await webhooks.all() == kept
    assert await webhooks.deliveries.waiting() == {PLAIN.id: 1}


async def test_an_event_that_was_erased_meanwhile_is_not_queued_and_the_cursor_stays(webhooks: Webhooks) -> None:
    if isinstance(webhooks.deliveries, MemoryWebhookStore):
        return
    [(position, event)] = await webhooks.tell(1)
    await webhooks.log.forget(NOW + 1e6)
    with pytest.raises(StoreUnavailable):
        await webhooks.deliveries.queue([delivery(position, event)], position)
    assert await webhooks.deliveries.cursor() == 0
