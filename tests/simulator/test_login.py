# SPDX-License-Identifier: Apache-2.0
"""Login, what waited for the client, and logging out."""

from collections.abc import Callable

import pytest

from tests.simulator.client import Client
from tests.simulator.conftest import ALICE
from wigwag.simulator import ACCOUNT_PHONE, Simulator
from wigwag.simulator.curve import KeyPair
from wigwag.simulator.wire import Jid, Node


async def test_a_paired_device_is_let_in_again_and_again(client: Client) -> None:
    await client.pair()
    for _ in range(3):
        await client.open(client.login_payload())
        assert (await client.expect("success")).jid("lid") == client.lid


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"username": 15559999999}, id="nobody"),
        pytest.param({"username": int(ALICE)}, id="somebody without devices"),
        pytest.param({"device": 7}, id="a device that does not exist"),
    ],
)
async def test_an_unknown_device_is_turned_away_as_logged_out(client: Client, changes: dict[str, int]) -> None:
    await client.pair()
    await client.open(client.login_payload(**changes))
    assert (await client.expect("failure")).text("reason") == "401"
    assert [node.tag for node in await client.ended()] == ["xmlstreamend"]


async def test_a_stolen_number_without_the_noise_key_is_turned_away(client: Client) -> None:
    await client.pair()
    client.noise = KeyPair.generate()
    await client.open(client.login_payload())
    assert (await client.expect("failure")).text("reason") == "401"


async def test_a_second_login_of_a_device_replaces_the_first(sim: Simulator, client: Client, online: Client) -> None:
    twin = Client(sim)
    twin.noise, twin.jid = online.noise, online.jid
    await twin.open(twin.login_payload())
    await twin.expect("success")
    conflict = (await online.expect("stream:error")).child("conflict")
    assert conflict
    assert conflict.text("type") == "replaced"
    await online.ended()
    await twin.settle()
    await twin.close()


async def test_nothing_waits_for_a_client_that_missed_nothing(client: Client) -> None:
    await client.come_online()
    for node in client.seen:
        if node.tag == "message":
            await client.acknowledge(node)
    await client.settle()
    await client.open(client.login_payload())
    assert await client.activate() == []


async def test_a_client_that_is_not_passive_is_served_at_once(sim: Simulator, client: Client) -> None:
    await client.pair()
    await client.open(client.login_payload(passive=0))
    await client.expect("success")
    assert [(await client.expect("ib")).children[0].tag for _ in range(2)] == ["offline_preview", "offline"]


async def test_what_happened_while_the_client_was_away_waits_in_order_and_is_counted(
    sim: Simulator, client: Client
) -> None:
    await client.pair()
    await client.login()
    await acknowledge_all(client)
    await client.close()
    first = await sim.send_text(ALICE, "one")
    await sim.put_group("120363000000000001", subject="Team", participants=[ALICE, ACCOUNT_PHONE])
    second = await sim.send_text(ALICE, "two")
    await client.open(client.login_payload())
    await client.expect("success")
    waiting = await client.activate()
    assert [node.tag for node in waiting] == ["message", "notification", "message"]
    assert [node.text("id") for node in waiting if node.tag == "message"] == [first, second]
    assert [node.text("offline") for node in waiting] == ["0", "1", "2"]
    counts = {name: client.preview.text(name) for name in ("count", "message", "notification", "receipt")}
    assert counts == {"count": "3", "message": "2", "notification": "1", "receipt": "0"}
    assert [client.read(node)["conversation"] for node in (waiting[0], waiting[2])] == ["one", "two"]


async def test_what_is_not_acknowledged_comes_back_and_what_is_does_not(sim: Simulator, client: Client) -> None:
    await client.pair()
    await client.login()
    await acknowledge_all(client)
    ids = [await sim.send_text(ALICE, text) for text in ("acked", "receipted", "ignored")]
    messages = [await client.expect("message") for _ in ids]
    await client.acknowledge(messages[0])
    await client.send(Node("receipt", {"id": ids[1], "to": Jid(ALICE)}))
    await client.settle()
    await client.open(client.login_payload())
    assert [node.text("id") for node in await client.activate()] == [ids[2]]


async def test_a_passive_client_hears_nothing_until_it_is_active(sim: Simulator, client: Client) -> None:
    await client.pair()
    await client.open(client.login_payload())
    await client.upload_prekeys(10)
    await sim.send_text(ALICE, "wait")
    await client.settle()
    assert [node for node in client.seen if node.tag == "message"] == []
    assert [node.tag for node in await client.activate()] == ["message", "message"]


async def test_presence_does_not_wait(sim: Simulator, online: Client) -> None:
    await online.send(Node("presence", {"type": "subscribe", "to": Jid(ALICE)}))
    await acknowledge_all(online)
    await online.close()
    await sim.set_presence(ALICE, online=True)
    await online.open(online.login_payload())
    assert await online.activate() == []


async def test_logging_out_removes_the_device(sim: Simulator, online: Client) -> None:
    content = Node("remove-companion-device", {"jid": online.jid, "reason": "user_initiated"})
    assert (await online.query("md", "set", content)).text("type") == "result"
    error = await online.expect("stream:error", code="401")
    assert error.children[0].text("type") == "device_removed"
    assert list(sim.exchange.world.accounts()) == []
    await online.open(online.login_payload())
    assert (await online.expect("failure")).text("reason") == "401"


async def test_a_device_of_somebody_else_cannot_be_removed(
    sim: Simulator, online: Client, make_client: Callable[[], Client]
) -> None:
    other = make_client()
    await other.pair("15550009999")
    answer = await online.query("md", "set", Node("remove-companion-device", {"jid": other.jid}))
    assert answer.children[0].text("code") == "404"
    assert len(list(sim.exchange.world.accounts())) == 2


async def acknowledge_all(client: Client) -> None:
    await client.settle()
    for node in client.seen:
        if node.tag in ("message", "notification", "receipt"):
            await client.acknowledge(node)
    await client.settle()
