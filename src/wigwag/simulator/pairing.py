# SPDX-License-Identifier: Apache-2.0
"""A client that has no account yet: it gets refs for QR codes, or asks for a code, until a phone links it.

As with the real server the first ref holds for 60 seconds and each of the five others for 20 more; then the stream
ends. A linked client is told to log in (stream error 515).
"""

import asyncio
import re
from dataclasses import dataclass, field

from wigwag.simulator import linking
from wigwag.simulator.connection import Connection
from wigwag.simulator.curve import DJB, KEY_SIZE, KeyPair
from wigwag.simulator.exchange import Exchange
from wigwag.simulator.linking import LinkError, Qr
from wigwag.simulator.noise import Greeting
from wigwag.simulator.signal import SignedPrekey
from wigwag.simulator.stanzas import iq
from wigwag.simulator.wire import SERVER, Jid, Node
from wigwag.simulator.world import Device, Person

_REFS = 6
_FIRST_REF, _NEXT_REF = 60.0, 20.0
_DISPLAY_NAME = re.compile(r"(Chrome|Firefox|Safari|Edge|Opera|IE|Electron|UWP|Brave|Desktop)\b.* \(.+\)")
_TIME_TO_LEAVE = 2.0
_WRAPPED_KEY_SIZE = 80


@dataclass(slots=True, kw_only=True)
class _Code:
    """A code that the client shows: for which number, its wrapped key, and the phone's half once it was typed in."""

    phone: str
    ref: bytes
    wrapped: bytes
    companion: bytes = b""
    ephemeral: KeyPair | None = None


