# SPDX-License-Identifier: Apache-2.0
"""Envelopes from a real RabbitMQ to the phones of simulated contacts, seen from outside."""

import random
from collections import Counter
from pathlib import Path

import pytest

from tests.acceptance import envelopes
from tests.acceptance.kills import PEOPLE, World, world
from tests.acceptance.processes import Process, wait
from tests.servers import Instance

pytestmark = pytest.mark.slow
GOOD, WRONG = 900, 100
FAST = {"WHATSAPP_PREFETCH_COUNT": "50"}


def texts(count: int, chance: random.Random) -> dict[str, str]:
    """Different texts of every script, and whom each is for."""
    alphabet = "abc ÄÖß żółć кот 猫犬 नमस्ते שלום مرحبا 👩‍👩‍👧 \n\t'\"<>&;--%$\\"
    made = {f"{number} " + "".join(chance.choices(alphabet, k=chance.randint(1, 60))): "" for number in range(count)}
    return {text: PEOPLE[number % len(PEOPLE)] for number, text in enumerate(made)}


def read(here: World) -> Counter[tuple[str, str]]:
    """What the contacts have, and how often."""
    return Counter((line["text"], line["phone"]) for line in here.simulator.get("/sim/inbox?limit=100000"))


def dead_letters(gateway: Process) -> Counter[str]:
    """How many dead letters there are for which reason."""
    return Counter(letter["reason"] for letter in gateway.get("/api/dead-letters?limit=1000"))


def test_nine_hundred_are_read_exactly_once_and_a_hundred_are_dead_letters_with_their_reason(
    tmp_path: Path, breakable_rabbitmq: Instance, amqp_publish: str
) -> None:
    wanted, bad = texts(GOOD, random.Random(3)), envelopes.wrong(WRONG)
    bodies = [*envelopes.good(wanted), *(body for _, body in bad)]
    random.Random(4).shuffle(bodies)
    with world(tmp_path) as here:
        here.extra |= {"RABBITMQ_URL": breakable_rabbitmq.url, **FAST}
        with here.gateway() as gateway:
            envelopes.publish(amqp_publish, breakable_rabbitmq.url, bodies)
            wait(lambda: sum(read(here).values()) >= GOOD, gateway)
            wait(lambda: sum(dead_letters(gateway).values()) >= WRONG, gateway)
            assert read(here) == Counter(wanted.items())
            assert dead_letters(gateway) == Counter(reason for reason, _ in bad)
            assert_metrics(gateway, Counter(reason for reason, _ in bad))


def assert_metrics(gateway: Process, reasons: Counter[str]) -> None:
    """The six series of the seed say the same as the queues."""
    worker, depth = 'worker="whatsapp"', 'queue_dlq_size{queue_name="whatsapp.queue.dlq"}'
    wait(lambda: envelopes.sample(gateway.metrics(), depth) == WRONG, gateway)
    metrics = gateway.metrics()
    assert envelopes.sample(metrics, f'worker_jobs_processed_total{{status="sent",{worker}}}') == GOOD
    assert envelopes.sample(metrics, f'worker_jobs_processed_total{{status="invalid",{worker}}}') == WRONG
    assert envelopes.sample(metrics, f"worker_job_duration_seconds_count{{{worker}}}") == GOOD
    assert envelopes.sample(metrics, f"worker_jobs_retried_total{{{worker}}}") == 0
    assert envelopes.sample(metrics, 'queue_depth{queue_name="whatsapp.queue"}') == 0
    for reason, count in reasons.items():
        assert envelopes.sample(metrics, f'worker_jobs_failed_total{{error_type="{reason}",{worker}}}') == count
