# SPDX-License-Identifier: Apache-2.0
"""The simulator as a program: it starts, keeps what is private to itself, and stops."""

import asyncio
import logging

import httpx
import pytest

from tests.simulator.client import Client
from tests.simulator.conftest import ALICE, Clock
from wigwag.simulator import ACCOUNT_PHONE, Simulator, serve
from wigwag.simulator.wire import Jid, Node


async def test_it_serves_until_it_is_cancelled() -> None:
    async with Simulator() as finder:
        port = finder.port  # free again once this one has stopped
    running = asyncio.create_task(serve(port=port), name="serve")
    await asyncio.sleep(0)
    async with httpx.AsyncClient() as http:
        assert len((await http.get(f"http://127.0.0.1:{port}/sim/trust")).json()["root_key"]) == 64
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_it_stops_while_clients_are_connected(client: Client, sim: Simulator) -> None:
    async with Simulator(latency=0) as other:
        client.simulator = other
        await client.come_online()
    assert await client.ended() == []


async def test_every_simulator_has_a_root_key_of_its_own(sim: Simulator) -> None:
    async with Simulator() as other:
        assert other.root_key != sim.root_key


async def test_it_listens_on_the_loopback_address_unless_told_otherwise(sim: Simulator) -> None:
    assert sim.url == f"http://127.0.0.1:{sim.port}"


async def test_the_log_shows_subscribe_stanzas_but_no_number_and_no_text(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="wigwag.simulator")
    await client.come_online()
    await client.send(Node("presence", {"type": "subscribe", "to": Jid(ALICE)}))
    await client.send(await client.text(Jid(ALICE), "a secret word"))
    await client.settle()
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("wigwag.simulator")]
    assert "subscribe account=15…11 action=subscribe contact=17…01@s.whatsapp.net" in lines
    for private in (ALICE, ACCOUNT_PHONE, "secret"):
        assert not [line for line in lines if private in line]


async def test_the_rhythm_moves_contacts_and_leaves_accounts_alone(
    sim: Simulator, clock: Clock, online: Client
) -> None:
    await online.send(Node("presence", {"type": "unavailable"}))
    await online.settle()
    sim.start_rhythm(speed=1.0)
    came = set()
    for _ in range(24 * 60):
        clock.advance(60)
        sim.tick()
        came |= {person.phone for person in sim.exchange.world.people.values() if person.online}
    assert ALICE in came
    assert ACCOUNT_PHONE not in came


async def test_a_client_that_reads_nothing_is_cut_off_before_it_fills_the_memory(
    sim: Simulator, online: Client
) -> None:
    await online.send(Node("presence", {"type": "subscribe", "to": Jid(ALICE)}))
    await online.settle()
    connection = next(iter(sim.exchange.streams.values())).connection
    for _ in range(100_001):
        connection.post(Node("presence", {"from": Jid(ALICE)}))
    await online.ended()
    assert (await online_again(online)).tag == "success"


async def online_again(client: Client) -> Node:
    await client.open(client.login_payload())
    return await client.receive()
