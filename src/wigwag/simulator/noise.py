# SPDX-License-Identifier: Apache-2.0
"""The Noise handshake of the chat server (Noise_XX_25519_AESGCM_SHA256) and its certificate chain.

Sans-IO: frames in, frames out. `SymmetricState` serves both sides, so a client can be written with it; `Responder` is
the server. What follows the handshake is `connection`'s. Source: the Noise Protocol Framework, revision 34.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from wigwag.simulator import schema
from wigwag.simulator.curve import KEY_SIZE, KeyPair, hkdf
from wigwag.simulator.protobuf import ProtobufError

HEADER_SIZE = 4


def header(dictionary: int) -> bytes:
    """The first bytes on the socket: magic, protocol version 6, version of the token dictionary."""
    return b"WA\x06" + bytes([dictionary])


_PATTERN = b"Noise_XX_25519_AESGCM_SHA256\0\0\0\0"
_CERTIFICATE_LIFE = 10 * 24 * 3600


class HandshakeError(Exception):
    """The other side does not speak the handshake, or does not hold the keys it claims."""


class Cipher:
    """AES-GCM under one key with a counter as nonce. A message out of its turn does not open."""

    def __init__(self, key: bytes) -> None:
        self._aead, self.counter = AESGCM(key), 0

    def _nonce(self) -> bytes:
        self.counter += 1
        return bytes(8) + (self.counter - 1).to_bytes(4, "big")

    def seal(self, plain: bytes, context: bytes = b"") -> bytes:
        return self._aead.encrypt(self._nonce(), plain, context)

    def open(self, sealed: bytes, context: bytes = b"") -> bytes:
        """Raises HandshakeError when key, counter, context or content do not belong together."""
        try:
            return self._aead.decrypt(self._nonce(), sealed, context)
        except (InvalidTag, ValueError) as error:
            raise HandshakeError(f"message {self.counter - 1} does not decrypt") from error


class SymmetricState:
    """What both sides have agreed on so far."""

    def __init__(self, prologue: bytes) -> None:
        self._hash = self._salt = _PATTERN
        self._cipher = Cipher(_PATTERN)
        self.mix_hash(prologue)

    def mix_hash(self, data: bytes) -> None:
        self._hash = hashlib.sha256(self._hash + data).digest()

    def mix_key(self, secret: bytes) -> None:
        derived = hkdf(secret, salt=self._salt, size=64)
        self._salt, self._cipher = derived[:32], Cipher(derived[32:])

    def seal(self, plain: bytes) -> bytes:
        sealed = self._cipher.seal(plain, self._hash)
        self.mix_hash(sealed)
        return sealed

    def open(self, sealed: bytes) -> bytes:
        plain = self._cipher.open(sealed, self._hash)
        self.mix_hash(sealed)
        return plain

    def split(self) -> tuple[Cipher, Cipher]:
        """The two directions afterwards: from the initiator, from the responder."""
        derived = hkdf(b"", salt=self._salt, size=64)
        return Cipher(derived[:32]), Cipher(derived[32:])


@dataclass(frozen=True, slots=True)
class Trust:
    """The server's keys. Clients must trust `root`; it signs `intermediate`, which signs `static`."""

    root: KeyPair = field(default_factory=KeyPair.generate)
    intermediate: KeyPair = field(default_factory=KeyPair.generate)
    static: KeyPair = field(default_factory=KeyPair.generate)

    def certificate(self, now: float) -> bytes:
        start, end = int(now) - 3600, int(now) + _CERTIFICATE_LIFE
        window = {"not_before": start, "not_after": end}
        middle = schema.CERTIFICATE_DETAILS.encode(
            {"serial": 1, "issuer_serial": 0, "key": self.intermediate.public, **window}
        )
        leaf = schema.CERTIFICATE_DETAILS.encode({"serial": 2, "issuer_serial": 1, "key": self.static.public, **window})
        return schema.CERTIFICATE_CHAIN.encode(
            {
                "intermediate": {"details": middle, "signature": self.root.sign(middle)},
                "leaf": {"details": leaf, "signature": self.intermediate.sign(leaf)},
            }
        )


@dataclass(frozen=True, slots=True)
class Greeting:
    """Who is at the other end: its Noise key, what it said of itself, and the ciphers of both directions."""

    static_key: bytes
    payload: dict[str, Any]
    incoming: Cipher
    outgoing: Cipher


class Responder:
    """The server's half: `hello` answers the first frame, `finish` reads the last."""

    def __init__(self, trust: Trust, now: float, prologue: bytes) -> None:
        self._trust, self._now = trust, now
        self._state, self._ephemeral = SymmetricState(prologue), KeyPair.generate()

    def hello(self, frame: bytes) -> bytes:
        client = _part(frame, "client_hello").get("ephemeral", b"")
        if len(client) != KEY_SIZE:
            raise HandshakeError("the client hello carries no key of 32 bytes")
        self._state.mix_hash(client)
        self._state.mix_hash(self._ephemeral.public)
        self._state.mix_key(_agree(self._ephemeral, client))
        static = self._state.seal(self._trust.static.public)
        self._state.mix_key(_agree(self._trust.static, client))
        payload = self._state.seal(self._trust.certificate(self._now))
        hello = {"ephemeral": self._ephemeral.public, "static": static, "payload": payload}
        return schema.HANDSHAKE.encode({"server_hello": hello})

    def finish(self, frame: bytes) -> Greeting:
        finish = _part(frame, "client_finish")
        static = self._state.open(finish.get("static", b""))
        self._state.mix_key(_agree(self._ephemeral, static))
        try:
            payload = schema.CLIENT_PAYLOAD.decode(self._state.open(finish.get("payload", b"")))
        except ProtobufError as error:
            raise HandshakeError("the client payload is not readable") from error
        return Greeting(static, payload, *self._state.split())


def _part(frame: bytes, name: str) -> dict[str, Any]:
    try:
        part: dict[str, Any] = schema.HANDSHAKE.decode(frame).get(name, {})
    except ProtobufError as error:
        raise HandshakeError("the handshake message is not readable") from error
    return part


def _agree(pair: KeyPair, public: bytes) -> bytes:
    try:
        return pair.agree(public)
    except ValueError as error:
        raise HandshakeError("a key of the client gives no shared secret") from error
