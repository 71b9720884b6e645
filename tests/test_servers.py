# SPDX-License-Identifier: Apache-2.0
"""The test servers keep their promises; what is tested with them is tested elsewhere."""

import asyncio
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import aio_pika
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from tests import servers

SMILE = "naïve 👋🏽 שלום"


async def test_each_engine_gives_a_database_that_keeps_any_unicode(database_url: str) -> None:
    engine = create_async_engine(database_url)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE words (word VARCHAR(40))"))
        await connection.execute(text("INSERT INTO words VALUES (:word)"), {"word": SMILE})
        rows = (await connection.execute(text("SELECT word FROM words"))).all()
    await engine.dispose()
    assert rows == [(SMILE,)]


async def test_each_test_starts_from_an_empty_database(database_url: str) -> None:
    engine = create_async_engine(database_url)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE words (word VARCHAR(40))"))
    await engine.dispose()


def test_a_test_without_a_loop_may_use_them_too(database_url: str) -> None:
    assert "wigwag" in database_url


def broken(**but: Any) -> servers.Server:
    return replace(
        servers.Server(
            name="broken",
            programs=("sh",),
            create=lambda _folder: ["true"],
            serve=lambda _folder, _port: ["sh", "-c", "echo the disk is full; exit 1"],
            ready="ready",
            url="broken://127.0.0.1:{port}",
        ),
        **but,
    )


@pytest.mark.parametrize(("ci", "outcome"), [("", pytest.skip.Exception), ("true", pytest.fail.Exception)])
def test_a_missing_program_skips_at_home_and_fails_in_ci(
    ci: str, outcome: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", ci)
    with (
        pytest.raises(outcome, match="no-such-program not found"),
        servers.running(broken(programs=("no-such-program",))),
    ):
        pass


def test_a_server_that_does_not_start_is_quoted() -> None:
    with pytest.raises(pytest.fail.Exception, match="the disk is full"), servers.running(broken()):
        pass


def test_a_folder_that_cannot_be_made_is_explained() -> None:
    refusing = broken(create=lambda _folder: ["sh", "-c", "echo not here >&2; exit 1"])
    with pytest.raises(pytest.fail.Exception, match="not here"), servers.running(refusing):
        pass


def test_a_server_that_is_given_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIGWAG_TEST_BROKEN_URL", "broken://elsewhere")
    with servers.running(broken()) as url:
        assert url == "broken://elsewhere"


async def test_what_another_client_publishes_arrives(rabbitmq: str, amqp_publish: str) -> None:
    queue_name = uuid4().hex
    async with await aio_pika.connect(rabbitmq) as connection, asyncio.timeout(servers.PATIENCE):
        queue = await (await connection.channel()).declare_queue(queue_name)
        publisher = await asyncio.create_subprocess_exec(
            amqp_publish, f"--url={rabbitmq}", f"--routing-key={queue_name}", f"--body={SMILE}"
        )
        assert await publisher.wait() == 0
        async with queue.iterator() as messages:
            message = await anext(messages)
            await message.ack()
        await queue.delete()
    assert message.body.decode() == SMILE


@pytest.mark.chaos
async def test_a_killed_rabbitmq_comes_back_at_its_address_with_what_it_confirmed(
    breakable_rabbitmq: servers.Instance,
) -> None:
    async with await aio_pika.connect(breakable_rabbitmq.url) as connection:
        channel = await connection.channel()
        await channel.declare_queue("letters", durable=True)
        letter = aio_pika.Message(SMILE.encode(), delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await channel.default_exchange.publish(letter, "letters")
        breakable_rabbitmq.kill()
    with pytest.raises(ConnectionError):
        await aio_pika.connect(breakable_rabbitmq.url)
    breakable_rabbitmq.launch()
    breakable_rabbitmq.wait_until_ready()
    async with await aio_pika.connect(breakable_rabbitmq.url) as connection:
        queue = await (await connection.channel()).get_queue("letters")
        message = await queue.get()
    assert message.body.decode() == SMILE


async def test_redis_answers(redis: str) -> None:
    address = urlsplit(redis)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(b"PING\r\n")
    async with asyncio.timeout(servers.PATIENCE):
        assert await reader.readline() == b"+PONG\r\n"
    writer.close()
    await writer.wait_closed()
