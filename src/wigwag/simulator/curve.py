# SPDX-License-Identifier: Apache-2.0
"""Curve25519 keys, XEdDSA signatures and the two hash constructions that everything above them uses.

Pure apart from the system's randomness, which only `KeyPair.generate` draws. Nothing of WhatsApp belongs here but the
prefix byte its public keys carry in signatures.
"""

import hashlib
import hmac
import os
from dataclasses import dataclass, field

import xeddsa
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

DJB = b"\x05"
"""The key type: put before a public key wherever it is signed or sent inside a Signal message."""

KEY_SIZE = 32
SIGNATURE_SIZE = 64


@dataclass(frozen=True, slots=True)
class KeyPair:
    private: bytes = field(repr=False)
    public: bytes

    @classmethod
    def generate(cls) -> "KeyPair":
        private = os.urandom(KEY_SIZE)
        return cls(private, xeddsa.priv_to_curve25519_pub(private))

    def agree(self, public: bytes) -> bytes:
        """The shared secret with the holder of `public`. Raises ValueError for a key that gives none."""
        try:
            return bytes(xeddsa.x25519(self.private, public))
        except xeddsa.XEdDSAException as error:
            raise ValueError("this public key gives no shared secret") from error

    def sign(self, message: bytes) -> bytes:
        """An XEdDSA signature with the sign bit of the key at zero, which every verifier accepts."""
        return bytes(xeddsa.ed25519_priv_sign(xeddsa.priv_force_sign(self.private, False), message))


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Check an XEdDSA signature; the top bit of its last byte is the sign of the key."""
    if len(public) != KEY_SIZE or len(signature) != SIGNATURE_SIZE:
        return False
    sign, last = bool(signature[-1] & 0x80), signature[-1] & 0x7F
    key = xeddsa.curve25519_pub_to_ed25519_pub(public, sign)
    return bool(xeddsa.ed25519_verify(signature[:-1] + bytes([last]), key, message))


def hkdf(secret: bytes, *, salt: bytes = b"", info: bytes = b"", size: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=size, salt=salt or None, info=info).derive(secret)


def mac(key: bytes, *parts: bytes) -> bytes:
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()
