# SPDX-License-Identifier: Apache-2.0
"""A WhatsApp Web client for the tests: the initiator's side of the protocol, one stanza at a time.

It is written from the protocol and shares only codecs and Signal with the simulator, which the tests with whatsmeow
and Baileys check independently. It does nothing by itself: a test says each stanza and reads each answer.
"""

import asyncio
import base64
import os
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from wigwag.simulator import Linked, Simulator, e2e, linking, schema, wire
from wigwag.simulator.curve import DJB, KeyPair, hkdf, mac, verify
from wigwag.simulator.noise import Cipher, SymmetricState, header
from wigwag.simulator.senderkeys import GroupKeys
from wigwag.simulator.signal import Bundle, KeyStore, SignedPrekey
from wigwag.simulator.tokens import DICTIONARIES
from wigwag.simulator.wire import SERVER, Jid, Node, Value

PATIENCE = 10.0


class Ended(Exception):
    """The server has closed the connection."""


class Client:
    """`noise` and `keys` outlive a connection; `jid` and `lid` are known once it is paired."""

    outgoing: Cipher
    incoming: Cipher
    preview: Node

    def __init__(self, simulator: Simulator, *, dictionary: int = 3) -> None:
        self.simulator = simulator
        self.noise, self.keys, self.secret = KeyPair.generate(), KeyStore(), os.urandom(32)
        self.group_keys = GroupKeys()
        self.jid, self.lid, self.proof = Jid(""), Jid("", "lid"), b""
        self.dictionary = dictionary
        self.seen: list[Node] = []
        self.socket: ClientConnection | None = None
        self._buffer = b""
        self._ids = 0

    # -- the connection

    async def open(self, payload: dict[str, Any], *, root: bytes | None = None) -> None:
        """Shake hands; checks the server's certificate chain."""
        await self.close()
        self._buffer, self.seen = b"", []
        self.socket = await connect(self.simulator.websocket_url, compression=None, max_size=None)
        prologue, ephemeral = header(self.dictionary), KeyPair.generate()
        state = SymmetricState(prologue)
        state.mix_hash(ephemeral.public)
        hello = schema.HANDSHAKE.encode({"client_hello": {"ephemeral": ephemeral.public}})
        await self.socket.send(prologue + framed(hello))
        answer = schema.HANDSHAKE.decode(await self._frame())["server_hello"]
        state.mix_hash(answer["ephemeral"])
        state.mix_key(ephemeral.agree(answer["ephemeral"]))
        static = state.open(answer["static"])
        state.mix_key(ephemeral.agree(static))
        check_certificate(state.open(answer["payload"]), root or self.simulator.root_key, static)
        sealed_key = state.seal(self.noise.public)
        state.mix_key(self.noise.agree(answer["ephemeral"]))
        finish = {"static": sealed_key, "payload": state.seal(schema.CLIENT_PAYLOAD.encode(payload))}
        await self.socket.send(framed(schema.HANDSHAKE.encode({"client_finish": finish})))
        self.outgoing, self.incoming = state.split()

    async def close(self) -> None:
        if self.socket:
            await self.socket.close()

    async def send(self, node: Node) -> None:
        await self.send_raw(self.outgoing.seal(wire.encode(node, DICTIONARIES[self.dictionary])))

    async def send_raw(self, frame: bytes) -> None:
        assert self.socket
        await self.socket.send(framed(frame))

    async def receive(self) -> Node:
        """The next node. Raises Ended when there is none."""
        async with asyncio.timeout(PATIENCE):
            frame = await self._frame()
        return wire.decode(self.incoming.open(frame), DICTIONARIES[self.dictionary])

    async def expect(self, tag: str, **attrs: str) -> Node:
        """The next node with that tag and those attributes; what came before it is kept in `seen`."""
        while True:
            node = await self.receive()
            if node.tag == tag and all(node.text(key.rstrip("_")) == value for key, value in attrs.items()):
                return node
            self.seen.append(node)

    async def ended(self) -> list[Node]:
        """What still comes until the server closes."""
        nodes = []
        while True:
            try:
                nodes.append(await self.receive())
            except Ended:
                return nodes

    async def _frame(self) -> bytes:
        size = int.from_bytes(await self._take(3), "big")
        return await self._take(size)

    async def _take(self, size: int) -> bytes:
        assert self.socket
        while len(self._buffer) < size:
            try:
                self._buffer += await self.socket.recv(decode=False)
            except ConnectionClosed as error:
                raise Ended from error
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    # -- linking and login

    def pairing_payload(self, **changes: bytes) -> dict[str, Any]:
        signed = self.keys.signed_prekey()
        data = {
            "registration": self.keys.registration.to_bytes(4, "big"),
            "key_type": DJB,
            "identity": self.keys.identity.public,
            "skey_id": signed.id.to_bytes(3, "big"),
            "skey_value": signed.public,
            "skey_signature": signed.signature,
        }
        return {"pairing": {**data, **changes}}

    async def offer(self) -> list[str]:
        """Connect unlinked. Returns the texts of the QR codes, one for each ref."""
        await self.open(self.pairing_payload())
        request = await self.expect("iq", type="set")
        await self.send(Node("iq", {"to": SERVER, "type": "result", "id": request.text("id")}))
        refs = request.children[0].children
        keys = [base64.b64encode(key).decode() for key in (self.noise.public, self.keys.identity.public, self.secret)]
        return [f"https://wa.me/settings/linked_devices#{','.join([ref.data.decode(), *keys])},1" for ref in refs]

    async def pair(self, phone: str | None = None) -> Linked:
        """By QR code, until the server says to log in."""
        codes = await self.offer()
        scan = asyncio.create_task(self.simulator.scan(codes[0], phone), name="scan")
        await self.confirm()
        return await scan

    async def confirm(self, signer: KeyPair | None = None) -> None:
        """Check what the phone sends and sign it; `signer` is for signing with a wrong key."""
        success = await self.expect("iq", type="set")
        answer = self.take_proof(success.children[0], signer or self.keys.identity)
        await self.send(Node("iq", {"to": SERVER, "type": "result", "id": success.text("id")}, [answer]))
        await self.expect("stream:error", code="515")

    def take_proof(self, success: Node, signer: KeyPair) -> Node:
        device, sealed = success.child("device"), success.child("device-identity")
        assert success.tag == "pair-success"
        assert device
        assert sealed
        box = schema.DEVICE_IDENTITY_HMAC.decode(sealed.data)
        assert box["hmac"] == mac(self.secret, box["details"])
        fields = schema.SIGNED_DEVICE_IDENTITY.decode(box["details"])
        account, details = fields["account_key"], fields["details"]
        assert verify(account, b"\x06\x00" + details + self.keys.identity.public, fields["account_signature"])
        fields["device_signature"] = signer.sign(b"\x06\x01" + details + self.keys.identity.public + account)
        jid, lid = device.jid("jid"), device.jid("lid")
        assert jid
        assert lid
        self.jid, self.lid, self.proof = jid, lid, schema.SIGNED_DEVICE_IDENTITY.encode(fields)
        index = str(schema.DEVICE_IDENTITY.decode(details)["key_index"])
        own = {name: value for name, value in fields.items() if name != "account_key"}
        identity = Node("device-identity", {"key-index": index}, schema.SIGNED_DEVICE_IDENTITY.encode(own))
        return Node("pair-device-sign", {}, [identity])

    def login_payload(self, **changes: int) -> dict[str, Any]:
        return {"username": int(self.jid.user), "device": self.jid.device, "passive": 1, "pull": 1, **changes}

    async def login(self) -> Node:
        """Log in as a client does after it has read its queue: prekeys, then active. Returns the success."""
        await self.open(self.login_payload())
        success = await self.expect("success")
        await self.upload_prekeys(10)
        await self.activate()
        return success

    async def activate(self) -> list[Node]:
        """Returns what had waited for this client."""
        await self.query("passive", "set", Node("active"))
        self.preview = (await self.expect("ib")).children[0]
        before = len(self.seen)
        await self.expect("ib")
        return self.seen[before:]

    async def come_online(self) -> None:
        """Pair, log in and show oneself available: the state in which most tests begin."""
        await self.pair()
        await self.login()
        await self.send(Node("presence", {"type": "available", "name": "Tester"}))
        await self.settle()

    # -- stanzas

    def next_id(self) -> str:
        self._ids += 1
        return f"{self._ids}.TEST"

    async def query(self, xmlns: str, kind: str, *content: Node, to: Jid = SERVER) -> Node:
        """Send an iq and return its answer, result or error."""
        query_id = self.next_id()
        head: dict[str, Value] = {"id": query_id, "xmlns": xmlns, "type": kind, "to": to}
        await self.send(Node("iq", head, list(content) or None))
        return await self.expect("iq", id=query_id)

    async def settle(self) -> None:
        """The server answers in order: once a ping is answered, everything before it is done."""
        await self.query("w:p", "get")

    async def upload_prekeys(self, count: int, **changes: bytes) -> Node:
        bundles = [self.keys.bundle() for _ in range(count)]
        signed = bundles[0].signed
        parts = {
            "registration": self.keys.registration.to_bytes(4, "big"),
            "type": DJB,
            "identity": self.keys.identity.public,
            "signature": signed.signature,
            **changes,
        }
        one_time = [key_node("key", *bundle.one_time) for bundle in bundles if bundle.one_time]
        skey = key_node("skey", signed.id, signed.public, Node("signature", {}, parts["signature"]))
        plain = [Node(tag, {}, parts[tag]) for tag in ("registration", "type", "identity")]
        return await self.query("encrypt", "set", *plain, Node("list", {}, one_time), skey)

    async def fetch_bundle(self, jid: Jid) -> Bundle:
        answer = await self.query("encrypt", "get", Node("key", {}, [Node("user", {"jid": jid})]))
        user = answer.children[0].children[0]
        parts = {child.tag: child for child in user.children}
        signed = {child.tag: child.data for child in parts["skey"].children}
        key = {child.tag: child.data for child in parts["key"].children} if "key" in parts else None
        return Bundle(
            registration=int.from_bytes(parts["registration"].data, "big"),
            identity=parts["identity"].data,
            signed=SignedPrekey(
                id=int.from_bytes(signed["id"], "big"), public=signed["value"], signature=signed["signature"]
            ),
            one_time=(int.from_bytes(key["id"], "big"), key["value"]) if key else None,
        )

    async def text(self, to: Jid, text: str, message_id: str | None = None) -> Node:
        """The stanza of a text message to one phone."""
        return await self.message(to, e2e.CONTENT.encode({"conversation": text}), message_id)

    async def message(self, to: Jid, content: bytes, message_id: str | None = None) -> Node:
        copy = await self.copy(to, content)
        head: dict[str, Value] = {"id": message_id or self.next_id(), "type": "text", "to": to}
        return Node("message", head, [Node("participants", {}, [copy]), *self.proof_of(copy)])

    async def group_text(self, group: Jid, members: list[Jid], text: str, message_id: str | None = None) -> Node:
        """The stanza of a text message to a group; its key goes to these members and the own phone."""
        if members:
            members = [*members, self.lid.bare if members[0].server == "lid" else self.jid.bare]
        key = self.group_keys.ours(str(group))
        told = {"sender_key": {"group": str(group), "distribution": key.distribution()}}
        copies = [await self.copy(member, e2e.CONTENT.encode(told)) for member in members]
        shared = Node("enc", {"v": "2", "type": "skmsg"}, key.encrypt(e2e.CONTENT.encode({"conversation": text})))
        head: dict[str, Value] = {"id": message_id or self.next_id(), "type": "text", "to": group}
        return Node("message", head, [Node("participants", {}, copies), *self.proof_of(*copies), shared])

    async def copy(self, to: Jid, content: bytes) -> Node:
        """Encrypted for one device; opens a conversation first when there is none."""
        if not self.keys.knows(to):
            self.keys.open(to, await self.fetch_bundle(to))
        kind, message = self.keys.encrypt(to, content)
        return Node("to", {"jid": to}, [Node("enc", {"v": "2", "type": kind}, message)])

    def proof_of(self, *copies: Node) -> list[Node]:
        first = any(copy.children[0].text("type") == "pkmsg" for copy in copies)
        return [Node("device-identity", {}, self.proof)] if first else []

    def read(self, node: Node) -> dict[str, Any]:
        """The content of a message that came; in a group, whoever's key comes with it is learnt."""
        group, sender = node.text("from"), node.jid("participant") or node.jid("from")
        assert sender
        content: dict[str, Any] = {}
        for enc in (child for child in node.children if child.tag == "enc"):
            if enc.text("type") == "skmsg":
                plain = self.group_keys.decrypt(group, sender, enc.data)
            else:
                plain = self.keys.decrypt(sender, enc.text("type"), enc.data)
            content = e2e.CONTENT.decode(plain)
            if told := content.get("sender_key"):
                assert told["group"] == group
                self.group_keys.learn(group, sender, told["distribution"])
        return content

    async def acknowledge(self, node: Node) -> None:
        attrs = {"class": node.tag, "id": node.text("id"), "to": node.attrs["from"]}
        kind = {"type": node.text("type")} if node.tag != "message" and node.text("type") else {}
        participant = {"participant": node.attrs["participant"]} if "participant" in node.attrs else {}
        await self.send(Node("ack", {**attrs, **kind, **participant}))

    # -- linking by code

    def companion_hello(self, phone: str, code: str, ephemeral: KeyPair, **changes: bytes) -> Node:
        parts = {
            "link_code_pairing_wrapped_companion_ephemeral_pub": linking.wrap_key(code, ephemeral.public),
            "companion_server_auth_key_pub": self.noise.public,
            "companion_platform_id": b"1",
            "companion_platform_display": b"Chrome (Linux)",
            "link_code_pairing_nonce": b"\0",
            **changes,
        }
        head: dict[str, Value] = {
            "jid": Jid(phone),
            "stage": "companion_hello",
            "should_show_push_notification": "true",
        }
        return Node("link_code_companion_reg", head, [Node(tag, {}, data) for tag, data in parts.items()])

    def companion_finish(self, phone: str, code: str, ephemeral: KeyPair, primary: Node) -> Node:
        parts = {child.tag: child.data for child in primary.children}
        theirs = linking.unwrap_key(code, parts["link_code_pairing_wrapped_primary_ephemeral_pub"])
        shared, account, chance = ephemeral.agree(theirs), parts["primary_identity_pub"], os.urandom(32)
        salt, nonce = os.urandom(32), os.urandom(12)
        key = hkdf(shared, salt=salt, info=b"link_code_pairing_key_bundle_encryption_key", size=32)
        bundle = AESGCM(key).encrypt(nonce, self.keys.identity.public + account + chance, None)
        self.secret = hkdf(shared + self.keys.identity.agree(account) + chance, info=b"adv_secret", size=32)
        content = [
            Node("link_code_pairing_wrapped_key_bundle", {}, salt + nonce + bundle),
            Node("companion_identity_public", {}, self.keys.identity.public),
            Node("link_code_pairing_ref", {}, parts["link_code_pairing_ref"]),
        ]
        return Node("link_code_companion_reg", {"jid": Jid(phone), "stage": "companion_finish"}, content)


def key_node(tag: str, number: int, public: bytes, *more: Node) -> Node:
    return Node(tag, {}, [Node("id", {}, number.to_bytes(3, "big")), Node("value", {}, public), *more])


def framed(data: bytes) -> bytes:
    return len(data).to_bytes(3, "big") + data


def check_certificate(chain: bytes, root: bytes, static: bytes) -> None:
    fields = schema.CERTIFICATE_CHAIN.decode(chain)
    leaf, middle = fields["leaf"], fields["intermediate"]
    middle_details = schema.CERTIFICATE_DETAILS.decode(middle["details"])
    leaf_details = schema.CERTIFICATE_DETAILS.decode(leaf["details"])
    assert verify(root, middle["details"], middle["signature"])
    assert verify(middle_details["key"], leaf["details"], leaf["signature"])
    assert leaf_details["issuer_serial"] == middle_details["serial"]
    assert leaf_details["key"] == static
