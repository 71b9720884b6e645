# SPDX-License-Identifier: Apache-2.0
"""Every query of a client has one answer: what whatsmeow and Baileys ask, and what nobody would."""

import pytest

from tests.simulator.client import Client, key_node
from tests.simulator.conftest import ALICE, BOB
from wigwag.simulator import ACCOUNT_PHONE, Simulator
from wigwag.simulator.curve import KeyPair
from wigwag.simulator.wire import SERVER, Jid, Node, Value

GROUP = "120363000000000001"


def usync(query: list[Node], users: list[Node], mode: str = "query") -> Node:
    attrs: dict[str, Value] = {"sid": "1.2-3", "mode": mode, "last": "true", "index": "0", "context": "interactive"}
    return Node("usync", attrs, [Node("query", {}, query), Node("list", {}, users)])


def error_code(node: Node) -> str:
    return node.children[0].text("code") if node.text("type") == "error" else ""


@pytest.mark.parametrize(
    ("xmlns", "kind", "content"),
    [
        pytest.param("w:p", "get", [], id="whatsmeow's keep-alive"),
        pytest.param("w:p", "get", [Node("ping")], id="Baileys' keep-alive"),
        pytest.param("passive", "set", [Node("passive")], id="passive"),
        pytest.param("privacy", "get", [Node("privacy")], id="privacy settings"),
        pytest.param("blocklist", "get", [], id="blocked contacts"),
        pytest.param("w", "get", [Node("props", {"protocol": "2", "hash": ""})], id="properties"),
        pytest.param("abt", "get", [Node("props", {"protocol": "1"})], id="experiments"),
        pytest.param("urn:xmpp:whatsapp:dirty", "set", [Node("clean", {"type": "groups"})], id="clean"),
        pytest.param("status", "set", [Node("status", {}, b"busy")], id="about"),
    ],
)
async def test_what_clients_ask_when_they_come_up_gets_a_result(
    online: Client, xmlns: str, kind: str, content: list[Node]
) -> None:
    assert (await online.query(xmlns, kind, *content)).text("type") == "result"


@pytest.mark.parametrize(
    ("attrs", "content", "code"),
    [
        pytest.param({"xmlns": "w:dance", "type": "get"}, None, "501", id="an unknown namespace"),
        pytest.param({"xmlns": "encrypt", "type": "get"}, None, "501", id="an unknown question"),
        pytest.param({"xmlns": "w:p", "type": "ask"}, None, "400", id="an unknown type"),
        pytest.param({"xmlns": "encrypt", "type": "get"}, [Node("key", {}, [])], "400", id="keys of nobody"),
        pytest.param({"xmlns": "encrypt", "type": "get"}, [Node("key", {}, [Node("user")])], "400", id="no address"),
        pytest.param({"xmlns": "usync", "type": "get"}, [Node("usync", {"sid": "1"})], "400", id="an empty look-up"),
        pytest.param({"xmlns": "w:profile:picture", "type": "get"}, [Node("picture")], "404", id="no picture"),
        pytest.param(
            {"xmlns": "privacy", "type": "set"}, [Node("tokens", {}, [Node("token")])], "400", id="a bad token"
        ),
        pytest.param(
            {"xmlns": "w:sync:app:state", "type": "set"},
            [Node("sync", {}, [Node("collection", {"name": "dance"})])],
            "400",
            id="unknown settings",
        ),
    ],
)
async def test_a_question_without_an_answer_gets_an_error_and_a_line_in_the_log(
    sim: Simulator, online: Client, attrs: dict[str, Value], content: list[Node] | None, code: str
) -> None:
    await online.send(Node("iq", {"id": "q1", "to": SERVER, **attrs}, content))
    assert error_code(await online.expect("iq", id="q1")) == code
    assert (sim.journal.log[-1].event, sim.journal.log[-1].detail["id"]) == ("refused", "q1")


async def test_an_iq_without_id_cannot_be_answered_and_ends_the_stream(online: Client) -> None:
    await online.send(Node("iq", {"xmlns": "w:p", "type": "get", "to": SERVER}))
    assert (await online.expect("stream:error")).child("xml-not-well-formed")
    assert await online.ended() == []


async def test_an_unknown_stanza_is_an_invalid_stanza(online: Client) -> None:
    await online.send(Node("dance", {"id": "1"}))
    assert (await online.expect("error")).text("code") == "479"


async def test_telemetry_gets_no_answer(online: Client) -> None:
    await online.send(Node("ib", {}, [Node("unified_session", {"id": "123"})]))
    online.seen.clear()
    await online.settle()
    assert online.seen == []


async def test_a_number_is_looked_up_as_whatsmeow_asks(online: Client) -> None:
    query = [Node("contact", {"addressing_mode": "lid"}), Node("business", {}, [Node("verified_name")]), Node("lid")]
    users = [Node("user", {}, [Node("contact", {}, f"{phone}@c.us")]) for phone in (ALICE, "19998887777")]
    answer = await online.query("usync", "get", usync(query, users))
    found = answer.children[0].child("list")
    assert found
    alice, nobody = found.children
    assert (alice.jid("jid"), alice.jid("pn_jid")) == (Jid(f"9{ALICE}", "lid"), Jid(ALICE))
    assert [(child.tag, child.text("type")) for child in alice.children] == [("lid", ""), ("contact", "in")]
    assert nobody.children[0].text("type") == "out"


