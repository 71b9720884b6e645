# SPDX-License-Identifier: Apache-2.0
"""Brokers that refuse, die or fall silent: it is said what is wrong, nothing hangs, and work goes on by itself."""

import asyncio
from collections.abc import Callable
from typing import Self

import pytest

from tests import servers
from tests.amqp.world import World, build_world, envelope, until
from wigwag.domain.errors import BrokerUnavailable
from wigwag.domain.events import PartFailed, PartRecovered


async def _expect(world: World, *words: str) -> None:
    """The room says what is wrong, in the log and to whoever asks, and goes on trying."""
    async with world.working(connected=False):
        await until(lambda: world.facts.of(PartFailed))
        with pytest.raises(BrokerUnavailable) as told:
            await world.broker.check()
        assert world.broker.depths() == {}
        with pytest.raises(BrokerUnavailable):
            await world.broker.dead_letters.list(1)
    [fact] = world.facts.of(PartFailed)
    assert fact.part == "broker"
    assert str(told.value) == fact.detail
    assert all(word in fact.detail for word in words), fact.detail


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda url: url.replace("wigwag:wigwag", "wigwag:hush"), ["RABBITMQ_PASSWORD"]),
        (lambda url: url.replace("/woragis", "/elsewhere"), ["RABBITMQ_VHOST"]),
        (lambda url: url.replace("127.0.0.1", "127.0.0.1:1").partition(":1:")[0] + ":1/woragis", ["not answer"]),
        (lambda _url: "amqp://nobody.invalid/", ["not answer"]),
    ],
    ids=["password", "vhost", "port", "host"],
)
async def test_a_broker_that_cannot_be_had_is_explained(
    rabbitmq: str, wrong: Callable[[str], str], words: list[str]
) -> None:
    world = build_world(wrong(rabbitmq))
    await _expect(world, *words)
    assert "hush" not in str(world.facts.facts)


async def test_a_queue_with_other_arguments_is_explained_and_left_alone(world: World) -> None:
    async with world.channel() as channel:
        await channel.declare_queue(world.topology.queue, durable=True)
    await _expect(world, "WHATSAPP_QUEUE_NAME", world.topology.queue)


async def test_an_exchange_of_another_type_is_explained(world: World) -> None:
    async with world.channel() as channel:
        await channel.declare_exchange(world.topology.exchange, "fanout", durable=True)
    await _expect(world, "WHATSAPP_EXCHANGE")


async def test_a_queue_that_somebody_deletes_is_made_again(world: World) -> None:
    async with world.working():
        await until(world.broker.consuming)
        async with world.channel() as channel:
            for queue in (world.topology.queue, world.topology.dead_letters):
                await (await channel.get_queue(queue)).delete(if_empty=False, if_unused=False)
        await until(lambda: world.facts.of(PartRecovered))
        await world.publish(envelope(), b"?")
        await until(lambda: world.ledger.jobs_kept)
        await world.take(world.topology.dead_letters)


@pytest.mark.chaos
async def test_after_a_kill_of_the_broker_the_work_goes_on(breakable_rabbitmq: servers.Instance) -> None:
    world = build_world(breakable_rabbitmq.url)
    async with world.working():
        pass
    await asyncio.to_thread(breakable_rabbitmq.stop)
    breakable_rabbitmq.launch()
    await asyncio.to_thread(breakable_rabbitmq.wait_until_ready)
    async with world.working():
        await world.publish(*[envelope(str(number)) for number in range(50)])
        await until(lambda: world.ledger.texts)
        breakable_rabbitmq.kill()
        await until(lambda: world.facts.of(PartFailed))
        breakable_rabbitmq.launch()
        await until(lambda: world.facts.of(PartRecovered))
        await world.publish(*[envelope(str(number)) for number in range(50, 100)])
        await until(lambda: len(set(world.ledger.texts)) == 100)
    assert sorted(world.ledger.texts, key=int) == [str(number) for number in range(100)]


async def test_a_connection_that_falls_silent_is_given_up(rabbitmq: str) -> None:
    async with Proxy(rabbitmq) as proxy:
        world = build_world(proxy.url)
        async with world.working():
            await until(world.broker.consuming)
            proxy.silent = True
            with pytest.raises(BrokerUnavailable, match=r"within 1\.5 s"):
                await world.broker.check()
            await until(lambda: world.facts.of(PartFailed))
            proxy.silent = False
            await until(lambda: world.facts.of(PartRecovered))
            await world.publish(envelope())
            await until(lambda: world.ledger.jobs_kept)


class Proxy:
    """Passes bytes on between a client and the broker, or swallows them."""

    def __init__(self, url: str) -> None:
        self._port = int(url.rpartition(":")[2].partition("/")[0])
        self._given = url
        self.silent = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = self._given.replace(f":{self._port}/", f":{port}/")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        for source, target in ((reader, back), (there, writer)):
            task = asyncio.create_task(self._pass_on(source, target), name="proxy")
            self._tasks.add(task)

    async def _pass_on(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(1 << 16):
                if not self.silent:
                    target.write(data)
                    await target.drain()
        except OSError:
            pass
        finally:
            target.transport.abort()
