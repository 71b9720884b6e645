# SPDX-License-Identifier: Apache-2.0
"""Bytes sealed with a passphrase: scrypt (RFC 7914) makes the key, AES-256-GCM seals chunk after chunk.

Layout: magic, version, log2 of scrypt's N, salt, a check of the passphrase, a check of the header; then chunks of
64 KiB and 16 bytes of tag, the last one shorter. A chunk's nonce is its number and whether it is the last, so chunks
cannot be moved, left out or cut off unnoticed (Hoang, Reyhanitabar, Rogaway and Vizár 2015, STREAM). The key is new for
each file, so no nonce is used twice. What is inside is not known here.
"""

import hmac
import os
import struct
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from wigwag.domain.errors import Conflict, GatewayError

MAGIC, VERSION = b"wigwag backup\n", 1
COST = 17  # log2 of N: 128 MiB of memory, about half a second
HIGHEST_COST = 20  # a file may not make us take more than 1 GiB
CHUNK, TAG = 64 * 1024, 16  # bytes
_HEADER = struct.Struct("> 14s B B 16s 16s 8s")

Passphrase = Callable[[], str]
"""Asked for only when it is needed."""


def damaged() -> GatewayError:
    """The bytes are not those that were written."""
    return GatewayError("The backup is damaged or was cut off: take another copy of it.")


def seal(plain: Iterable[bytes], passphrase: str, *, cost: int = COST) -> Iterator[bytes]:
    """The sealed bytes, piece by piece."""
    salt = os.urandom(16)
    key, check = _keys(passphrase, salt, cost)
    header = _header(cost, salt, check)
    yield header
    cipher, number, pending = AESGCM(key), 0, bytearray()
    for data in plain:
        pending += data
        while len(pending) > CHUNK:
            yield cipher.encrypt(_nonce(number, last=False), bytes(pending[:CHUNK]), header)
            del pending[:CHUNK]
            number += 1
    yield cipher.encrypt(_nonce(number, last=True), bytes(pending), header)


def unseal(sealed: IO[bytes], passphrase: Passphrase) -> Iterator[bytes]:
    """What was sealed, chunk by chunk; each is genuine, and only the end of the iterator says that it was all.

    Raises:
        GatewayError: no backup, or a damaged one.
        Conflict: it was made by a newer version, or the passphrase is wrong.
    """
    header = sealed.read(_HEADER.size)
    cipher, number = AESGCM(_key_of(header, passphrase)), 0
    block = sealed.read(CHUNK + TAG)
    while block:
        following = sealed.read(CHUNK + TAG)
        try:
            plain = cipher.decrypt(_nonce(number, last=not following), block, header)
        except InvalidTag as error:
            raise damaged() from error
        yield plain
        block, number = following, number + 1
    if not number:
        raise damaged()


def _key_of(header: bytes, passphrase: Passphrase) -> bytes:
    """The key of a file that begins so, if the header is whole and the passphrase is right."""
    if not header.startswith(MAGIC):
        raise GatewayError("This is no backup of wigwag, or its beginning is damaged.")
    if header[len(MAGIC) : len(MAGIC) + 1] > bytes([VERSION]):
        raise Conflict("This backup was made by a newer wigwag: install that version.")
    if len(header) < _HEADER.size:
        raise damaged()
    _, _, cost, salt, check, _ = _HEADER.unpack(header)
    if header != _header(cost, salt, check) or cost > HIGHEST_COST:
        raise damaged()
    key, right = _keys(passphrase(), salt, cost)
    if not hmac.compare_digest(check, right):
        raise Conflict("The passphrase is wrong.")
    return key


def _header(cost: int, salt: bytes, check: bytes) -> bytes:
    header = _HEADER.pack(MAGIC, VERSION, cost, salt, check, b"")
    return header[:-8] + sha256(header[:-8]).digest()[:8]


def _keys(passphrase: str, salt: bytes, cost: int) -> tuple[bytes, bytes]:
    """The key of the chunks, and what tells whether a passphrase is the right one."""
    secret = Scrypt(salt=salt, length=48, n=2**cost, r=8, p=1).derive(passphrase.encode())
    return secret[:32], secret[32:]


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])
