# SPDX-License-Identifier: Apache-2.0
"""A cable is pulled between a running gateway and an official client, and put back: real processes, a real clock.

The same in virtual time, for every moment, is `test_cable`.
"""

import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.demo import demo
from tests.realtime.test_official_client import HERE, install
from tests.simulator.real_clients import Program, running
from tests.storage.proxy import network

ANNA, BEN = 1, 2
OFFLINE_WITHIN = 25_000  # milliseconds

pytestmark = pytest.mark.slow


async def enter(program: Program, user: int) -> None:
    await program.do("connect", auth={})
    await program.expect("upgraded", transport="websocket")
    await program.do("ask", name="user_authenticated", args=[user])
    await program.expect("acked", failed=False)


async def told(program: Program, user: int) -> dict[str, Any]:
    """The next thing that is told of a user."""
    while (view := (await program.expect("heard", name="presence_updated"))["args"][0])["user_id"] != user:
        pass
    return dict(view)


async def test_a_pulled_cable_is_offline_within_25_seconds_and_back_on_the_same_connection(tmp_path: Path) -> None:
    await install()
    with demo(tmp_path, {"WIGWAG_REALTIME_AUTH": "trusted"}) as url:
        async with httpx.AsyncClient(base_url=url) as api:
            await api.put(f"/api/users/{ANNA}", json={})
            await api.put(f"/api/users/{ANNA}/contacts", json={"contacts": [BEN]})
        parts = urlsplit(url)
        async with (
            network(str(parts.hostname), int(parts.port or 0)) as (cable, port),
            running(["node", "program.mjs", url, "polling,websocket"], HERE) as ben,
            running(["node", "program.mjs", f"http://127.0.0.1:{port}", "polling,websocket"], HERE) as anna,
        ):
            await enter(ben, BEN)
            await enter(anna, ANNA)
            assert (await told(ben, ANNA))["status"] == "online"
            pulled = time.time() * 1000
            cable.fall_silent()
            offline = await told(ben, ANNA)
            assert offline["status"] == "offline"
            assert offline["v"] - pulled <= OFFLINE_WITHIN  # by the clock of the gateway, which is that of this machine
            cable.heal()
            back = await told(ben, ANNA)
            assert (back["status"], back["v"] > offline["v"]) == ("online", True)
            async with httpx.AsyncClient(base_url=url) as api:
                figures = (await api.get("/metrics")).text
    assert "wigwag_socket_silent_total 1.0" in figures
    assert "wigwag_socket_connections_opened_total 2.0" in figures
    assert "wigwag_socket_connections 2.0" in figures
    assert "wigwag_users_active 2.0" in figures
