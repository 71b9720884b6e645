# SPDX-License-Identifier: Apache-2.0
"""How a file travels through WhatsApp: encrypted under a key of its own, which the message about it carries.

Pure: bytes, and the fields of messages as `content` has them, with base64. Where encrypted files are kept is in
`media_store`, how they come and go in `media_server`. Source: the protocol (keys by HKDF-SHA256 from the media key,
AES-256-CBC, and ten bytes of HMAC-SHA256).
"""

import base64
import binascii
import hmac
import os
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from wigwag.simulator.curve import hkdf, mac

_PURPOSES = {
    "image": b"WhatsApp Image Keys",
    "video": b"WhatsApp Video Keys",
    "audio": b"WhatsApp Audio Keys",
    "voice": b"WhatsApp Audio Keys",
    "document": b"WhatsApp Document Keys",
    "sticker": b"WhatsApp Image Keys",
}
KINDS = tuple(_PURPOSES)
"""The kinds of messages that carry a file."""

_KEY_SIZE, _MAC_SIZE, _BLOCK = 32, 10, 128  # bytes, bytes, bits


class MediaError(ValueError):
    """The bytes are not what the message says, or no file that was encrypted so."""


def seal(kind: str, key: bytes, plain: bytes) -> bytes:
    """The encrypted file as it is uploaded. `key`: the media key, 32 bytes."""
    iv, cipher_key, mac_key = _keys(kind, key)
    padder = padding.PKCS7(_BLOCK).padder()
    encryptor = Cipher(algorithms.AES(cipher_key), modes.CBC(iv)).encryptor()
    body = encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()
    return body + mac(mac_key, iv, body)[:_MAC_SIZE]


def unseal(kind: str, key: bytes, sealed: bytes) -> bytes:
    """The file again. Raises MediaError for a wrong key or kind, or bytes that were changed on the way."""
    iv, cipher_key, mac_key = _keys(kind, key)
    body, proof = sealed[:-_MAC_SIZE], sealed[-_MAC_SIZE:]
    if not body or not hmac.compare_digest(proof, mac(mac_key, iv, body)[:_MAC_SIZE]):
        raise MediaError("the file was not encrypted with this key for this kind of message")
    decryptor = Cipher(algorithms.AES(cipher_key), modes.CBC(iv)).decryptor()
    unpadder = padding.PKCS7(_BLOCK).unpadder()
    return unpadder.update(decryptor.update(body) + decryptor.finalize()) + unpadder.finalize()


def wrap(kind: str, plain: bytes) -> tuple[bytes, dict[str, Any]]:
    """Encrypt under a fresh key: the bytes to keep, and what the message must say so that they can be read."""
    key = os.urandom(_KEY_SIZE)
    sealed = seal(kind, key, plain)
    facts = {"media_key": key, "sha256": sha256(plain).digest(), "enc_sha256": sha256(sealed).digest()}
    return sealed, {"length": len(plain), **{name: base64.b64encode(value).decode() for name, value in facts.items()}}


def unwrap(kind: str, fields: Mapping[str, Any], sealed: bytes) -> bytes:
    """The file behind a message. Raises MediaError unless it is, to the byte, what the message says."""
    if sha256(sealed).digest() != _bytes(fields, "enc_sha256"):
        raise MediaError("the encrypted file has another hash than the message says")
    plain = unseal(kind, _bytes(fields, "media_key"), sealed)
    if (sha256(plain).digest(), len(plain)) != (_bytes(fields, "sha256"), fields.get("length")):
        raise MediaError("the file has another hash or length than the message says")
    return plain


def _bytes(fields: Mapping[str, Any], name: str) -> bytes:
    try:
        return base64.b64decode(fields.get(name, ""), validate=True)
    except (TypeError, binascii.Error) as error:
        raise MediaError(f"the field {name} is no base64") from error


def _keys(kind: str, key: bytes) -> tuple[bytes, bytes, bytes]:
    if len(key) != _KEY_SIZE:
        raise MediaError(f"a media key has {_KEY_SIZE} bytes, not {len(key)}")
    if kind not in _PURPOSES:
        raise MediaError(f"a message of kind {kind!r} carries no file: {', '.join(KINDS)} do")
    stream = hkdf(key, info=_PURPOSES[kind], size=112)
    return stream[:16], stream[16:48], stream[48:80]
