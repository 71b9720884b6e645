# SPDX-License-Identifier: Apache-2.0
"""One simulator for all tests here: whatsmeow can be pointed at one in a process, and stays there."""

import gc
import subprocess
import warnings
from collections.abc import AsyncIterator
from zlib import crc32

import pytest
import pytest_asyncio

from wigwag.simulator import Simulator

with warnings.catch_warnings():
    # While it is imported, neonize asks `uname` through a pipe that it never closes. Have that noticed here.
    warnings.simplefilter("ignore", ResourceWarning)
    from tests.acceptance.stage import PushedClock

    gc.collect()
    subprocess.run(["true"], check=True)


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def clock() -> PushedClock:
    return PushedClock()


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator() as running:  # on true time: whatsmeow checks its certificate against the machine's clock
        yield running


@pytest.fixture
def phone(request: pytest.FixtureRequest) -> str:
    """A number of the test's own for its account, so that tests share a simulator and nothing else."""
    return f"1555{crc32(request.node.nodeid.encode()) % 10**7:07d}"
