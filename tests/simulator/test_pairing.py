# SPDX-License-Identifier: Apache-2.0
"""Linking a device: by QR code, by code, with refs that expire, several accounts at once, and every way it can fail."""

import asyncio
import base64
import os
from collections.abc import Callable

import pytest

from tests.simulator.client import Client
from tests.simulator.conftest import Clock, logged
from wigwag.simulator import ACCOUNT_PHONE, LinkError, Simulator
from wigwag.simulator.curve import DJB, KeyPair
from wigwag.simulator.wire import SERVER, Jid, Node

MakeClient = Callable[[], Client]
CODE = "ABCD2345"


async def test_a_scan_links_the_device_and_it_can_log_in(sim: Simulator, client: Client) -> None:
    linked = await client.pair()
    assert (linked.phone, linked.device) == (ACCOUNT_PHONE, 1)
    assert client.jid == Jid(ACCOUNT_PHONE, device=1)
    assert client.lid == Jid(linked.lid, "lid", 1)
    success = await client.login()
    assert success.jid("lid") == client.lid


async def test_the_phone_that_scans_decides_the_account(sim: Simulator, client: Client) -> None:
    sim.put_contact("4915550001", lid="123456789", name="Greta")
    linked = await client.pair("4915550001")
    assert (linked.phone, linked.lid) == ("4915550001", "123456789")


async def test_several_accounts_and_several_devices_live_side_by_side(sim: Simulator, make_client: MakeClient) -> None:
    phones = ["15550000001", "15550000002", "15550000001"]
    linked = [await make_client().pair(phone) for phone in phones]
    assert [(each.phone, each.device) for each in linked] == [(phones[0], 1), (phones[1], 1), (phones[0], 2)]


@pytest.mark.parametrize(
    ("position", "seconds", "holds"),
    [(0, 59, True), (0, 60, False), (1, 79, True), (1, 80, False), (5, 159, True)],
)
async def test_the_first_ref_holds_60_seconds_and_each_other_20_more(
    sim: Simulator, clock: Clock, client: Client, position: int, seconds: float, holds: bool
) -> None:
    codes = await client.offer()
    clock.advance(seconds)
    if holds:
        scan = asyncio.create_task(sim.scan(codes[position]), name="scan")
        await client.confirm()
        assert (await scan).phone == ACCOUNT_PHONE
    else:
        with pytest.raises(LinkError, match="expired"):
            await sim.scan(codes[position])


async def test_when_all_refs_have_expired_the_stream_ends_and_a_new_one_offers_new_refs(
    sim: Simulator, clock: Clock, client: Client
) -> None:
    old = await client.offer()
    clock.advance(160)
    sim.tick()
    await client.expect("xmlstreamend")
    assert await client.ended() == []
    new = await client.offer()
    assert not {code.split(",")[0] for code in old} & {code.split(",")[0] for code in new}


async def test_a_code_of_a_client_that_left_is_worth_nothing(sim: Simulator, client: Client) -> None:
    codes = await client.offer()
    await client.close()
    await logged(sim, "refused")
    with pytest.raises(LinkError, match="no client"):
        await sim.scan(codes[0])


@pytest.mark.parametrize(
    ("qr", "reason"),
    [
        ("nonsense", "ref,noise key"),
        ("2@a,b,c,d", "base64"),
        (",".join(["2@a", *["aGk="] * 3]), "32 bytes"),
    ],
)
async def test_a_text_that_is_no_qr_code_is_refused(sim: Simulator, qr: str, reason: str) -> None:
    with pytest.raises(LinkError, match=reason):
        await sim.scan(qr)


async def test_a_qr_code_with_other_keys_than_the_client_has_is_refused(sim: Simulator, client: Client) -> None:
    codes = await client.offer()
    ref, *_ = codes[0].split(",")
    keys = [base64.b64encode(os.urandom(32)).decode() for _ in range(3)]
    with pytest.raises(LinkError, match="other keys"):
        await sim.scan(",".join([ref, *keys, "1"]))


async def test_a_false_device_signature_links_nothing(sim: Simulator, client: Client) -> None:
    codes = await client.offer()
    scan = asyncio.create_task(sim.scan(codes[0]), name="scan")
    success = await client.expect("iq", type="set")
    answer = client.take_proof(success.children[0], KeyPair.generate())
    await client.send(Node("iq", {"to": SERVER, "type": "result", "id": success.text("id")}, [answer]))
    with pytest.raises(LinkError, match="signature is false"):
        await scan
    assert list(sim.exchange.world.accounts()) == []


async def test_a_signature_for_another_key_index_links_nothing(sim: Simulator, client: Client) -> None:
    codes = await client.offer()
    scan = asyncio.create_task(sim.scan(codes[0]), name="scan")
    success = await client.expect("iq", type="set")
    answer = client.take_proof(success.children[0], client.keys.identity)
    answer.children[0].attrs["key-index"] = "9"
    await client.send(Node("iq", {"to": SERVER, "type": "result", "id": success.text("id")}, [answer]))
    with pytest.raises(LinkError, match="key index"):
        await scan


async def test_a_client_that_refuses_the_phone_is_reported(sim: Simulator, client: Client) -> None:
    codes = await client.offer()
    scan = asyncio.create_task(sim.scan(codes[0]), name="scan")
    success = await client.expect("iq", type="set")
    error = Node("error", {"code": "401", "text": "hmac-mismatch"})
    await client.send(Node("iq", {"to": SERVER, "type": "error", "id": success.text("id")}, [error]))
    with pytest.raises(LinkError, match="hmac-mismatch"):
        await scan