async def test_a_number_is_looked_up_as_baileys_asks(online: Client) -> None:
    users = [Node("user", {}, [Node("contact", {}, f"+{ALICE}".encode())])]
    answer = await online.query("usync", "get", usync([Node("contact")], users))
    found = answer.children[0].child("list")
    assert found
    assert found.children[0].jid("jid") == Jid(ALICE)


async def test_devices_status_and_lid_of_people_are_told(sim: Simulator, online: Client) -> None:
    query = [Node("devices", {"version": "2"}), Node("status"), Node("lid"), Node("picture")]
    users = [Node("user", {"jid": jid}) for jid in (Jid(ALICE), online.jid.bare, Jid(f"9{BOB}", "lid"))]
    answer = await online.query("usync", "get", usync(query, users, mode="full"))
    found = answer.children[0].child("list")
    assert found
    people = [{child.tag: child for child in user.children} for user in found.children]
    devices = [[device.text("id") for device in person["devices"].children[0].children] for person in people]
    assert devices == [["0"], ["0", "1"], ["0"]]
    assert people[0]["status"].data == b"Hey there!"
    assert [str(person["lid"].jid("val")) for person in people] == [f"9{p}@lid" for p in (ALICE, ACCOUNT_PHONE, BOB)]


async def test_a_look_up_without_address_or_number_is_refused(online: Client) -> None:
    assert error_code(await online.query("usync", "get", usync([Node("contact")], [Node("user")]))) == "400"


async def test_prekeys_are_counted_and_each_one_time_prekey_is_given_out_once(sim: Simulator, online: Client) -> None:
    count = await online.query("encrypt", "get", Node("count"))
    left = int(count.children[0].text("value"))
    bundles = [await online.fetch_bundle(online.jid) for _ in range(left + 1)]
    given = [bundle.one_time[0] for bundle in bundles if bundle.one_time]
    assert len(given) == len(set(given)) == left
    assert bundles[-1].one_time is None


async def test_a_number_that_has_become_another_leads_to_the_address_of_today(sim: Simulator, online: Client) -> None:
    sim.put_contact("5511987654321", aliases=["551187654321", "551187654322"])
    sim.put_contact("5511987654321", aliases=["551187654321"])
    users = [
        Node("user", {}, [Node("contact", {}, number)])
        for number in (b"+551187654321@c.us", b"+5511987654321", b"551187654322")
    ]
    answer = await online.query("usync", "get", usync([Node("contact")], users))
    found = answer.children[0].child("list")
    assert found
    assert [(user.jid("jid"), user.children[0].text("type"), user.children[0].data) for user in found.children] == [
        (Jid("5511987654321"), "in", b"+551187654321@c.us"),
        (Jid("5511987654321"), "in", b"+5511987654321"),
        (Jid("551187654322"), "out", b"551187654322"),
    ]


@pytest.mark.parametrize("alias", [ALICE, "551187654321"])
def test_a_number_of_somebody_else_is_no_alias(sim: Simulator, alias: str) -> None:
    sim.put_contact(BOB, aliases=["551187654321"])
    with pytest.raises(ValueError, match="cannot be an alias"):
        sim.put_contact("5511987654321", aliases=[alias])
    with pytest.raises(ValueError, match="is an alias"):
        sim.put_contact("551187654321")


async def test_a_device_is_warned_when_its_prekeys_run_out(online: Client) -> None:
    for _ in range(10):
        await online.fetch_bundle(online.jid)
    warnings = [node for node in online.seen if node.text("type") == "encrypt"]
    assert [node.children[0].text("value") for node in warnings] == ["4"]


async def test_a_contact_hands_out_a_fresh_one_time_prekey_each_time(online: Client) -> None:
    bundles = [await online.fetch_bundle(Jid(ALICE)) for _ in range(3)]
    assert len({bundle.one_time for bundle in bundles}) == 3
    assert len({bundle.identity for bundle in bundles}) == 1
    assert all(bundle.signed.is_signed_by(bundle.identity) for bundle in bundles)


@pytest.mark.parametrize("jid", [Jid("19998887777"), Jid(ALICE, device=4), Jid(ALICE, "example.org")])
async def test_keys_of_a_device_that_does_not_exist_are_not_found(online: Client, jid: Jid) -> None:
    answer = await online.query("encrypt", "get", Node("key", {}, [Node("user", {"jid": jid, "reason": "identity"})]))
    error = answer.children[0].children[0].child("error")
    assert error
    assert error.text("code") == "404"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"identity": bytes(32)}, "406"),
        ({"identity": bytes(31)}, "400"),
        ({"signature": bytes(64)}, "406"),
        ({"signature": bytes(63)}, "400"),
        ({"registration": b"\1"}, "400"),
        ({"type": b"\1"}, "406"),
    ],
)
async def test_prekeys_that_are_not_right_are_refused(online: Client, changes: dict[str, bytes], code: str) -> None:
    before = await online.query("encrypt", "get", Node("count"))
    assert error_code(await online.upload_prekeys(2, **changes)) == code
    assert await online.query("encrypt", "get", Node("count")) != before  # only the id differs
    after = await online.query("encrypt", "get", Node("count"))
    assert after.children == before.children


