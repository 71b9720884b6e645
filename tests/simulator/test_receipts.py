# SPDX-License-Identifier: Apache-2.0
"""Contacts send receipts as they are told: in any order, late, more than once, and to a client that was away."""

import pytest

from tests.simulator.client import Client
from tests.simulator.conftest import ALICE, BOB, Clock
from wigwag.simulator import Content, ReceiptPolicy, Simulator
from wigwag.simulator.content import compose
from wigwag.simulator.wire import Jid, Node


def kinds(nodes: list[Node]) -> list[str]:
    return [node.text("type") or "delivery" for node in nodes if node.tag == "receipt"]


async def sent(client: Client, content: Content, to: str = ALICE, message_id: str = "M1") -> list[str]:
    """The receipts that come at once."""
    client.seen.clear()
    await client.send(await client.message(Jid(to), compose(content), message_id))
    await client.settle()
    return kinds(client.seen)


TEXT, VOICE = Content(kind="text", text="hello"), Content(kind="voice")


@pytest.mark.parametrize(
    ("policy", "content", "receipts"),
    [
        (ReceiptPolicy(), VOICE, ["delivery", "read"]),
        (ReceiptPolicy(played=True), VOICE, ["delivery", "read", "played"]),
        (ReceiptPolicy(played=True), TEXT, ["delivery", "read"]),
        (ReceiptPolicy(order="reversed"), TEXT, ["read", "delivery"]),
        (ReceiptPolicy(copies=2), TEXT, ["delivery", "delivery", "read", "read"]),
        (ReceiptPolicy(delivery=False), TEXT, ["read"]),
        (ReceiptPolicy(delivery=False, read=False), TEXT, []),
        (ReceiptPolicy(hold=True), TEXT, []),
        (ReceiptPolicy(delay=1), TEXT, []),
    ],
)
async def test_a_policy_says_which_receipts_come_and_in_which_order(
    sim: Simulator, online: Client, policy: ReceiptPolicy, content: Content, receipts: list[str]
) -> None:
    sim.set_receipts(policy)
    assert await sent(online, content) == receipts


async def test_a_contact_can_have_a_policy_of_its_own(sim: Simulator, online: Client) -> None:
    sim.set_receipts(ReceiptPolicy(read=False), ALICE)
    assert await sent(online, TEXT) == ["delivery"]
    assert await sent(online, TEXT, BOB, "M2") == ["delivery", "read"]
    sim.unset_receipts(ALICE)
    assert await sent(online, TEXT, ALICE, "M3") == ["delivery", "read"]


async def test_late_receipts_come_when_it_is_time(sim: Simulator, online: Client, clock: Clock) -> None:
    sim.set_receipts(ReceiptPolicy(delay=10), ALICE)
    sim.set_receipts(ReceiptPolicy(delay=5), BOB)
    await sent(online, TEXT)
    await sent(online, TEXT, BOB, "M2")
    came = []
    for seconds in (4.9, 0.2, 4.8, 0.2):
        clock.advance(seconds)
        sim.tick()
        online.seen.clear()
        await online.settle()
        came.append([node.text("id") for node in online.seen if node.tag == "receipt"])
    assert came == [[], ["M2", "M2"], [], ["M1", "M1"]]


async def test_held_receipts_come_when_they_are_released_by_contact_or_all(sim: Simulator, online: Client) -> None:
    sim.set_receipts(ReceiptPolicy(hold=True))
    for number, phone in enumerate((ALICE, BOB, ALICE)):
        await sent(online, TEXT, phone, f"M{number}")
    assert await sim.release_receipts(BOB) == 2
    assert [(await online.expect("receipt")).text("id") for _ in range(2)] == ["M1", "M1"]
    assert await sim.release_receipts(account="15550009999") == 0
    assert await sim.release_receipts() == 4
    assert [(await online.expect("receipt")).text("id") for _ in range(4)] == ["M0", "M0", "M2", "M2"]
    assert await sim.release_receipts() == 0


async def test_receipts_for_a_client_that_is_away_wait_until_it_acknowledges_them(
    sim: Simulator, online: Client
) -> None:
    """So it is after a kill: the next process hears of a message that it does not know."""
    sim.set_receipts(ReceiptPolicy(hold=True, order="reversed"))
    await sent(online, TEXT)
    await online.close()
    await sim.release_receipts()
    for _ in range(2):
        await online.open(online.login_payload())
        waiting = [node for node in await online.activate() if node.tag == "receipt"]
        assert kinds(waiting) == ["read", "delivery"]
        assert [node.text("offline") != "" for node in waiting] == [True, True]
    for node in waiting:
        await online.acknowledge(node)
    await online.settle()
    await online.open(online.login_payload())
    assert kinds(await online.activate()) == []


async def test_receipts_are_counted(sim: Simulator, online: Client) -> None:
    await sent(online, TEXT)
    sim.set_receipts(ReceiptPolicy(hold=True))
    await sent(online, TEXT, ALICE, "M2")
    assert sim.journal.counts.receipts_sent == {"delivery": 1, "read": 1}
    assert len(sim.exchange.answering.held) == 2