@pytest.mark.parametrize(
    "changes",
    [
        {"skey_signature": bytes(64)},
        {"identity": bytes(31)},
        {"key_type": b"\x06"},
        {"registration": b""},
    ],
)
async def test_pairing_data_with_a_bad_key_is_refused(client: Client, changes: dict[str, bytes]) -> None:
    await client.open(client.pairing_payload(**changes))
    assert (await client.expect("failure")).text("reason") == "400"


async def test_a_client_that_is_linked_cannot_be_linked_again(sim: Simulator, client: Client) -> None:
    codes = await client.offer()
    scan = asyncio.create_task(sim.scan(codes[0]), name="scan")
    await client.confirm()
    await scan
    with pytest.raises(LinkError, match="linked already"):
        await sim.scan(codes[1])


async def test_before_it_is_linked_a_client_may_only_ping(client: Client) -> None:
    await client.offer()
    await client.send(Node("presence", {"type": "available"}))
    assert (await client.expect("error")).text("code") == "479"
    assert (await client.query("w:p", "get")).text("type") == "result"
    answer = await client.query("w:g2", "get", Node("participating"), to=Jid("", "g.us"))
    assert answer.text("type") == "error"


@pytest.mark.parametrize("typed", [CODE, "abcd-2345"])
async def test_a_code_typed_into_the_phone_links_the_device(sim: Simulator, client: Client, typed: str) -> None:
    await client.offer()
    ephemeral = KeyPair.generate()
    hello = await client.query("md", "set", client.companion_hello("15550002222", CODE, ephemeral))
    assert hello.children[0].child("link_code_pairing_ref")
    typing = asyncio.create_task(sim.scan_code("15550002222", typed), name="type")
    primary = (await client.expect("notification", type="link_code_companion_reg")).children[0]
    finish = await client.query("md", "set", client.companion_finish("15550002222", CODE, ephemeral, primary))
    assert finish.text("type") == "result"
    await client.confirm()
    assert (await typing).phone == "15550002222"
    await client.login()


async def test_a_wrong_code_links_nothing(sim: Simulator, client: Client) -> None:
    await client.offer()
    ephemeral = KeyPair.generate()
    await client.query("md", "set", client.companion_hello("15550002222", CODE, ephemeral))
    typing = asyncio.create_task(sim.scan_code("15550002222", "WRNG2345"), name="type")
    primary = (await client.expect("notification")).children[0]
    await client.query("md", "set", client.companion_finish("15550002222", CODE, ephemeral, primary))
    with pytest.raises(LinkError, match="code is wrong"):
        await typing


async def test_a_key_bundle_for_another_account_links_nothing(sim: Simulator, client: Client) -> None:
    await client.offer()
    ephemeral = KeyPair.generate()
    await client.query("md", "set", client.companion_hello("15550002222", CODE, ephemeral))
    typing = asyncio.create_task(sim.scan_code("15550002222", CODE), name="type")
    primary = (await client.expect("notification")).children[0]
    stranger = Node("primary_identity_pub", {}, KeyPair.generate().public)
    children = [stranger if child.tag == stranger.tag else child for child in primary.children]
    finish = client.companion_finish("15550002222", CODE, ephemeral, Node(primary.tag, {}, children))
    await client.query("md", "set", finish)
    with pytest.raises(LinkError, match="another account"):
        await typing


async def test_a_code_for_a_number_that_asked_for_none_is_refused(sim: Simulator, client: Client) -> None:
    await client.offer()
    with pytest.raises(LinkError, match="asked for a code"):
        await sim.scan_code("15550002222", CODE)


@pytest.mark.parametrize(
    "changes",
    [
        {"companion_platform_display": b"My Gateway"},
        {"companion_server_auth_key_pub": bytes(32)},
        {"link_code_pairing_wrapped_companion_ephemeral_pub": bytes(79)},
    ],
)
async def test_a_companion_hello_that_the_real_server_refuses_is_refused(
    client: Client, changes: dict[str, bytes]
) -> None:
    await client.offer()
    hello = client.companion_hello("15550002222", CODE, KeyPair.generate(), **changes)
    answer = await client.query("md", "set", hello)
    assert answer.children[0].text("code") == "400"


async def test_a_finish_that_was_not_begun_is_refused(client: Client) -> None:
    await client.offer()
    finish = Node("link_code_companion_reg", {"jid": Jid("15550002222"), "stage": "companion_finish"}, [])
    assert (await client.query("md", "set", finish)).text("type") == "error"


async def test_the_new_device_gets_the_settings_of_its_account(sim: Simulator, client: Client) -> None:
    """A client may show itself online only once it knows its push name, which is among the settings."""
    await client.pair()
    await client.login()
    message = next(node for node in client.seen if node.tag == "message")
    keys = client.read(message)["protocol"]["sync_key_share"]["keys"]
    assert len(keys[0]["data"]["key"]) == 32
    collection = Node("collection", {"name": "critical_block", "return_snapshot": "true"})
    answer = await client.query("w:sync:app:state", "set", Node("sync", {}, [collection]))
    assert answer.children[0].children[0].text("version") == "1"


async def test_the_key_type_of_uploaded_prekeys_is_checked(client: Client) -> None:
    await client.pair()
    await client.open(client.login_payload())
    assert (await client.upload_prekeys(2, type=b"\x07")).children[0].text("code") == "406"
    assert (await client.upload_prekeys(2, type=DJB)).text("type") == "result"
