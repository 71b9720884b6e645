# SPDX-License-Identifier: Apache-2.0
"""The keys of one device, and how its conversations begin: prekey bundles and X3DH, both ways.

`KeyStore` is what a phone keeps. It knows no stanza and no person: callers name the other device by any hashable
address. Source: signal.org, "The X3DH Key Agreement Protocol".
"""

import secrets
from collections.abc import Hashable
from dataclasses import dataclass, field

from wigwag.simulator import ratchet, schema
from wigwag.simulator.curve import DJB, KEY_SIZE, KeyPair, hkdf, verify
from wigwag.simulator.protobuf import ProtobufError
from wigwag.simulator.ratchet import Opening, Session, SignalError

_MAX_SESSIONS = 5
_MAX_ONE_TIME = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedPrekey:
    id: int
    public: bytes
    signature: bytes

    def is_signed_by(self, identity: bytes) -> bool:
        return verify(identity, DJB + self.public, self.signature)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What others need to write to a device: `one_time` is (id, public key), or None when they ran out."""

    registration: int
    identity: bytes
    signed: SignedPrekey
    one_time: tuple[int, bytes] | None = None


@dataclass(slots=True)
class KeyStore:
    """The private side of one device."""

    identity: KeyPair = field(default_factory=KeyPair.generate)
    registration: int = field(default_factory=lambda: secrets.randbelow(0x3FFF) + 1)
    _signed: KeyPair = field(default_factory=KeyPair.generate)
    _one_time: dict[int, KeyPair] = field(default_factory=dict)
    _sessions: dict[Hashable, list[Session]] = field(default_factory=dict)
    _issued: int = 0
    _signature: bytes | None = None

    def bundle(self) -> Bundle:
        """A bundle with a one-time prekey that nobody else gets."""
        self._issued += 1
        pair = self._one_time[self._issued] = KeyPair.generate()
        if len(self._one_time) > _MAX_ONE_TIME:
            del self._one_time[next(iter(self._one_time))]
        return Bundle(
            registration=self.registration,
            identity=self.identity.public,
            signed=self.signed_prekey(),
            one_time=(self._issued, pair.public),
        )

    def signed_prekey(self) -> SignedPrekey:
        self._signature = self._signature or self.identity.sign(DJB + self._signed.public)
        return SignedPrekey(id=1, public=self._signed.public, signature=self._signature)

    def knows(self, address: Hashable) -> bool:
        return address in self._sessions

    def open(self, address: Hashable, bundle: Bundle) -> None:
        """Begin a conversation. Raises SignalError when the bundle's signature is false."""
        if not bundle.signed.is_signed_by(bundle.identity):
            raise SignalError("the signed prekey is not signed by that identity")
        self._keep(address, _initiate(self, bundle))

    def encrypt(self, address: Hashable, plain: bytes) -> tuple[str, bytes]:
        """The kind of message and its bytes. The conversation must be open."""
        sessions = self._sessions[address]
        sessions[0], kind, message = ratchet.encrypt(sessions[0], pad(plain))
        return kind, message

    def decrypt(self, address: Hashable, kind: str, message: bytes) -> bytes:
        """The plain text of a `pkmsg` or `msg`. Raises SignalError when it cannot be read."""
        if kind == "pkmsg":
            return unpad(self._join(address, message))
        for session in self._sessions.get(address, []):
            try:
                after, plain = ratchet.decrypt(session, message)
            except SignalError as error:
                reason = error
                continue
            self._keep(address, after)
            return unpad(plain)
        raise reason if self.knows(address) else SignalError("no conversation with that device")

    def _join(self, address: Hashable, message: bytes) -> bytes:
        opening, theirs, inner = _read_opening(message)
        session = next((s for s in self._sessions.get(address, []) if s.base_key == opening.base_key), None)
        after, plain = ratchet.decrypt(session or _respond(self, opening, theirs), inner)
        self._keep(address, after)
        if opening.prekey_id is not None:
            self._one_time.pop(opening.prekey_id, None)
        return plain

    def _keep(self, address: Hashable, session: Session) -> None:
        """The conversation that was used last comes first; older ones still read what is under way."""
        others = [s for s in self._sessions.get(address, []) if s.base_key != session.base_key]
        self._sessions[address] = [session, *others][:_MAX_SESSIONS]

    def prekey(self, opening: Opening) -> KeyPair | None:
        if opening.prekey_id is None:
            return None
        if opening.prekey_id not in self._one_time:
            raise SignalError(f"one-time prekey {opening.prekey_id} is unknown or was used")
        return self._one_time[opening.prekey_id]

    @property
    def signed_pair(self) -> KeyPair:
        return self._signed


