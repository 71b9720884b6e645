# SPDX-License-Identifier: Apache-2.0
"""A room on this run's RabbitMQ, with names that no other test uses."""

import pytest

from tests.amqp.world import World, build_world


@pytest.fixture
def world(rabbitmq: str) -> World:
    return build_world(rabbitmq)
