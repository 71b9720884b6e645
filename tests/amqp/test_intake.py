# SPDX-License-Identifier: Apache-2.0
"""Envelopes become jobs, once each; what cannot is a dead letter with its reason. On a real RabbitMQ."""

import asyncio
from base64 import b64encode
from typing import Any

import pytest

from tests.amqp.world import USER, World, envelope, until
from wigwag.adapters.amqp.tide import HIGH_WATER
from wigwag.domain.account import LinkState
from wigwag.domain.contents import Media, Text
from wigwag.domain.delivery import State
from wigwag.domain.errors import StoreUnavailable
from wigwag.domain.events import EnvelopeAccepted, EnvelopeRefused

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_an_envelope_of_another_client_becomes_a_job(world: World, amqp_publish: str) -> None:
    async with world.working():
        target = [f"--exchange={world.topology.exchange}", f"--routing-key={world.topology.routing_key}"]
        publisher = await asyncio.create_subprocess_exec(
            amqp_publish, f"--url={world.url}", *target, f"--body={envelope('naïve 👋🏽').decode()}"
        )
        assert await publisher.wait() == 0
        await until(lambda: world.ledger.jobs_kept)
    [job] = world.ledger.jobs_kept.values()
    assert (job.content, job.to, job.user_id, job.door) == (
        Text(text="naïve 👋🏽"),
        "5511999999999@s.whatsapp.net",
        USER,
        "amqp",
    )
    assert world.facts.of(EnvelopeAccepted)[0].dedup == "none"
    assert await world.count(world.topology.queue) == 0


async def test_what_a_producer_writes_beside_the_body_is_carried(world: World) -> None:
    async with world.working():
        await world.publish(envelope(), reply_to="answers", correlation_id="42", headers={"traceparent": TRACE})
        await until(lambda: world.ledger.jobs_kept)
    [job] = world.ledger.jobs_kept.values()
    assert (job.answer_to, job.correlation, job.trace) == ("answers", "42", TRACE)


async def test_media_within_an_envelope_are_kept_before_it_is_sent(world: World) -> None:
    picture = b"\x89PNG" * 500_000
    async with world.working():
        body = envelope("look", type="image", media={"base64": b64encode(picture).decode(), "filename": "a.png"})
        await world.publish(body)
        await until(lambda: world.ledger.jobs_kept)
    [job] = world.ledger.jobs_kept.values()
    assert isinstance(job.content, Media)
    assert world.ledger.media[job.content.media] == picture


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"\xff\xfe", "malformed_json"),
        (b"", "malformed_json"),
        (b"[1]", "not_an_object"),
        (envelope(user_id=None), "user_id_missing"),
        (envelope(type="image", media={"base64": "?"}), "invalid_media"),
        (envelope("x" * 4097), "text_too_long"),
        (b" " * 10_000_000, "too_large"),
    ],
)
async def test_what_cannot_be_sent_is_a_dead_letter_as_it_came(world: World, body: bytes, reason: str) -> None:
    async with world.working():
        await world.publish(body, message_id="mine", headers={"tenant": "a", "odd": None}, content_type="text/x")
        letter = await world.take(world.topology.dead_letters)
        assert await world.count(world.topology.queue) == 0
    assert letter.body == body
    assert (letter.message_id, letter.content_type, letter.headers["tenant"]) == ("mine", "text/x", "a")
    assert (letter.headers["x-wigwag-reason"], letter.headers["x-wigwag-queue"]) == (reason, world.topology.queue)
    assert letter.headers["x-wigwag-at"]
    assert letter.headers["x-wigwag-detail"]
    assert [fact.reason for fact in world.facts.of(EnvelopeRefused)] == [reason]
    assert not world.ledger.jobs_kept


@pytest.mark.parametrize("properties", [{"timestamp": 10**10}, {"expiration": 3600}, {"user_id": "wigwag"}])
async def test_no_property_stands_in_the_way_of_a_dead_letter(world: World, properties: dict[str, Any]) -> None:
    async with world.working():
        await world.publish(b"?", **properties)
        letter = await world.take(world.topology.dead_letters)
    assert letter.expiration is None
    assert letter.headers.get("x-wigwag-user-id") == properties.get("user_id")


