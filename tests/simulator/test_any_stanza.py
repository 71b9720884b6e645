# SPDX-License-Identifier: Apache-2.0
"""Whatever stanza a client makes up from the words of the protocol, the server answers or refuses it, and lives on."""

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wigwag.simulator import stanzas
from wigwag.simulator.connection import Connection
from wigwag.simulator.curve import KeyPair
from wigwag.simulator.exchange import Exchange, Stream
from wigwag.simulator.journal import Journal
from wigwag.simulator.signal import KeyStore
from wigwag.simulator.stanzas.iq import ANSWERS
from wigwag.simulator.wire import Jid, Node
from wigwag.simulator.world import Device, Group

ALICE = "17770000001"
NAMESPACES = sorted({namespace for namespace, _, _ in ANSWERS})
TAGS = sorted({tag for _, _, tag in ANSWERS if tag} | {"user", "contact", "list", "query", "devices", "item", "retry"})
TAGS += [
    "reject",
    "enc",
    "participants",
    "to",
    "skey",
    "keys",
    "identity",
    "type",
    "device-identity",
    "patch",
    "composing",
]
WORDS = ["", "get", "set", "result", "subscribe", "unsubscribe", "retry", "read", "pkmsg", "msg", "skmsg", "text", "x"]
WORDS += ["0", "1", "critical_block", "lid", "trusted_contact", f"{ALICE}@s.whatsapp.net", "1:2@lid", "@", "١"]  # noqa: RUF001
JIDS = [
    Jid(ALICE),
    Jid(ALICE, device=1),
    Jid(f"9{ALICE}", "lid"),
    Jid("1", "g.us"),
    Jid(""),
    Jid("15550001111", device=1),
]

values = st.sampled_from([*WORDS, *JIDS, *NAMESPACES])
NAMES = ["id", "to", "jid", "type", "xmlns", "class", "name", "version", "count", "sid", "value", "t"]
names = st.sampled_from([*NAMES, "participant", "addressing_mode", "call-id"])
attributes = st.dictionaries(names, values, max_size=6)
content = st.one_of(st.none(), st.binary(max_size=40), st.sampled_from(WORDS))
parts = st.recursive(
    st.builds(Node, st.sampled_from(TAGS), attributes, content),
    lambda inner: st.builds(Node, st.sampled_from(TAGS), attributes, st.lists(inner, min_size=1, max_size=3)),
    max_leaves=6,
)
queries = st.builds(
    lambda query, attrs, more, rest: Node(
        "iq",
        {**attrs, "xmlns": query[0], "type": query[1]},
        [Node(query[2], more, rest), *rest] if query[2] else rest or None,
    ),
    st.sampled_from(sorted(ANSWERS)),
    attributes,
    attributes,
    st.lists(parts, max_size=3),
)
anything = st.builds(
    Node, st.sampled_from([*stanzas.HANDLERS, "dance"]), attributes, st.one_of(st.none(), st.lists(parts, max_size=3))
)


class Nowhere(Connection):
    """A connection that keeps what is posted."""

    def __init__(self) -> None:
        self.posted: list[Node] = []

    def post(self, node: Node) -> None:
        self.posted.append(node)

    def close(self) -> None:
        """Nothing to close."""


def stream() -> Stream:
    exchange = Exchange(lambda: 1_790_000_000.0, random.Random(0), Journal(lambda: 1_790_000_000.0))
    alice = exchange.world.put(ALICE)
    person, keys = exchange.world.put("15550001111"), KeyStore()
    device = Device(
        person=person,
        number=1,
        noise_key=KeyPair.generate().public,
        identity=keys.identity.public,
        registration=1,
        signed=keys.signed_prekey(),
        proof=b"",
    )
    person.devices[1] = device
    exchange.world.groups["1"] = Group(id="1", subject="Team", created=1, participants=[person, alice], admins=[])
    exchange.streams[device] = Stream(Nowhere(), device, exchange, ready=True, available=True)
    return exchange.streams[device]


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.one_of(anything, queries))
def test_any_stanza_is_answered_or_refused(stanza: Node) -> None:
    client = stream()
    nowhere, log = client.connection, client.exchange.journal.log
    assert isinstance(nowhere, Nowhere)
    stanzas.handle(client.exchange, client, stanza)
    client.exchange.bring()
    answers = [node for node in nowhere.posted if node.tag in ("iq", "stream:error")]
    if stanza.tag == "iq" and stanza.text("type") in ("get", "set"):
        assert len([node for node in answers if node.tag == "iq"]) == bool(stanza.text("id"))
    if any(node.tag == "error" or node.text("error") for node in nowhere.posted):
        assert "refused" in [entry.event for entry in log]
