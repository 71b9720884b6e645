# SPDX-License-Identifier: Apache-2.0
"""Whoever asked hears what becomes of a job, at least once, over restarts. On a real RabbitMQ."""

import json
from typing import Any
from uuid import uuid4

from tests.amqp.world import World, build_world, envelope, until
from wigwag.domain.delivery import Job, State

SENT = (State.SENDING, State.SENT)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def _job(world: World, **properties: Any) -> Job:
    known = set(world.ledger.jobs_kept)
    await world.publish(envelope(), **properties)
    await until(lambda: set(world.ledger.jobs_kept) - known)
    [job_id] = set(world.ledger.jobs_kept) - known
    return world.ledger.jobs_kept[job_id]


async def test_the_queue_that_an_envelope_names_hears_of_it(world: World) -> None:
    answers = f"answers.{uuid4().hex}"
    async with world.working():
        async with world.channel() as channel:
            await channel.declare_queue(answers)
        job = await _job(world, reply_to=answers, correlation_id="42", headers={"traceparent": TRACE})
        world.turn(job, *SENT, message_id="3EB0")
        answer = await world.take(answers)
        assert await world.count(answers) == 0  # that it is on its way is nobody's result
    told = json.loads(answer.body)
    assert (told["kind"], told["data"]["job"], told["data"]["message"]) == ("message.sent", job.id, "3EB0")
    assert (answer.correlation_id, answer.message_id, answer.type) == ("42", told["id"], "message.sent")
    assert answer.headers["traceparent"] == TRACE


async def test_a_queue_for_all_results_hears_of_every_job_from_here(rabbitmq: str) -> None:
    world = build_world(rabbitmq, results=f"results.{uuid4().hex}")
    async with world.working():
        jobs = [await _job(world), await _job(world)]
        for job in jobs:
            world.turn(job, *SENT)
        found = [json.loads((await world.take(world.topology.results)).body)["data"]["job"] for _ in jobs]
    assert found == [job.id for job in jobs]


async def test_what_happened_while_we_were_away_is_told_later(rabbitmq: str) -> None:
    world = build_world(rabbitmq, results=f"results.{uuid4().hex}")
    async with world.working():
        job = await _job(world)
        world.turn(job, *SENT)
        await world.take(world.topology.results)
    world.ledger.turn(world.ledger.jobs_kept[job.id], State.DELIVERED)
    async with world.working():
        assert json.loads((await world.take(world.topology.results)).body)["kind"] == "message.delivered"
        assert await world.count(world.topology.results) == 0


async def test_a_queue_that_is_gone_holds_nobody_up(world: World) -> None:
    async with world.working():
        gone = await _job(world, reply_to=f"gone.{uuid4().hex}")
        world.turn(gone, *SENT)
        other = await _job(world)
        world.turn(other, State.SENDING, State.FAILED, code="refused")
        await until(lambda: world.broker.dead_letter_counts()[world.topology.dead_letters])


async def test_results_never_become_envelopes(world: World) -> None:
    async with world.working():
        await world.publish(envelope(), reply_to=world.topology.dead_letters)
        letter = await world.take(world.topology.dead_letters)
    assert letter.headers["x-wigwag-reason"] == "invalid_answer_to"