def _initiate(store: KeyStore, bundle: Bundle) -> Session:
    base, first = KeyPair.generate(), KeyPair.generate()
    agreed = [
        store.identity.agree(bundle.signed.public),
        base.agree(bundle.identity),
        base.agree(bundle.signed.public),
        *([base.agree(bundle.one_time[1])] if bundle.one_time else []),
    ]
    root, _ = _shared(agreed)
    root, sending = ratchet.advance(root, first, bundle.signed.public)
    opening = Opening(
        registration=store.registration,
        prekey_id=bundle.one_time[0] if bundle.one_time else None,
        skey_id=bundle.signed.id,
        base_key=base.public,
    )
    return Session(
        ours=store.identity.public,
        theirs=bundle.identity,
        base_key=base.public,
        root=root,
        ratchet=first,
        sending=sending,
        opening=opening,
    )


def _respond(store: KeyStore, opening: Opening, theirs: bytes) -> Session:
    if opening.skey_id != store.signed_prekey().id:
        raise SignalError(f"signed prekey {opening.skey_id} is unknown")
    signed, one_time = store.signed_pair, store.prekey(opening)
    try:
        agreed = [
            signed.agree(theirs),
            store.identity.agree(opening.base_key),
            signed.agree(opening.base_key),
            *([one_time.agree(opening.base_key)] if one_time else []),
        ]
    except ValueError as error:
        raise SignalError(str(error)) from error
    root, chain = _shared(agreed)
    return Session(
        ours=store.identity.public,
        theirs=theirs,
        base_key=opening.base_key,
        root=root,
        ratchet=signed,
        sending=ratchet.Chain(chain),
    )


def _shared(agreed: list[bytes]) -> tuple[bytes, bytes]:
    derived = hkdf(b"\xff" * 32 + b"".join(agreed), info=b"WhisperText", size=64)
    return derived[:32], derived[32:]


def _read_opening(message: bytes) -> tuple[Opening, bytes, bytes]:
    if message[:1] != ratchet.VERSION:
        raise SignalError("not a prekey message of version 3")
    try:
        fields = schema.PREKEY_SIGNAL_MESSAGE.decode(message[1:])
    except ProtobufError as error:
        raise SignalError("the prekey message is not readable") from error
    keys = fields.get("base_key", b""), fields.get("identity", b"")
    if any(key[:1] != DJB or len(key) != KEY_SIZE + 1 for key in keys) or "message" not in fields:
        raise SignalError("the prekey message lacks a key or its content")
    opening = Opening(
        registration=fields.get("registration", 0),
        prekey_id=fields.get("prekey_id"),
        skey_id=fields.get("skey_id", 0),
        base_key=keys[0][1:],
    )
    return opening, keys[1][1:], fields["message"]


def pad(plain: bytes) -> bytes:
    """WhatsApp's own padding: 1 to 16 bytes, each saying how many."""
    size = secrets.randbelow(16) + 1
    return plain + bytes([size]) * size


def unpad(padded: bytes) -> bytes:
    if not padded or not 0 < padded[-1] <= len(padded):
        raise SignalError("the padding is wrong")
    return padded[: -padded[-1]]
