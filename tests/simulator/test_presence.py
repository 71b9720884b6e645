# SPDX-License-Identifier: Apache-2.0
"""Presence and typing, stanza by stanza: who hears of whom, from which address, and when not."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tests.simulator.client import Client
from tests.simulator.conftest import ALICE, BOB, Clock, logged
from wigwag.simulator import ACCOUNT_PHONE, Limits, Simulator
from wigwag.simulator.wire import SERVER, Jid, Node

SEEN = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)


def subscribe(jid: Jid) -> Node:
    """As whatsmeow sends it; it carries no id."""
    return Node("presence", {"type": "subscribe", "to": jid})


async def heard(client: Client) -> list[tuple[str, str, str]]:
    """What presences came until now: from, type, last."""
    client.seen.clear()
    await client.settle()
    nodes = [node for node in client.seen if node.tag == "presence"]
    return [(node.text("from"), node.text("type"), node.text("last")) for node in nodes]


@pytest.mark.parametrize(
    ("online", "visible", "by_lid", "expected"),
    [
        pytest.param(True, True, False, (f"{ALICE}@s.whatsapp.net", "", ""), id="online"),
        pytest.param(
            False, True, False, (f"{ALICE}@s.whatsapp.net", "unavailable", str(int(SEEN.timestamp()))), id="offline"
        ),
        pytest.param(False, False, False, (f"{ALICE}@s.whatsapp.net", "unavailable", "deny"), id="last seen hidden"),
        pytest.param(True, False, True, (f"9{ALICE}@lid", "", ""), id="from a LID"),
    ],
)
async def test_a_subscription_is_answered_with_the_present_state(
    sim: Simulator, online: bool, visible: bool, by_lid: bool, expected: tuple[str, str, str], client: Client
) -> None:
    await client.come_online()
    sim.put_contact(ALICE, last_seen_visible=visible, addressed_by_lid=by_lid)
    await sim.set_presence(ALICE, online=online, last_seen=SEEN)
    await client.send(subscribe(Jid(ALICE)))
    assert await heard(client) == [expected]


async def test_nobody_has_seen_a_contact_that_was_never_online(online: Client) -> None:
    await online.send(subscribe(Jid(ALICE)))
    assert await heard(online) == [(f"{ALICE}@s.whatsapp.net", "unavailable", "")]


async def test_each_change_is_told_in_order_and_going_away_leaves_the_time(
    sim: Simulator, clock: Clock, online: Client
) -> None:
    await online.send(subscribe(Jid(ALICE)))
    await heard(online)
    for state in (True, False, True):
        clock.advance(60)
        await sim.set_presence(ALICE, online=state)
    address, left = f"{ALICE}@s.whatsapp.net", str(int(clock() - 60))
    assert await heard(online) == [(address, "", ""), (address, "unavailable", left), (address, "", "")]


async def test_a_subscription_to_a_lid_is_heard_from_the_lid(sim: Simulator, online: Client) -> None:
    await online.send(subscribe(Jid(f"9{ALICE}", "lid")))
    assert [event[0] for event in await heard(online)] == [f"9{ALICE}@lid"]


async def test_a_subscribe_with_a_privacy_token_and_an_id_is_as_good(online: Client) -> None:
    attrs: dict[str, str | Jid] = {"type": "subscribe", "to": Jid(ALICE), "id": "22516.77-7"}
    await online.send(Node("presence", attrs, [Node("tctoken", {}, b"\1\2\3")]))
    assert len(await heard(online)) == 1


async def test_only_an_available_client_hears_of_others(sim: Simulator, client: Client) -> None:
    await client.pair()
    await client.login()
    await client.send(subscribe(Jid(ALICE)))
    await sim.set_presence(ALICE, online=True)
    assert await heard(client) == []
    await client.send(Node("presence", {"type": "available", "name": "Tester"}))
    await client.settle()
    await sim.set_presence(ALICE, online=False)
    assert len(await heard(client)) == 1
    await client.send(Node("presence", {"type": "unavailable", "name": "Tester"}))
    await client.settle()
    await sim.set_presence(ALICE, online=True)
    assert await heard(client) == []


async def test_who_unsubscribes_hears_no_more(sim: Simulator, online: Client) -> None:
    await online.send(subscribe(Jid(ALICE)))
    await online.send(Node("presence", {"type": "unsubscribe", "to": Jid(ALICE)}))
    await heard(online)
    await sim.set_presence(ALICE, online=True)
    assert await heard(online) == []


async def test_subscriptions_die_with_the_connection(sim: Simulator, online: Client) -> None:
    await online.send(subscribe(Jid(ALICE)))
    await online.settle()
    (stream,) = sim.exchange.streams.values()
    await sim.cut()
    await logged(sim, "disconnected")
    assert stream.subscriptions == {}
    await online.open(online.login_payload())
    await online.activate()
    await online.send(Node("presence", {"type": "available", "name": "Tester"}))
    await online.settle()
    await sim.set_presence(ALICE, online=True)
    assert await heard(online) == []


async def test_a_stranger_is_never_heard_of(sim: Simulator, online: Client) -> None:
    await online.send(subscribe(Jid("19998887777")))
    assert await heard(online) == []
    assert sim.journal.subscriptions[-1].reason == "nobody has this address"


@pytest.mark.parametrize(
    "stanza",
    [
        pytest.param(Node("presence", {"type": "subscribe"}), id="nobody named"),
        pytest.param(subscribe(Jid("120363000000000001", "g.us")), id="a group"),
        pytest.param(subscribe(Jid(ALICE, "example.org")), id="another server"),
        pytest.param(subscribe(SERVER), id="the server itself"),
        pytest.param(Node("presence", {"type": "dance", "to": Jid(ALICE)}), id="an unknown type"),
    ],
)
async def test_what_no_client_would_send_is_an_invalid_stanza(sim: Simulator, online: Client, stanza: Node) -> None:
    await online.send(stanza)
    assert (await online.expect("error")).text("code") == "479"
    assert sim.journal.log[-1].event == "refused"
    assert (await online.query("w:p", "get")).text("type") == "result"


async def test_the_log_of_subscribe_stanzas_has_times_and_order(sim: Simulator, clock: Clock, online: Client) -> None:
    for jid in (Jid(ALICE), Jid(BOB)):
        await online.send(subscribe(jid))
        await online.settle()
        clock.advance(1.5)
    await online.send(Node("presence", {"type": "unsubscribe", "to": Jid(BOB)}))
    await online.settle()
    lines = list(sim.journal.subscriptions)
    assert [(line.action, line.phone) for line in lines] == [
        ("subscribe", ALICE),
        ("subscribe", BOB),
        ("unsubscribe", BOB),
    ]
    assert (lines[1].at - lines[0].at).total_seconds() == 1.5
    assert [line.account for line in lines] == [ACCOUNT_PHONE] * 3
    assert sorted(line.seq for line in lines) == [line.seq for line in lines]


async def test_over_the_limit_per_minute_a_subscribe_is_dropped_without_a_word(
    sim: Simulator, clock: Clock, online: Client
) -> None:
    sim.set_limits(Limits(subscriptions_per_minute=2))
    for _ in range(3):
        await online.send(subscribe(Jid(ALICE)))
    assert len(await heard(online)) == 2
    assert sim.journal.subscriptions[-1].reason == "over 2 subscriptions per minute"
    clock.advance(60)
    await online.send(subscribe(Jid(ALICE)))
    assert len(await heard(online)) == 1


async def test_over_the_limit_alive_only_a_contact_that_is_subscribed_may_be_again(
    sim: Simulator, online: Client
) -> None:
    sim.set_limits(Limits(subscriptions_alive=1))
    for jid in (Jid(ALICE), Jid(BOB), Jid(ALICE)):
        await online.send(subscribe(jid))
    await online.settle()
    assert [line.action for line in sim.journal.subscriptions] == ["subscribe", "refused", "subscribe"]
    await online.send(Node("presence", {"type": "unsubscribe", "to": Jid(ALICE)}))
    await online.send(subscribe(Jid(BOB)))
    await online.settle()
    assert sim.journal.subscriptions[-1].action == "subscribe"


async def test_the_answer_to_too_much_may_be_an_error(sim: Simulator, online: Client) -> None:
    sim.set_limits(Limits(subscriptions_per_minute=0, on_excess="error"))
    await online.send(subscribe(Jid(ALICE)))
    answer = await online.expect("presence", type="error")
    assert answer.children[0].text("code") == "429"


async def test_the_answer_to_too_much_may_be_the_end_of_the_stream(sim: Simulator, online: Client) -> None:
    sim.set_limits(Limits(subscriptions_per_minute=0, on_excess="stream_error"))
    await online.send(subscribe(Jid(ALICE)))
    await online.expect("stream:error", code="429")
    assert await online.ended() == []


@pytest.mark.parametrize(("state", "media"), [("composing", None), ("composing", "audio"), ("paused", None)])
async def test_typing_is_told_to_those_who_watch(sim: Simulator, online: Client, state: str, media: str | None) -> None:
    await online.send(subscribe(Jid(BOB)))
    await online.settle()
    await sim.type(BOB, state, media)
    node = await online.expect("chatstate")
    assert (node.text("from"), node.children[0].tag, node.children[0].text("media")) == (
        f"9{BOB}@lid",
        state,
        media or "",
    )


@pytest.mark.parametrize(
    "content", [[], [Node("composing"), Node("paused")], [Node("dancing")]], ids=["nothing", "two states", "unknown"]
)
async def test_a_chatstate_says_exactly_one_known_state(online: Client, content: list[Node]) -> None:
    await online.send(Node("chatstate", {"to": Jid(ALICE)}, content))
    assert (await online.expect("error")).text("code") == "479"


async def test_accounts_see_each_other_come_type_and_go(online: Client, make_client: Callable[[], Client]) -> None:
    other = make_client()
    await other.pair("15550009999")
    await other.login()
    await online.send(subscribe(Jid("15550009999")))
    await online.settle()
    await other.send(Node("presence", {"type": "available", "name": "Other"}))
    assert (await online.expect("presence", type="")).jid("from") == Jid("15550009999")
    await other.send(Node("chatstate", {"to": online.jid.bare}, [Node("composing")]))
    assert (await online.expect("chatstate")).jid("from") == Jid("15550009999")
    await other.close()
    assert (await online.expect("presence", type="unavailable")).text("last")
