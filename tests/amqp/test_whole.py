# SPDX-License-Identifier: Apache-2.0
"""The room with the real use cases behind it: what is published is sent once, what is wrong is a dead letter."""

import asyncio
from uuid import uuid4

import aio_pika

from tests.amqp.world import envelope, until
from wigwag.adapters.amqp import Broker, Topology
from wigwag.adapters.clock import SystemClock
from wigwag.adapters.metrics import Metrics
from wigwag.adapters.metrics.names import QUEUE_DEPTH, QUEUE_DLQ_SIZE
from wigwag.domain.contents import Text
from wigwag.testing import build_trial, running

WRONG = {
    "user_id_missing": envelope(user_id=None),
    "invalid_user_id": envelope(user_id="me"),
    "destination_missing": envelope(destination=None),
    "invalid_destination": envelope(destination="5511999999999"),
    "text_missing": envelope(""),
    "text_too_long": envelope("x" * 4097),
    "sql_injection": envelope("'; DROP TABLE users; --"),
    "xss": envelope("<script>alert(1)</script>"),
    "malformed_json": b"{",
    "too_deep": b"[" * 100,
}


async def _publish(url: str, topology: Topology, texts: list[str]) -> None:
    """All texts, and among them what is wrong."""
    wrong = list(WRONG.values())
    async with await aio_pika.connect(url) as connection:
        exchange = await (await connection.channel()).get_exchange(topology.exchange)
        for number, text in enumerate(texts):
            bodies = [envelope(text, destination=f"+5511999999{number % 7:03}")]
            bodies += [wrong[number // 9]] if number % 9 == 0 else []
            for body in bodies:
                await exchange.publish(aio_pika.Message(body, delivery_mode=2), topology.routing_key)


async def test_envelopes_become_messages_and_the_metrics_agree(rabbitmq: str) -> None:
    name = f"whole.{uuid4().hex[:8]}"
    topology = Topology(queue=name, exchange=name, routing_key="k")
    async with running(build_trial()) as trial:
        core = trial.core
        broker = Broker(
            rabbitmq,
            topology,
            prefetch=20,
            messages=core.gateway.messages,
            accounts=core.gateway.accounts,
            events=trial.stores.events,
            choices=trial.stores.accounts,
            clock=SystemClock(),
            announce=core.fanout.announce,
        )
        queues = {QUEUE_DEPTH: broker.depths, QUEUE_DLQ_SIZE: broker.dead_letter_counts}
        metrics = Metrics(core.book, core.gateway, core.clock, version="1", queues=queues)
        core.fanout.add("broker", broker.sink)
        core.fanout.add("metrics", metrics.sink)
        task = asyncio.create_task(broker.run(), name="broker")
        try:
            await until(broker.depths)
            assert not broker.consuming()  # the account is not paired yet
            await trial.connect()
            texts = [f"Grüße {number}" for number in range(90)]
            await _publish(rabbitmq, topology, texts)
            await until(lambda: broker.dead_letter_counts()[topology.dead_letters] == len(WRONG))
            await until(lambda: len(trial.whatsapp.sent) == len(texts))
            await until(lambda: broker.depths()[name] == 0)
            letters = await broker.dead_letters.list(100)
            shown = b"".join([chunk async for chunk in (await metrics.exposition(""))[1]]).decode()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    assert len(trial.whatsapp.sent) == len(texts)
    assert {each.job.content for each in trial.whatsapp.sent} == {Text(text=text) for text in texts}
    assert {letter.reason for letter in letters} == set(WRONG)
    _agree(shown, topology)


def _agree(shown: str, topology: Topology) -> None:
    processed = "worker_jobs_processed_total"
    assert f'{processed}{{status="sent",worker="whatsapp"}} 90.0' in shown
    assert f'{processed}{{status="invalid",worker="whatsapp"}} 10.0' in shown
    assert all(f'worker_jobs_failed_total{{error_type="{reason}",worker="whatsapp"}} 1.0' in shown for reason in WRONG)
    assert f'queue_depth{{queue_name="{topology.queue}"}} 0.0' in shown
    assert f'queue_dlq_size{{queue_name="{topology.dead_letters}"}} 10.0' in shown