@dataclass(eq=False, slots=True)
class Pairing:
    """One unlinked client. `scan` and `enter_code` are the phone's doors; both give the device to come."""

    exchange: Exchange
    connection: Connection
    greeting: Greeting
    refs: dict[str, float] = field(default_factory=dict)
    linked: bool = False
    ends: float = 0.0
    _attempt: "asyncio.Future[Device] | None" = None
    _code: _Code | None = None
    _device: Device | None = None

    def begin(self) -> None:
        """Offer the refs. Raises LinkError when the client's own keys are not right."""
        self._check_keys()
        self.ends = self.exchange.now() + _FIRST_REF
        for number in range(_REFS):
            self.ends += _NEXT_REF * (number > 0)
            self.refs[f"2@{self.exchange.chance.getrandbits(160):040x}"] = self.ends
        refs = [Node("ref", {}, ref.encode()) for ref in self.refs]
        self._ask("pair-device", refs)
        self.exchange.journal.note("pairing", "pair_device", refs=_REFS)

    @property
    def is_over(self) -> bool:
        return self.exchange.now() >= self.ends

    def expire(self) -> None:
        """No ref holds any more, or the linked client was slow to leave."""
        self.exchange.journal.note("pairing", "stream_ended", linked=self.linked)
        self.connection.post(Node("xmlstreamend"))
        self.connection.close()

    def scan(self, qr: Qr, person: Person) -> "asyncio.Future[Device]":
        """The phone scans the code. Raises LinkError when it is too old or shows other keys than this client's."""
        if self.refs[qr.ref] <= self.exchange.now():
            raise LinkError("this QR code has expired: scan the one that the client shows now")
        if qr.noise_key != self.greeting.static_key or qr.identity != self.greeting.payload["pairing"]["identity"]:
            raise LinkError("the QR code shows other keys than the client that asked for it")
        attempt = self._begin_attempt()
        self._hand_over(person, qr.identity, qr.secret)
        return attempt

    def waits_for(self, phone: str) -> bool:
        return self._code is not None and self._code.phone == phone

    def enter_code(self, person: Person, code: str) -> "asyncio.Future[Device]":
        """The user types the code into the phone; whether it was right shows when the client answers."""
        if self._code is None:
            raise LinkError("this client has not asked for a code")
        attempt, letters = self._begin_attempt(), code.replace("-", "").upper()
        self._code.ephemeral = KeyPair.generate()
        self._code.companion = linking.unwrap_key(letters, self._code.wrapped)
        wrapped = linking.wrap_key(letters, self._code.ephemeral.public)
        content = [
            Node("link_code_pairing_wrapped_primary_ephemeral_pub", {}, wrapped),
            Node("primary_identity_pub", {}, person.keys.identity.public),
            Node("link_code_pairing_ref", {}, self._code.ref),
        ]
        hello = Node("link_code_companion_reg", {"stage": "primary_hello"}, content)
        head: dict[str, str | Jid] = {"from": SERVER, "type": "link_code_companion_reg", "t": self.exchange.time()}
        self.connection.post(Node("notification", {**head, "id": self.exchange.new_id()}, [hello]))
        return attempt

    def handle(self, node: Node) -> None:
        """A stanza of the client. What it may not say before it is linked is refused."""
        kind, child = node.text("type"), node.children[0] if node.children else None
        try:
            if node.tag == "iq" and child and child.tag == "link_code_companion_reg":
                self._exchange_code(node, child)
            elif node.tag == "iq" and child and child.tag == "pair-device-sign":
                self._finish(child)
            elif node.tag == "iq" and kind == "error":
                self._fail(LinkError(f"the client refused: {child.text('text') if child else 'no reason'}"))
            elif node.tag == "iq" and kind in ("get", "set"):
                known = node.text("xmlns") in ("w:p", "urn:xmpp:ping")
                self.connection.post(iq.result(node) if known else iq.error(node, 401))
            elif node.tag not in ("iq", "ack", "ib"):
                self.exchange.journal.refuse("pairing", f"<{node.tag}> of a client that is not linked")
                self.connection.post(Node("error", {"code": "479", "text": "smax-invalid"}))
        except LinkError as error:
            self._fail(error)

    def gone(self) -> None:
        """The connection is closed."""
        self._fail(LinkError("the client went away before it was linked"))

    def _begin_attempt(self) -> "asyncio.Future[Device]":
        if self.linked:
            raise LinkError("this client is linked already: it only has to log in")
        self._attempt = asyncio.get_running_loop().create_future()
        return self._attempt

    def _fail(self, error: LinkError) -> None:
        if not self.linked:
            self.exchange.journal.refuse("pairing", str(error))
        if self._attempt and not self._attempt.done():
            self._attempt.set_exception(error)

    def _check_keys(self) -> None:
        data = self.greeting.payload["pairing"]
        sizes = {"registration": 4, "key_type": 1, "identity": KEY_SIZE, "skey_id": 3, "skey_value": KEY_SIZE}
        if any(len(data.get(name, b"")) != size for name, size in sizes.items()) or data["key_type"] != DJB:
            raise LinkError("the pairing data lacks a key or has one of a wrong size")
        if not self._signed_prekey().is_signed_by(data["identity"]):
            raise LinkError("the signature of the signed prekey is false")

    def _signed_prekey(self) -> SignedPrekey:
        data = self.greeting.payload["pairing"]
        number = int.from_bytes(data["skey_id"], "big")
        return SignedPrekey(id=number, public=data["skey_value"], signature=data.get("skey_signature", b""))

    def _ask(self, tag: str, content: list[Node]) -> None:
        head: dict[str, str | Jid] = {"from": SERVER, "type": "set", "xmlns": "md", "t": self.exchange.time()}
        self.connection.post(Node("iq", {**head, "id": self.exchange.new_id()}, [Node(tag, {}, content)]))

    def _hand_over(self, person: Person, identity: bytes, secret: bytes) -> None:
        person.devices_ever += 1
        self._device = Device(
            person=person,
            number=person.devices_ever,
            noise_key=self.greeting.static_key,
            identity=identity,
            registration=int.from_bytes(self.greeting.payload["pairing"]["registration"], "big"),
            signed=self._signed_prekey(),
            proof=b"",
        )
        account, now = person.keys.identity, int(self.exchange.now())
        proof = linking.prove(account, identity, self._device.number, secret, now)
        content = [
            Node("device-identity", {}, proof),
            Node("device", {"jid": self._device.jid, "lid": self._device.lid}),
            Node("platform", {"name": "android"}),
        ]
        self._ask("pair-success", content)

    def _finish(self, node: Node) -> None:
        device, answer = self._device, node.child("device-identity")
        if device is None or answer is None:
            raise LinkError("the client signs a pairing that was not begun")
        if answer.text("key-index") != str(device.number):
            raise LinkError("the client signs another key index than it was given")
        device.proof = linking.check_proof(device.person.keys.identity, device.identity, answer.data)
        device.person.devices[device.number] = device
        self.exchange.journal.note("pairing", "paired", device.person.phone, device=device.number)
        self.connection.post(Node("stream:error", {"code": "515"}))
        self.linked, self.ends = True, self.exchange.now() + _TIME_TO_LEAVE
        if self._attempt and not self._attempt.done():
            self._attempt.set_result(device)

    def _exchange_code(self, node: Node, registration: Node) -> None:
        match registration.text("stage"):
            case "companion_hello":
                self._offer_code(node, registration)
            case "companion_finish":
                self._finish_code(node, registration)
            case _:
                self.connection.post(iq.error(node, 400))

    def _offer_code(self, node: Node, registration: Node) -> None:
        jid = registration.jid("jid")
        wrapped = _data(registration, "link_code_pairing_wrapped_companion_ephemeral_pub")
        display = _data(registration, "companion_platform_display").decode(errors="replace")
        server_key = _data(registration, "companion_server_auth_key_pub")
        good_keys = len(wrapped) == _WRAPPED_KEY_SIZE and server_key == self.greeting.static_key
        if jid is None or not jid.user.isdecimal() or not good_keys or not _DISPLAY_NAME.fullmatch(display):
            self.exchange.journal.refuse("pairing", "companion_hello: bad number, keys or display name")
            self.connection.post(iq.error(node, 400))
            return
        ref = f"{self.exchange.chance.getrandbits(128):032x}".encode()
        self._code = _Code(phone=jid.user, ref=ref, wrapped=wrapped)
        content = Node(
            "link_code_companion_reg", {"stage": "companion_hello"}, [Node("link_code_pairing_ref", {}, ref)]
        )
        self.connection.post(iq.result(node, [content]))
        self.exchange.journal.note("pairing", "code_offered", jid.user)

    def _finish_code(self, node: Node, registration: Node) -> None:
        code = self._code
        if code is None or code.ephemeral is None or _data(registration, "link_code_pairing_ref") != code.ref:
            self.connection.post(iq.error(node, 400))
            raise LinkError("the client finishes a pairing by code that was not begun")
        self.connection.post(iq.result(node))
        person = self.exchange.world.put(code.phone)
        wrapped = _data(registration, "link_code_pairing_wrapped_key_bundle")
        identity, secret = linking.open_bundle(person.keys.identity, code.ephemeral, code.companion, wrapped)
        if identity != self.greeting.payload["pairing"].get("identity"):
            raise LinkError("the client shows another identity than it connected with")
        self._hand_over(person, identity, secret)


def _data(node: Node, tag: str) -> bytes:
    found = node.child(tag)
    return found.data if found else b""
