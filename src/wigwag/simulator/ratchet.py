# SPDX-License-Identifier: Apache-2.0
"""The double ratchet of Signal, version 3: one conversation between two devices, as an immutable value.

Pure but for fresh key pairs: every step returns a new `Session`, so a message that does not verify changes nothing.
How a conversation begins is in `signal`. Source: signal.org, "The Double Ratchet Algorithm".
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from wigwag.simulator import schema
from wigwag.simulator.curve import DJB, KEY_SIZE, KeyPair, hkdf, mac
from wigwag.simulator.protobuf import ProtobufError

VERSION = b"\x33"
_MAC_SIZE = 8
_MAX_CHAINS = 5
_MAX_SKIP = 2000


class SignalError(Exception):
    """The message does not belong to the conversation, was read before, or was tampered with."""


@dataclass(frozen=True, slots=True)
class Chain:
    """The keys of the messages that follow each other without an answer; `skipped` are those still to arrive."""

    key: bytes = field(repr=False)
    index: int = 0
    skipped: Mapping[int, bytes] = field(default_factory=dict, repr=False)

    def step(self) -> tuple["Chain", bytes]:
        """The chain after one message, and that message's seed."""
        return Chain(mac(self.key, b"\x02"), self.index + 1, self.skipped), mac(self.key, b"\x01")

    def seek(self, counter: int) -> tuple["Chain", bytes]:
        """The chain after message `counter`, and its seed. Raises SignalError when it was used or is too far."""
        if counter == self.index:
            return self.step()
        if counter < self.index:
            skipped = dict(self.skipped)
            if counter not in skipped:
                raise SignalError(f"message {counter} of this chain was read before")
            seed = skipped.pop(counter)
            return replace(self, skipped=skipped), seed
        if counter - self.index > _MAX_SKIP:
            raise SignalError(f"message {counter} is more than {_MAX_SKIP} ahead")
        chain, skipped = self, dict(self.skipped)
        while chain.index < counter:
            index = chain.index
            chain, skipped[index] = chain.step()
        chain, seed = chain.step()
        return replace(chain, skipped=skipped), seed


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What the first messages of a conversation carry, so that the other side can join it."""

    registration: int
    prekey_id: int | None
    skey_id: int
    base_key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """`ours` and `theirs` are identity keys; `base_key` names the conversation; `opening` until they answered."""

    ours: bytes
    theirs: bytes
    base_key: bytes
    root: bytes = field(repr=False)
    ratchet: KeyPair
    sending: Chain
    previous: int = 0
    receiving: Mapping[bytes, Chain] = field(default_factory=dict)
    opening: Opening | None = None


def advance(root: bytes, ours: KeyPair, theirs: bytes) -> tuple[bytes, Chain]:
    """One turn of the root key: the next root and the chain that begins with it."""
    derived = hkdf(_agree(ours, theirs), salt=root, info=b"WhisperRatchet", size=64)
    return derived[:32], Chain(derived[32:])


def encrypt(session: Session, plain: bytes) -> tuple[Session, str, bytes]:
    """The session afterwards, the kind of message (`pkmsg` until they answered, then `msg`) and its bytes."""
    chain, seed = session.sending.step()
    key, mac_key, iv = _message_keys(seed)
    ciphertext = seal(key, iv, plain)
    fields = {
        "ratchet_key": DJB + session.ratchet.public,
        "counter": session.sending.index,
        "previous_counter": session.previous,
        "ciphertext": ciphertext,
    }
    body = VERSION + schema.SIGNAL_MESSAGE.encode(fields)
    message = body + _tag(mac_key, session.ours, session.theirs, body)
    after = replace(session, sending=chain)
    if session.opening is None:
        return after, "msg", message
    return after, "pkmsg", _with_opening(session, session.opening, message)


def decrypt(session: Session, message: bytes) -> tuple[Session, bytes]:
    """The session afterwards and the plain text. Raises SignalError and leaves no trace when it does not verify."""
    body, tag = message[:-_MAC_SIZE], message[-_MAC_SIZE:]
    ratchet_key, counter, ciphertext = _parse(body)
    after = session if ratchet_key in session.receiving else _turn(session, ratchet_key)
    chain, seed = after.receiving[ratchet_key].seek(counter)
    key, mac_key, iv = _message_keys(seed)
    if not hmac.compare_digest(_tag(mac_key, session.theirs, session.ours, body), tag):
        raise SignalError("the MAC is wrong")
    plain = unseal(key, iv, ciphertext)
    return replace(after, receiving={**after.receiving, ratchet_key: chain}, opening=None), plain


def seal(key: bytes, iv: bytes, plain: bytes) -> bytes:
    """AES-CBC with the padding of PKCS 7, as all messages of Signal have it."""
    size = 16 - len(plain) % 16
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return encryptor.update(plain + bytes([size]) * size) + encryptor.finalize()


def unseal(key: bytes, iv: bytes, ciphertext: bytes) -> bytes:
    """Raises SignalError when the ciphertext has another length or padding than `seal` gives."""
    decryptor, unpadder = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor(), PKCS7(128).unpadder()
    try:
        return unpadder.update(decryptor.update(ciphertext) + decryptor.finalize()) + unpadder.finalize()
    except ValueError as error:
        raise SignalError("the padding is wrong") from error


def _turn(session: Session, ratchet_key: bytes) -> Session:
    """Their key is new: begin a chain for it, and a chain of our own with a fresh key."""
    root, receiving = advance(session.root, session.ratchet, ratchet_key)
    ratchet = KeyPair.generate()
    root, sending = advance(root, ratchet, ratchet_key)
    chains = dict([*session.receiving.items(), (ratchet_key, receiving)][-_MAX_CHAINS:])
    previous = max(session.sending.index - 1, 0)
    return replace(session, root=root, ratchet=ratchet, sending=sending, previous=previous, receiving=chains)


def _parse(body: bytes) -> tuple[bytes, int, bytes]:
    if body[:1] != VERSION:
        raise SignalError("not a Signal message of version 3")
    try:
        fields = schema.SIGNAL_MESSAGE.decode(body[1:])
    except ProtobufError as error:
        raise SignalError("the message is not readable") from error
    ratchet_key = fields.get("ratchet_key", b"")
    if ratchet_key[:1] != DJB or len(ratchet_key) != KEY_SIZE + 1 or "ciphertext" not in fields:
        raise SignalError("the message lacks its ratchet key or its content")
    return ratchet_key[1:], fields.get("counter", 0), fields["ciphertext"]


def _with_opening(session: Session, opening: Opening, message: bytes) -> bytes:
    fields = {
        "registration": opening.registration,
        "skey_id": opening.skey_id,
        "base_key": DJB + opening.base_key,
        "identity": DJB + session.ours,
        "message": message,
    }
    if opening.prekey_id is not None:
        fields["prekey_id"] = opening.prekey_id
    return VERSION + schema.PREKEY_SIGNAL_MESSAGE.encode(fields)


def _message_keys(seed: bytes) -> tuple[bytes, bytes, bytes]:
    derived = hkdf(seed, info=b"WhisperMessageKeys", size=80)
    return derived[:32], derived[32:64], derived[64:]


def _tag(key: bytes, sender: bytes, receiver: bytes, body: bytes) -> bytes:
    return mac(key, DJB + sender, DJB + receiver, body)[:_MAC_SIZE]


def _agree(ours: KeyPair, theirs: bytes) -> bytes:
    try:
        return ours.agree(theirs)
    except ValueError as error:
        raise SignalError(str(error)) from error
