# SPDX-License-Identifier: Apache-2.0
"""Metrics over a real gateway in memory."""

from collections.abc import AsyncIterator

import pytest

from tests.metrics.reading import Scrape
from wigwag.adapters.metrics import Metrics
from wigwag.testing import Trial, build_trial, running


@pytest.fixture
async def trial() -> AsyncIterator[Trial]:
    async with running(build_trial()) as trial:
        yield trial


@pytest.fixture
def metrics(trial: Trial) -> Metrics:
    made = Metrics(trial.core.book, trial.core.gateway, trial.clock, version="1.2.3")
    trial.core.fanout.add("metrics", made.sink)
    return made


@pytest.fixture
def scrape(metrics: Metrics) -> Scrape:
    return Scrape(metrics)
