# SPDX-License-Identifier: Apache-2.0
"""Each fault looks to the client as it would on the real server, strikes whom it should, and ends when it should."""

from collections.abc import Callable

import pytest

from tests.simulator.client import Client
from tests.simulator.conftest import ALICE, Clock, logged
from wigwag.simulator import ACCOUNT_PHONE, Simulator
from wigwag.simulator.wire import Jid, Node


async def login_answer(client: Client) -> Node:
    await client.open(client.login_payload())
    return await client.receive()


async def test_a_cut_ends_the_connection_without_a_word(sim: Simulator, online: Client) -> None:
    await sim.cut()
    assert await online.ended() == []
    assert (await login_answer(online)).tag == "success"


async def test_a_cut_strikes_only_the_account_it_names(
    sim: Simulator, online: Client, make_client: Callable[[], Client]
) -> None:
    other = make_client()
    await other.pair("15550009999")
    await other.login()
    await sim.cut("15550009999")
    assert await other.ended() == []
    await online.settle()


async def test_replaced_is_a_conflict(sim: Simulator, online: Client) -> None:
    await sim.inject("replaced")
    error = await online.expect("stream:error")
    assert [(child.tag, child.text("type")) for child in error.children] == [("conflict", "replaced")]
    assert await online.ended() == []


async def test_logged_out_removes_the_device_and_no_login_helps(sim: Simulator, online: Client) -> None:
    await sim.inject("logged_out")
    error = await online.expect("stream:error", code="401")
    assert error.children[0].text("type") == "device_removed"
    answer = await login_answer(online)
    assert (answer.tag, answer.text("reason")) == ("failure", "401")


async def test_a_device_that_is_away_can_be_logged_out_too(sim: Simulator, client: Client) -> None:
    await client.pair()
    await sim.inject("logged_out", ACCOUNT_PHONE)
    assert (await login_answer(client)).text("reason") == "401"


async def test_a_ban_says_why_and_how_long_and_ends(sim: Simulator, clock: Clock, online: Client) -> None:
    await sim.inject("ban", seconds=60, code=104)
    assert await online.ended() == []
    clock.advance(20)
    answer = await login_answer(online)
    assert [answer.text(name) for name in ("reason", "code", "expire")] == ["402", "104", "40"]
    clock.advance(40)
    assert (await login_answer(online)).tag == "success"


async def test_an_outdated_client_stays_out_until_the_fault_is_cleared(sim: Simulator, online: Client) -> None:
    await sim.inject("outdated")
    assert await online.ended() == []
    assert (await login_answer(online)).text("reason") == "405"
    sim.clear_faults()
    assert (await login_answer(online)).tag == "success"


@pytest.mark.parametrize(("code", "reason"), [(None, "503"), (500, "500"), (403, "403")])
async def test_logins_are_refused_with_the_reason_one_likes_as_often_as_one_likes(
    sim: Simulator, online: Client, code: int | None, reason: str
) -> None:
    await sim.inject("refuse", code=code, count=2)
    await online.settle()
    answers = [await login_answer(online) for _ in range(3)]
    assert [answer.text("reason") for answer in answers] == [reason, reason, ""]


async def test_a_stream_error_carries_its_code(sim: Simulator, online: Client) -> None:
    await sim.inject("stream_error", code=515)
    await online.expect("stream:error", code="515")
    assert await online.ended() == []


async def test_forgotten_subscriptions_are_gone_without_a_word(sim: Simulator, online: Client) -> None:
    await online.send(Node("presence", {"type": "subscribe", "to": Jid(ALICE)}))
    await online.settle()
    await sim.inject("forget_subscriptions")
    await sim.set_presence(ALICE, online=True)
    online.seen.clear()
    await online.settle()
    assert online.seen == []


async def test_silence_swallows_every_answer_until_it_is_over(sim: Simulator, clock: Clock, online: Client) -> None:
    await sim.inject("silence", seconds=30)
    await online.send(Node("iq", {"id": "lost", "xmlns": "w:p", "type": "get", "to": "@s.whatsapp.net"}))
    await sim.set_presence(ALICE, online=True)
    await online.send(Node("chatstate", {"to": Jid(ALICE)}, [Node("composing")]))
    await logged(sim, "typing")
    clock.advance(30)
    assert (await online.query("w:p", "get")).text("type") == "result"
    assert [node for node in online.seen if node.text("id") == "lost"] == []


async def test_dropped_acknowledgements_never_come_but_the_message_arrives(sim: Simulator, online: Client) -> None:
    await sim.inject("drop_acks", count=1)
    for message_id in ("M1", "M2"):
        await online.send(await online.text(Jid(ALICE), "hello", message_id))
    await online.expect("ack", id="M2")
    assert [node for node in online.seen if node.tag == "ack"] == []
    assert [message.id for message in sim.journal.inbox] == ["M1", "M2"]


async def test_a_lasting_fault_of_another_account_is_not_ours(sim: Simulator, online: Client) -> None:
    await sim.inject("error_463", "15550009999")
    await online.send(await online.text(Jid(ALICE), "hello", "M1"))
    assert (await online.expect("ack", id="M1")).text("error") == ""


async def test_delayed_acknowledgements_come_late(sim: Simulator, clock: Clock, online: Client) -> None:
    await sim.inject("delay_acks", count=1, delay=3)
    await online.send(await online.text(Jid(ALICE), "hello", "M1"))
    await online.settle()
    clock.advance(2.9)
    sim.tick()
    await online.settle()
    assert [node.tag for node in online.seen if node.tag == "ack"] == []
    clock.advance(0.2)
    sim.tick()
    await online.expect("ack", id="M1")


@pytest.mark.parametrize(
    ("kind", "code", "error"), [("error_463", None, "463"), ("error_acks", 429, "429"), ("error_acks", None, "463")]
)
async def test_an_acknowledgement_with_an_error_means_not_sent(
    sim: Simulator, online: Client, kind: str, code: int | None, error: str
) -> None:
    await sim.inject(kind, code=code, count=1)
    await online.send(await online.text(Jid(ALICE), "hello", "M1"))
    assert (await online.expect("ack", id="M1")).text("error") == error
    assert list(sim.journal.inbox) == []
    await online.send(await online.text(Jid(ALICE), "hello", "M1"))
    assert (await online.expect("ack", id="M1")).text("error") == ""


async def test_an_unknown_fault_is_named_with_those_there_are(sim: Simulator) -> None:
    with pytest.raises(ValueError, match="choose one of ban, cut, delay_acks"):
        await sim.inject("earthquake")
