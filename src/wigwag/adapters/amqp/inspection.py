# SPDX-License-Identifier: Apache-2.0
"""Whether a broker lets us in and has what we need, for whoever wants to know without declaring anything new."""

from aiormq.exceptions import ChannelNotFoundEntity

from wigwag.adapters.amqp.session import connected
from wigwag.adapters.amqp.topology import Topology
from wigwag.adapters.amqp.wall import within
from wigwag.domain.errors import BrokerUnavailable


async def inspect(url: str, topology: Topology) -> int | None:
    """How many envelopes wait; None if the queue is not there yet. Raises BrokerUnavailable, whose sentence says why.

    What is there is declared once more, which changes nothing and tells whether it has other arguments.
    """
    async with connected(url) as session:
        try:
            waiting = await session.count(await session.channel(), topology.queue)
        except BrokerUnavailable as error:
            if isinstance(error.__cause__, ChannelNotFoundEntity):
                return None
            raise
        await within(topology.declare(await session.channel()))
        return waiting
