# SPDX-License-Identifier: Apache-2.0
"""The room of RabbitMQ: envelopes in, results and dead letters out.

The ledger owns retries, schedule, pace and order; here a message is accepted, then acknowledged, and nothing is tried
twice (docs/adr). The only importer of aiormq, which is the core of aio-pika. `broker` is the whole, `topology` what is
declared, `reception` what becomes of one envelope.
"""

from wigwag.adapters.amqp.broker import Broker
from wigwag.adapters.amqp.inspection import inspect
from wigwag.adapters.amqp.topology import Topology

__all__ = ["Broker", "Topology", "inspect"]
