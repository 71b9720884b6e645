# SPDX-License-Identifier: Apache-2.0
"""Broker, link and database go away under load and come back: no hang, nothing lost, nothing doubled.

The short form; `bench/trouble.py` is the long one, and takes the times.
"""

from pathlib import Path

import pytest

from tests.acceptance.doors import QueueDoor
from tests.acceptance.kills import world
from tests.acceptance.relay import Relay
from tests.acceptance.trouble import IN_FLIGHT, Outcome, broker_killed, database_locked, link_cut, settled, trouble
from tests.servers import Instance

pytestmark = [pytest.mark.slow, pytest.mark.chaos]
MESSAGES = 300


def assert_well(outcome: Outcome) -> None:
    assert outcome.in_flight >= IN_FLIGHT
    assert outcome.verdict.faults == [], outcome
    assert outcome.silent == []
    assert outcome.sent_again is not None


@pytest.mark.parametrize("named", [True, False], ids=["with message_id", "without any id"])
def test_a_broker_that_is_killed_and_comes_back(tmp_path: Path, breakable_rabbitmq: Instance, named: bool) -> None:
    door = QueueDoor(breakable_rabbitmq.url, named=named, prefetch=50)
    with world(tmp_path, door) as here, here.gateway() as gateway:
        settled(gateway, breakable_rabbitmq)
        assert_well(trouble(here, gateway, broker_killed(breakable_rabbitmq), MESSAGES))


def test_a_link_that_is_cut_and_refused_for_a_while(tmp_path: Path, breakable_rabbitmq: Instance) -> None:
    door = QueueDoor(breakable_rabbitmq.url, prefetch=50)
    with world(tmp_path, door) as here, Relay(here.simulator.port).running() as relay:
        here.extra["WHATSAPP_SIMULATOR_URL"] = relay.url
        with here.gateway() as gateway:
            assert_well(trouble(here, gateway, link_cut(relay, 3.0), MESSAGES))


def test_a_database_that_somebody_locks_for_a_while(tmp_path: Path, breakable_rabbitmq: Instance) -> None:
    door = QueueDoor(breakable_rabbitmq.url, prefetch=50)
    with world(tmp_path, door) as here, here.gateway() as gateway:
        assert_well(trouble(here, gateway, database_locked(here, 6.0), MESSAGES))
