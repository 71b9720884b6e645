# SPDX-License-Identifier: Apache-2.0
"""The cryptography of linking a device: the proof that it belongs to an account, and the key exchange by code.

Pure functions, the phone's side of them. The stanzas around it are in `pairing`.
"""

import base64
import binascii
import os
from dataclasses import dataclass, field
from hashlib import pbkdf2_hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from wigwag.simulator import schema
from wigwag.simulator.curve import KEY_SIZE, KeyPair, hkdf, mac, verify
from wigwag.simulator.protobuf import ProtobufError

_ACCOUNT_PREFIX, _DEVICE_PREFIX = b"\x06\x00", b"\x06\x01"
_CODE_ROUNDS = 2 << 16
_BUNDLE_INFO = b"link_code_pairing_key_bundle_encryption_key"


class LinkError(ValueError):
    """The QR code, the code or the answer of the device is not right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Qr:
    """What a client shows: the server's `ref`, its Noise and identity keys, and a secret only the phone reads."""

    ref: str
    noise_key: bytes
    identity: bytes
    secret: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "Qr":
        parts = text.rpartition("#")[2].split(",")
        if len(parts) < 4:
            raise LinkError("a QR code reads ref,noise key,identity key,secret: pass its whole text")
        try:
            noise_key, identity, secret = (base64.b64decode(part, validate=True) for part in parts[1:4])
        except binascii.Error as error:
            raise LinkError("a key in the QR code is not base64: pass its whole text") from error
        if {len(noise_key), len(identity), len(secret)} != {KEY_SIZE}:
            raise LinkError("a key in the QR code is not 32 bytes long")
        return cls(ref=parts[0], noise_key=noise_key, identity=identity, secret=secret)


def prove(account: KeyPair, identity: bytes, key_index: int, secret: bytes, now: int) -> bytes:
    """What the phone hands the device: its identity signed by the account, sealed with the shared secret."""
    details = schema.DEVICE_IDENTITY.encode({"raw_id": 1, "timestamp": now, "key_index": key_index})
    signature = account.sign(_ACCOUNT_PREFIX + details + identity)
    fields = {"details": details, "account_key": account.public, "account_signature": signature}
    signed = schema.SIGNED_DEVICE_IDENTITY.encode(fields)
    return schema.DEVICE_IDENTITY_HMAC.encode({"details": signed, "hmac": mac(secret, signed)})


def check_proof(account: KeyPair, identity: bytes, answer: bytes) -> bytes:
    """The device's counter-signature. Returns the complete proof; raises LinkError when it is false."""
    try:
        fields = schema.SIGNED_DEVICE_IDENTITY.decode(answer)
    except ProtobufError as error:
        raise LinkError("the signed device identity is not readable") from error
    details, signature = fields.get("details", b""), fields.get("device_signature", b"")
    if not verify(identity, _DEVICE_PREFIX + details + identity + account.public, signature):
        raise LinkError("the device signature is false")
    return schema.SIGNED_DEVICE_IDENTITY.encode({**fields, "account_key": account.public})


def wrap_key(code: str, public: bytes) -> bytes:
    """An ephemeral public key under the code that the user reads off: salt, IV, key."""
    salt, iv = os.urandom(32), os.urandom(16)
    return salt + iv + _under_code(code, salt, iv, public)


def unwrap_key(code: str, wrapped: bytes) -> bytes:
    """The inverse of `wrap_key`; with a wrong code it yields a wrong key, which only shows later."""
    return _under_code(code, wrapped[:32], wrapped[32:48], wrapped[48:80])


def open_bundle(account: KeyPair, ephemeral: KeyPair, companion: bytes, wrapped: bytes) -> tuple[bytes, bytes]:
    """The device's last message by code: its identity key and the secret that seals the proof.

    Raises LinkError when it does not open, which is how a wrong code is found out.
    """
    shared = ephemeral.agree(companion)
    key = hkdf(shared, salt=wrapped[:32], info=_BUNDLE_INFO, size=32)
    try:
        plain = AESGCM(key).decrypt(wrapped[32:44], wrapped[44:], None)
    except (InvalidTag, ValueError) as error:
        raise LinkError("the code is wrong") from error
    identity, primary, chance = plain[:32], plain[32:64], plain[64:]
    if primary != account.public or len(chance) != KEY_SIZE:
        raise LinkError("the key bundle is for another account")
    return identity, hkdf(shared + account.agree(identity) + chance, info=b"adv_secret", size=32)


def _under_code(code: str, salt: bytes, iv: bytes, data: bytes) -> bytes:
    key = pbkdf2_hmac("sha256", code.encode(), salt, _CODE_ROUNDS)
    encryptor = Cipher(algorithms.AES(key), modes.CTR(iv)).encryptor()
    return encryptor.update(data) + encryptor.finalize()
