# SPDX-License-Identifier: Apache-2.0
"""Dead letters can be seen, shown, replayed and dropped, and looking at them changes nothing. On a real RabbitMQ."""

from collections.abc import AsyncIterator

import aio_pika
import pytest

from tests.amqp.world import World, envelope, until
from wigwag.domain.delivery import State
from wigwag.domain.errors import Conflict, InvalidMessage, NotFound
from wigwag.domain.events import EnvelopeRefused

BODIES = [b"1", b"[2]", b"{}", b"4", b"[5]"]
REASONS = ["not_an_object", "not_an_object", "user_id_missing", "not_an_object", "not_an_object"]
IDS = ["m0", "m1", "m2", "m3", "m4"]


@pytest.fixture
async def dead(world: World) -> AsyncIterator[World]:
    """Five dead letters."""
    world.prefetch = 1
    async with world.working():
        for letter_id, body in zip(IDS, BODIES, strict=True):
            await world.publish(body, message_id=letter_id)
        await until(lambda: world.broker.dead_letter_counts()[world.topology.dead_letters] == len(BODIES))
        yield world


async def ids(world: World) -> list[str]:
    return [letter.id for letter in await world.broker.dead_letters.list(100)]


async def test_looking_changes_neither_letters_nor_order(dead: World) -> None:
    letters = dead.broker.dead_letters
    for _time in range(25):
        assert await ids(dead) == IDS
    assert [letter.id for letter in await letters.list(2)] == IDS[:2]
    assert [letter.id for letter in await letters.list(2, "user_id_missing")] == ["m2"]
    assert (await letters.get("m4")).body == b"[5]"
    [first, *_] = await letters.list(1)
    assert (first.reason, first.queue, first.size, first.body) == ("not_an_object", dead.topology.queue, 1, b"")
    assert first.at is not None
    assert await ids(dead) == IDS


async def test_one_is_dropped_and_the_order_stays(dead: World) -> None:
    await dead.broker.dead_letters.drop("m1")
    assert await ids(dead) == ["m0", "m2", "m3", "m4"]
    for missing in (dead.broker.dead_letters.drop("m1"), dead.broker.dead_letters.get("m1")):
        with pytest.raises(NotFound):
            await missing


async def test_all_with_a_reason_are_dropped(dead: World) -> None:
    assert await dead.broker.dead_letters.drop_all("not_an_object") == 4
    assert await ids(dead) == ["m2"]
    assert await dead.broker.dead_letters.drop_all() == 1
    assert await ids(dead) == []


async def test_a_refused_envelope_is_replayed_as_if_it_had_just_come(world: World) -> None:
    async with world.working():
        world.ledger.away = InvalidMessage("Not today.", reason="not_today")
        await world.publish(envelope(), message_id="a", correlation_id="42", headers={"tenant": "a"})
        await until(lambda: world.broker.dead_letter_counts()[world.topology.dead_letters])
        await world.broker.dead_letters.replay("a")
        await until(lambda: len(world.facts.of(EnvelopeRefused)) == 2)
        world.ledger.away = None
        assert await world.broker.dead_letters.replay_all() == 1
        await until(lambda: world.ledger.jobs_kept)
        assert await ids(world) == []
    [job] = world.ledger.jobs_kept.values()
    assert (job.key, job.correlation) == ("amqp-id:a", "42")


async def test_a_failed_job_is_a_dead_letter_and_goes_on_when_it_is_replayed(world: World) -> None:
    async with world.working():
        await world.publish(envelope("once more"), message_id="a")
        await until(lambda: world.ledger.jobs_kept)
        [job] = world.ledger.jobs_kept.values()
        world.turn(job, State.SENDING, State.FAILED, code="refused", detail="to 5511999999999")
        await until(lambda: world.broker.dead_letter_counts()[world.topology.dead_letters])
        [letter] = await world.broker.dead_letters.list(10)
        assert (letter.job, letter.reason, letter.detail) == (job.id, "refused", "to 55…99")
        body = (await world.broker.dead_letters.get(letter.id)).body
        assert b"once more" in body
        await world.broker.dead_letters.replay(letter.id)
        assert world.ledger.jobs_kept[job.id].state is State.ACCEPTED
        assert await ids(world) == []
        assert len(world.ledger.jobs_kept) == 1


async def test_a_letter_stays_if_its_job_goes_on_already(world: World) -> None:
    async with world.working():
        await world.publish(envelope())
        await until(lambda: world.ledger.jobs_kept)
        [job] = world.ledger.jobs_kept.values()
        world.turn(job, State.SENDING, State.FAILED, code="refused")
        await until(lambda: world.broker.dead_letter_counts()[world.topology.dead_letters])
        await world.ledger.retry(job.id)
        [letter_id] = await ids(world)
        with pytest.raises(Conflict):
            await world.broker.dead_letters.replay(letter_id)
        assert await world.broker.dead_letters.replay_all() == 0
        assert await ids(world) == [letter_id]


async def test_what_the_broker_put_there_is_read_too(world: World) -> None:
    """The backstop: a message that ended our connection again and again."""
    async with world.working():
        world.accounts = []
        world.broker._look()
        await until(lambda: not world.broker.consuming())
        async with world.channel() as channel:
            queue = await channel.get_queue(world.topology.queue)
            await channel.default_exchange.publish(aio_pika.Message(envelope()), queue.name)
            message = await queue.get(timeout=10)
            await message.reject(requeue=False)
        await until(lambda: world.broker.dead_letter_counts()[world.topology.dead_letters])
        [letter] = await world.broker.dead_letters.list(1)
        assert (letter.reason, letter.queue, letter.job) == ("rejected", world.topology.queue, None)