@pytest.mark.parametrize("honest", [True, False])
async def test_a_signed_prekey_may_be_rotated_by_its_owner(sim: Simulator, online: Client, honest: bool) -> None:
    fresh, signer = KeyPair.generate(), online.keys.identity if honest else KeyPair.generate()
    signature = Node("signature", {}, signer.sign(b"\x05" + fresh.public))
    rotate = Node("rotate", {}, [key_node("skey", 2, fresh.public, signature)])
    answer = await online.query("encrypt", "set", rotate)
    assert error_code(answer) == ("" if honest else "406")
    bundle = await online.fetch_bundle(online.jid)
    assert (bundle.signed.public == fresh.public) == honest


@pytest.mark.parametrize("by_lid", [True, False])
async def test_the_groups_of_an_account_are_listed_with_their_participants(
    sim: Simulator, online: Client, by_lid: bool
) -> None:
    await sim.put_group(GROUP, subject="Team", participants=[ACCOUNT_PHONE, ALICE, BOB], admins=[ALICE], by_lid=by_lid)
    await sim.put_group("120363000000000002", subject="Not ours", participants=[ALICE, BOB])
    content = Node("participating", {}, [Node("participants"), Node("description")])
    answer = await online.query("w:g2", "get", content, to=Jid("", "g.us"))
    groups = answer.children[0].children
    assert [group.text("subject") for group in groups] == ["Team"]
    mode, other = ("lid", "phone_number") if by_lid else ("pn", "lid")
    assert groups[0].text("addressing_mode") == mode
    people = {str(person.jid("jid")): (str(person.jid(other)), person.text("type")) for person in groups[0].children}
    jid, alternative = f"{ALICE}@s.whatsapp.net", f"9{ALICE}@lid"
    assert people[alternative if by_lid else jid] == (jid if by_lid else alternative, "admin")
    assert len(people) == 3


async def test_one_group_is_told_to_its_members_alone(sim: Simulator, online: Client) -> None:
    ours = await sim.put_group(GROUP, subject="Team", participants=[ACCOUNT_PHONE, ALICE])
    theirs = await sim.put_group("120363000000000002", subject="Not ours", participants=[ALICE])
    query = Node("query", {"request": "interactive"})
    answer = await online.query("w:g2", "get", query, to=ours.jid)
    assert answer.children[0].text("subject") == "Team"
    assert error_code(await online.query("w:g2", "get", query, to=theirs.jid)) == "403"
    assert error_code(await online.query("w:g2", "get", query, to=Jid("1", "g.us"))) == "404"


async def test_members_hear_who_joined_who_left_and_what_the_group_is_called(sim: Simulator, online: Client) -> None:
    await sim.put_group(GROUP, subject="Team", participants=[ACCOUNT_PHONE, ALICE])
    await sim.put_group(GROUP, subject="Team 2", participants=[ACCOUNT_PHONE, BOB])
    news = [await online.expect("notification", type="w:gp2") for _ in range(4)]
    assert [node.children[0].tag for node in news] == ["add", "subject", "add", "remove"]
    assert news[1].children[0].text("subject") == "Team 2"
    assert [person.jid("jid") for person in news[2].children[0].children] == [Jid(BOB)]
    assert [person.jid("jid") for person in news[3].children[0].children] == [Jid(ALICE)]
    assert all(node.jid("from") == Jid(GROUP, "g.us") for node in news)
    await sim.put_group(GROUP, subject="Team 2", participants=[BOB])
    assert (await online.expect("notification")).children[0].tag == "remove"


async def test_a_privacy_token_is_taken_and_noted(sim: Simulator, online: Client) -> None:
    token = Node("token", {"jid": Jid(ALICE), "t": "1790000000", "type": "trusted_contact"})
    assert (await online.query("privacy", "set", Node("tokens", {}, [token]))).text("type") == "result"
    assert sim.journal.log[-1].event == "privacy_token"


async def test_settings_patches_are_handed_on_and_conflicts_refused(sim: Simulator, online: Client) -> None:
    def sync(version: str, patch: bytes) -> Node:
        return Node(
            "sync", {}, [Node("collection", {"name": "regular", "version": version}, [Node("patch", {}, patch)])]
        )

    first = await online.query("w:sync:app:state", "set", sync("0", b""))
    assert first.children[0].children[0].text("version") == "1"
    again = await online.query("w:sync:app:state", "set", sync("0", b""))
    assert again.children[0].children[0].text("type") == "error"
    broken = await online.query("w:sync:app:state", "set", sync("1", b"\xff"))
    assert broken.children[0].children[0].text("type") == "error"
