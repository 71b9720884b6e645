# SPDX-License-Identifier: Apache-2.0
"""An envelope that was accepted, and comes again because the broker never heard that, is one job. Nothing is lost."""

import asyncio
from typing import Any

import pytest

from tests.amqp.world import World, envelope, until
from wigwag.adapters.amqp.seen import MARGIN, Seen, sign_of_queue
from wigwag.domain.events import EnvelopeAccepted

QUEUE = "q"
SIGNATURE = sign_of_queue(QUEUE) + "0" * 24


@pytest.mark.parametrize("properties", [{"message_id": "1"}, {}], ids=["with an id", "without"])
@pytest.mark.parametrize("accepted", [True, False])
async def test_a_death_between_ledger_and_acknowledgement_makes_one_job(
    world: World, properties: dict[str, Any], accepted: bool, amqp_publish: str
) -> None:
    world.prefetch = 1
    async with world.working():
        await until(world.broker.consuming)
        world.ledger.dies_after_accepting, world.ledger.dies_before_accepting = accepted, not accepted
        await _publish(world, amqp_publish, properties)
        await until(lambda: not (world.ledger.dies_after_accepting or world.ledger.dies_before_accepting))
    async with world.working():
        await until(lambda: world.facts.of(EnvelopeAccepted))
        await world.publish(envelope("next"))
        await until(lambda: "next" in world.ledger.texts)
    assert world.ledger.texts == ["Hello", "next"]
    assert await world.count(world.topology.queue) == await world.count(world.topology.dead_letters) == 0


async def _publish(world: World, amqp_publish: str, properties: dict[str, Any]) -> None:
    if properties:
        await world.publish(envelope(), **properties)
        return
    target = [f"--exchange={world.topology.exchange}", f"--routing-key={world.topology.routing_key}", "--persistent"]
    body = f"--body={envelope().decode()}"  # this client gives no ids, as ours always does
    publisher = await asyncio.create_subprocess_exec(amqp_publish, f"--url={world.url}", *target, body)
    assert await publisher.wait() == 0


async def test_equal_envelopes_without_ids_are_as_many_jobs(world: World, amqp_publish: str) -> None:
    async with world.working():
        for _time in range(3):
            await _publish(world, amqp_publish, {})
        await until(lambda: len(world.ledger.texts) == 3)


# --- by what copies without ids are known


class Ids:
    """Counts."""

    def __init__(self) -> None:
        self.given = 0

    def __call__(self) -> str:
        self.given += 1
        return str(self.given)


def keys(seen: Seen, *redelivered: bool, now: float = 0.0) -> list[str]:
    return [seen.key(SIGNATURE, now, redelivered=each).rpartition(":")[2] for each in redelivered]


def test_what_comes_for_the_first_time_is_never_taken_for_a_copy() -> None:
    assert keys(Seen(Ids()), False, False, False) == ["1", "2", "3"]


def test_copies_are_matched_one_by_one() -> None:
    seen = Seen(Ids())
    keys(seen, False, False)
    seen.disconnected()
    assert keys(seen, True, False, True, True) == ["1", "3", "2", "4"]


def test_a_copy_may_come_again_and_again() -> None:
    seen = Seen(Ids())
    keys(seen, False)
    for _time in range(3):
        seen.disconnected()
        assert keys(seen, True) == ["1"]


def test_what_was_acknowledged_a_while_ago_is_forgotten() -> None:
    seen = Seen(Ids())
    key = seen.key(SIGNATURE, 0.0, redelivered=False)
    seen.acknowledged(key, 1.0)
    seen.settle(1.0 + MARGIN - 0.1)
    assert (len(seen), seen.oldest(50.0)) == (1, 0.0)
    seen.settle(1.0 + MARGIN)
    assert (len(seen), seen.oldest(50.0)) == (0, 50.0)
    seen.disconnected()
    assert keys(seen, True) == ["2"]


def test_once_the_queue_brings_news_no_more_copies_are_waited_for() -> None:
    seen = Seen(Ids())
    keys(seen, False, False)
    seen.disconnected()
    keys(seen, True)
    seen.caught_up("another queue", 100.0)
    seen.settle(500.0)
    assert len(seen) == 2
    seen.caught_up(QUEUE, 500.0)
    seen.settle(500.0 + MARGIN)
    assert len(seen) == 1  # the one in work


def test_keys_are_remembered_over_a_restart() -> None:
    before, after = Seen(Ids()), Seen(Ids())
    key = before.key(SIGNATURE, 7.0, redelivered=False)
    after.remember([("amqp-id:a", 5.0), (key, 7.0), ("mine", 8.0)])
    assert (len(after), after.oldest(50.0)) == (1, 7.0)
    assert after.key(SIGNATURE, 60.0, redelivered=True) == key
