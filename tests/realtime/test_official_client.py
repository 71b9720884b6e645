# SPDX-License-Identifier: Apache-2.0
"""The official JavaScript client, over each of its transports."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.realtime.live import Live, live
from tests.simulator.real_clients import OLDEST_NODE, Program, node_version, running, unavailable

HERE = Path(__file__).parent / "js"
INSTALL_PATIENCE = 120.0
TRANSPORTS = ["polling", "websocket", "polling,websocket"]
every_transport = pytest.mark.parametrize("transports", TRANSPORTS)


@asynccontextmanager
async def client(server: Live, transports: str) -> AsyncIterator[Program]:
    """The official client, in the main namespace and on its last transport."""
    await install()
    async with running(["node", "program.mjs", server.http, transports], HERE) as program:
        await program.do("connect", auth={"token": "t"})
        if "," in transports:
            await program.expect("upgraded", transport="websocket")
            await program.expect("connected")  # before or after
        else:
            await program.expect("connected", transport=transports)
        await program.expect("heard", name="auth", args=[{"token": "t"}])
        yield program


@every_transport
async def test_events_and_acks_go_both_ways(transports: str) -> None:
    async with live(interval=10, timeout=10) as server, client(server, transports) as program:
        await program.do("emit", name="message", args=[1, {"a": ["é"]}])
        await program.expect("heard", name="message-back", args=[1, {"a": ["é"]}])
        await program.do("ask", name="message-with-ack", args=["x"])
        await program.expect("acked", failed=False, args=["x"])
        await program.do("ask", name="message", args=[])
        await program.expect("acked", failed=False, args=[])
        await program.do("bytes", name="message", bytes=[0, 255])
        await program.expect("heard", name="message-back", args=[{"bytes": [0, 255]}])


@every_transport
async def test_a_refused_event_is_heard_of_twice(transports: str) -> None:
    async with live(interval=10, timeout=10) as server, client(server, transports) as program:
        told = {"event": "what", "code": "unknown_event", "message": "There is no event what."}
        await program.do("ask", name="what", args=[])
        await program.expect("heard", name="error", args=[told])
        await program.expect("acked", failed=False, args=[{"error": told}])


@every_transport
async def test_a_goodbye_is_clean(transports: str) -> None:
    async with live(interval=10, timeout=10) as server, client(server, transports) as program:
        await program.do("disconnect")
        await program.expect("disconnected", reason="io client disconnect")
        await server.handlers.left.wait()
        assert server.handlers.gone == [(server.handlers.connected[0], True)]


@every_transport
async def test_who_is_disconnected_stays_away(transports: str) -> None:
    async with live(interval=10, timeout=10) as server, client(server, transports) as program:
        await server.server.disconnect(server.handlers.connected[0], "token_expired")
        told = {"event": None, "code": "token_expired", "message": "The server ended this connection."}
        await program.expect("heard", name="error", args=[told])
        await program.expect("disconnected", reason="io server disconnect")


@every_transport
async def test_a_client_comes_back_when_there_is_a_server_again(transports: str) -> None:
    async with live(interval=10, timeout=10) as first, client(first, transports) as program:
        await first.server.close_all()
        await program.expect("disconnected")
        await program.expect("connected")
        await program.do("ask", name="message-with-ack", args=["again"])
        await program.expect("acked", failed=False, args=["again"])


@every_transport
async def test_a_quick_heartbeat_keeps_a_client_connected(transports: str) -> None:
    async with live() as server, client(server, transports) as program:
        for _ in range(3):
            await program.expect("pinged")
        await program.do("ask", name="message-with-ack", args=["here"])
        await program.expect("acked", failed=False, args=["here"])
        assert server.handlers.gone == []


async def test_a_refused_client_hears_the_code() -> None:
    async with live(interval=10, timeout=10) as server:
        await install()
        async with running(["node", "program.mjs", server.http, "websocket"], HERE) as program:
            await program.do("connect", auth={"token": "forged"})
            await program.expect("connect_error", message="This token is not ours.", data={"code": "unauthorized"})


async def install() -> None:
    """Once; later runs find it in its folder."""
    if not (shutil.which("npm") and await node_version() >= OLDEST_NODE):
        unavailable(f"The official client needs npm and Node {OLDEST_NODE} or newer.")
    if (HERE / "node_modules" / "socket.io-client").is_dir():
        return
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=HERE, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    _, problem = await asyncio.wait_for(process.communicate(), INSTALL_PATIENCE)
    if process.returncode:
        unavailable(f"npm could not install the official client: {problem.decode(errors='replace')[-300:]}")
