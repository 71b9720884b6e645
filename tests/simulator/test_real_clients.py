# SPDX-License-Identifier: Apache-2.0
"""Two real WhatsApp Web clients, whatsmeow and Baileys, live with the simulator as with the real server."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from tests.simulator import real_clients
from tests.simulator.conftest import ALICE, BOB
from tests.simulator.real_clients import Program
from wigwag.simulator import ACCOUNT_PHONE, Simulator

Start = Callable[[Simulator, Path], AbstractAsyncContextManager[Program]]
CLIENTS = [pytest.param(real_clients.whatsmeow, id="whatsmeow"), pytest.param(real_clients.baileys, id="baileys")]


@pytest.fixture
async def world() -> AsyncIterator[Simulator]:
    """On the real clock, for real clients check certificates against it, and at a real distance."""
    async with Simulator() as sim:
        sim.put_contact(ALICE, name="Alice")
        sim.put_contact(BOB, name="Bob", addressed_by_lid=True)
        sim.put_contact(ACCOUNT_PHONE, name="Tester")
        await sim.put_group("120363000000000001", subject="Team", participants=[ACCOUNT_PHONE, ALICE])
        yield sim


@pytest.mark.slow
@pytest.mark.parametrize("start", CLIENTS)
async def test_a_real_client_pairs_watches_writes_reads_and_comes_back(
    world: Simulator, tmp_path: Path, start: Start
) -> None:
    async with start(world, tmp_path) as client:
        qr = await client.expect("qr")
        assert (await world.scan(qr["code"])).phone == ACCOUNT_PHONE
        await client.expect("connected")
        await until_named(world, client)

        await client.do("subscribe", phone=ALICE)
        await client.expect("presence", jid=f"{ALICE}@s.whatsapp.net", online=False)
        await world.set_presence(ALICE, online=True)
        await client.expect("presence", jid=f"{ALICE}@s.whatsapp.net", online=True)
        await world.type(ALICE)
        await client.expect("typing", jid=f"{ALICE}@s.whatsapp.net")
        await client.do("subscribe", phone=BOB)
        await client.expect("presence", jid=f"9{BOB}@lid", online=False)

        await client.do("groups")
        assert (await client.expect("groups"))["subjects"] == ["Team"]

        await client.do("send", phone=ALICE, text="hello")
        sent = await client.expect("sent")
        await client.expect("receipt", ids=[sent["id"]])
        await world.send_text(ALICE, "hello yourself")
        await client.expect("message", text="hello yourself")
        assert [(line.phone, line.text) for line in world.journal.inbox] == [(ALICE, "hello")]

        await world.cut()
        await client.expect("disconnected")
        await world.send_text(ALICE, "while you were away")
        await client.expect("connected")
        await client.expect("message", text="while you were away")
    assert [entry.detail for entry in world.journal.log if entry.event == "refused"] == []


@pytest.mark.slow
@pytest.mark.parametrize("start", CLIENTS)
async def test_a_real_client_pairs_by_code(world: Simulator, tmp_path: Path, start: Start) -> None:
    async with start(world, tmp_path) as client:
        await client.expect("qr")
        await client.do("code", phone=ACCOUNT_PHONE)
        code = (await client.expect("code"))["code"]
        assert (await world.scan_code(ACCOUNT_PHONE, code)).phone == ACCOUNT_PHONE
        await client.expect("connected")


async def until_named(world: Simulator, client: Program) -> None:
    """Show it online, which it can as soon as it has its push name from the account's settings."""
    async with asyncio.timeout(real_clients.PATIENCE):
        while all(entry.event != "available" for entry in world.journal.log):
            await client.do("available")