@pytest.mark.parametrize(
    ("field", "properties", "dedup"),
    [
        ({"idempotency_key": "k"}, {}, "key"),
        ({"idempotency_key": "k"}, {"message_id": "m"}, "key"),
        ({}, {"message_id": "m"}, "message_id"),
        ({}, {"message_id": "m" * 255}, "message_id"),
    ],
)
async def test_an_envelope_that_is_published_twice_is_one_job(
    world: World, field: dict[str, str], properties: dict[str, str], dedup: str
) -> None:
    async with world.working():
        await world.publish(envelope(**field), envelope(**field), envelope("other"), **properties)
        await until(lambda: len(world.facts.of(EnvelopeAccepted)) + len(world.facts.of(EnvelopeRefused)) == 3)
    assert world.ledger.texts.count("Hello") == 1
    assert world.facts.of(EnvelopeAccepted)[0].dedup == dedup
    same_id = [fact.reason for fact in world.facts.of(EnvelopeRefused)]
    assert same_id == (["key_reused"] if dedup == "message_id" else [])


async def test_one_recipient_gets_a_queue_in_its_order(world: World) -> None:
    async with world.working():
        await world.publish(*[envelope(str(number), destination=f"+551199999999{number % 3}") for number in range(60)])
        await until(lambda: len(world.ledger.texts) == 60)
    for person in range(3):
        to = f"551199999999{person}@s.whatsapp.net"
        texts = [job.content for job in world.ledger.jobs_kept.values() if job.to == to]
        assert texts == [Text(text=str(number)) for number in range(person, 60, 3)]


async def test_nothing_is_taken_while_the_link_is_down(world: World) -> None:
    async with world.working():
        await until(world.broker.consuming)
        world.link(LinkState.TRANSIENT)
        await until(lambda: not world.broker.consuming())
        await world.publish(envelope())
        assert await world.count(world.topology.queue) == 1
        assert not world.ledger.jobs_kept
        world.link(LinkState.CONNECTED)
        await until(lambda: world.ledger.jobs_kept)


async def test_nothing_is_taken_while_the_ledger_is_full(world: World) -> None:
    world.ledger.backlog = {("default", State.ACCEPTED): HIGH_WATER + 1, ("default", State.SENT): 10**6}
    async with world.working():
        await world.publish(envelope())
        await until(lambda: world.broker.depths()[world.topology.queue] == 1)
        assert not world.broker.consuming()
        world.ledger.backlog = {("default", State.ACCEPTED): HIGH_WATER}
        await until(lambda: world.ledger.jobs_kept)


async def test_while_the_store_is_away_envelopes_wait_and_none_is_put_back(world: World) -> None:
    async with world.working():
        await until(world.broker.consuming)
        world.ledger.away = StoreUnavailable()
        await world.publish(*[envelope(str(number)) for number in range(20)])
        await until(lambda: not world.broker.consuming())
        world.ledger.away = None
        await until(lambda: len(world.ledger.texts) == 20)
    assert sorted(world.ledger.texts, key=int) == [str(number) for number in range(20)]
    assert not world.facts.of(EnvelopeRefused)


async def test_a_further_account_has_a_queue_of_its_own(world: World) -> None:
    async with world.working():
        world.link(LinkState.CONNECTED, "sales")
        queue = world.topology.queue_of("sales")
        await until(lambda: queue in world.broker.consuming())
        key = world.topology.routing_key_of("sales")
        await world.publish(envelope("a"), envelope("b", account="sales"), envelope("c", account="default"), key=key)
        await until(lambda: world.facts.of(EnvelopeRefused) and len(world.ledger.texts) == 2)
        world.link(LinkState.TRANSIENT, "sales")
        await until(lambda: world.broker.consuming() == {world.topology.queue})
    assert {job.account for job in world.ledger.jobs_kept.values()} == {"sales"}
    assert [fact.reason for fact in world.facts.of(EnvelopeRefused)] == ["invalid_account"]
