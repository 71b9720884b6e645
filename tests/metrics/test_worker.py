# SPDX-License-Identifier: Apache-2.0
"""The six series of seed 003, and by what copies of envelopes are known."""

import itertools
from dataclasses import replace

import pytest

from tests.desk import START, job
from wigwag.adapters.metrics import Metrics
from wigwag.adapters.metrics.names import QUEUE_DEPTH, QUEUE_DLQ_SIZE
from wigwag.domain.delivery import State, held_up, move, reopened
from wigwag.domain.events import EnvelopeAccepted, EnvelopeRefused, JobChanged
from wigwag.testing import Trial

ACCEPTED = job(door="amqp")
SENDING = move(ACCEPTED, State.SENDING, START)
SENT = move(SENDING, State.SENT, START + 3)
FAILED = move(SENDING, State.FAILED, START + 3, code="refused")


def tell(trial: Trial, *steps: object) -> None:
    for before, after in itertools.pairwise(steps):
        trial.core.fanout.announce(JobChanged(before=before, after=after, at=START))  # type: ignore[arg-type]


async def samples(metrics: Metrics) -> dict[str, float]:
    _type, chunks = await metrics.exposition("")
    lines = b"".join([chunk async for chunk in chunks]).decode().splitlines()
    pairs = [line.rpartition(" ") for line in lines if not line.startswith("#")]
    return {name: float(value) for name, _, value in pairs}


@pytest.mark.parametrize(("end", "status"), [(SENT, "sent"), (FAILED, "failed")])
async def test_a_job_counts_once_when_it_came_to_its_end(
    trial: Trial, metrics: Metrics, end: object, status: str
) -> None:
    tell(trial, None, ACCEPTED, SENDING, end)
    if end is SENT:
        tell(trial, SENT, move(SENT, State.DELIVERED, START + 4), move(SENT, State.READ, START + 5))
    found = await samples(metrics)
    assert {name: value for name, value in found.items() if name.startswith("worker_jobs_processed")} == {
        f'worker_jobs_processed_total{{status="{status}",worker="whatsapp"}}': 1.0
    }
    assert found['worker_job_duration_seconds_sum{worker="whatsapp"}'] == 3.0


async def test_jobs_of_other_doors_are_not_the_workers(trial: Trial, metrics: Metrics) -> None:
    tell(trial, None, *(replace(each, door="rest") for each in (ACCEPTED, SENDING, SENT)))
    assert not [name for name in await samples(metrics) if name.startswith("worker_jobs_processed")]


async def test_failures_have_their_reason(trial: Trial, metrics: Metrics) -> None:
    tell(trial, SENDING, FAILED)
    trial.core.fanout.announce(EnvelopeRefused(reason="text_too_long", at=START))
    found = await samples(metrics)
    for reason in ("refused", "text_too_long"):
        assert found[f'worker_jobs_failed_total{{error_type="{reason}",worker="whatsapp"}}'] == 1.0
    assert found['worker_jobs_processed_total{status="invalid",worker="whatsapp"}'] == 1.0


async def test_each_further_attempt_is_a_retry(trial: Trial, metrics: Metrics) -> None:
    later = held_up(SENDING, START, "not_linked", "", 0.5)
    tell(trial, None, ACCEPTED, SENDING, later, move(later, State.SENDING, START + 9))
    tell(trial, FAILED, reopened(FAILED, START + 9))
    assert (await samples(metrics))['worker_jobs_retried_total{worker="whatsapp"}'] == 2.0


async def test_queues_have_samples_while_they_are_known(trial: Trial) -> None:
    depths = {"q": 3}
    queues = {QUEUE_DEPTH: lambda: depths, QUEUE_DLQ_SIZE: lambda: {"q.dlq": 0}}
    metrics = Metrics(trial.core.book, trial.core.gateway, trial.clock, version="1", queues=queues)
    found = await samples(metrics)
    assert (found['queue_depth{queue_name="q"}'], found['queue_dlq_size{queue_name="q.dlq"}']) == (3.0, 0.0)
    depths.clear()
    assert 'queue_depth{queue_name="q"}' not in await samples(metrics)


async def test_envelopes_are_counted_by_what_a_copy_is_known_by(trial: Trial, metrics: Metrics) -> None:
    trial.core.fanout.announce(EnvelopeAccepted(dedup="none", at=START))
    assert (await samples(metrics))['wigwag_envelopes_accepted_total{dedup="none"}'] == 1.0
