# SPDX-License-Identifier: Apache-2.0
"""What is measured around the gateway: the parts that it needs, its process, and its machine."""

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from tests.metrics.reading import Scrape, series
from wigwag.adapters.metrics import Metrics
from wigwag.adapters.metrics.readiness import ASK_EVERY
from wigwag.testing import Trial


async def test_parts_are_asked_every_few_seconds(trial: Trial) -> None:
    parts = {"storage": True, "broker": False}

    async def ready() -> dict[str, bool]:
        return parts

    metrics = Metrics(trial.core.book, trial.core.gateway, trial.clock, version="0", ready=ready)
    scrape, running = Scrape(metrics), asyncio.create_task(metrics.run(), name="metrics")
    await trial.clock.settle()
    assert await scrape.value("wigwag_ready", part="storage") == 1.0
    assert await scrape.value("wigwag_ready", part="broker") == 0.0
    parts = {"storage": False}
    await trial.clock.advance(ASK_EVERY)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert await scrape.value("wigwag_ready", part="storage") == 0.0
    assert await scrape.value("wigwag_ready", part="broker") is None


async def test_who_does_not_answer_in_time_is_not_ready(trial: Trial) -> None:
    answers = [True]

    async def ready() -> dict[str, bool]:
        if not answers:
            raise TimeoutError
        return {"storage": answers.pop()}

    metrics = Metrics(trial.core.book, trial.core.gateway, trial.clock, version="0", ready=ready)
    scrape, running = Scrape(metrics), asyncio.create_task(metrics.run(), name="metrics")
    await trial.clock.advance(ASK_EVERY)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert await scrape.value("wigwag_ready", part="storage") == 0.0


async def test_the_process_is_measured_under_both_names(trial: Trial, scrape: Scrape) -> None:
    resident = await scrape.value("process_memory_usage_bytes")
    assert resident is not None
    assert resident == pytest.approx(await scrape.value("process_resident_memory_bytes"), rel=0.2)
    assert await scrape.value("process_open_fds") is not None


async def test_what_the_machine_has_left_is_told(trial: Trial, tmp_path: Path) -> None:
    made = Metrics(trial.core.book, trial.core.gateway, trial.clock, version="0", data=tmp_path)
    found = await Scrape(made).samples()
    value = {name: found[series(name)] for name in ("wigwag_disk_size_bytes", "wigwag_disk_free_bytes")}
    disk = shutil.disk_usage(tmp_path)
    assert value["wigwag_disk_size_bytes"] == disk.total
    assert value["wigwag_disk_free_bytes"] == pytest.approx(disk.free, rel=0.1)
    resident, limit = found[series("process_memory_usage_bytes")], found[series("wigwag_memory_limit_bytes")]
    assert resident < limit <= os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert found[series("process_network_receive_bytes_total")] >= 0.0
    assert found[series("process_network_transmit_bytes_total")] >= 0.0


async def test_processor_use_is_that_since_the_scrape_before(trial: Trial, scrape: Scrape) -> None:
    assert await scrape.value("process_cpu_usage_percent") == 0.0
    began = os.times()
    while os.times().user == began.user:
        sum(range(10_000))
    await trial.clock.advance(10)
    busy = await scrape.value("process_cpu_usage_percent")
    assert busy is not None
    assert busy > 0.0
    assert await scrape.value("process_cpu_usage_percent") == busy, "too soon for another figure"
