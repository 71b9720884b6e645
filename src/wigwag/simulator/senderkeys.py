# SPDX-License-Identifier: Apache-2.0
"""The encryption of groups: each member has a sender key, tells it to the others once, and writes one text for all.

Pure but for fresh keys. Members are named by any hashable address, groups by their id; who is told a key and how is
`phone`'s affair. Source: Signal's sender keys (`SenderKeyMessage`, `SenderKeyDistributionMessage`, version 3).
"""

import secrets
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from typing import Any

from wigwag.simulator import ratchet, schema
from wigwag.simulator.curve import DJB, KEY_SIZE, SIGNATURE_SIZE, KeyPair, hkdf, verify
from wigwag.simulator.protobuf import Message, ProtobufError
from wigwag.simulator.ratchet import Chain, SignalError
from wigwag.simulator.signal import pad, unpad

_MAX_KEYS = 5


@dataclass(slots=True)
class SenderKey:
    """Our own key of a group; `told` are the devices that have it."""

    id: int = field(default_factory=lambda: secrets.randbelow(1 << 31))
    pair: KeyPair = field(default_factory=KeyPair.generate)
    chain: Chain = field(default_factory=lambda: Chain(secrets.token_bytes(32)))
    told: set[Hashable] = field(default_factory=set)

    def distribution(self) -> bytes:
        """What a member needs to read all that is written from now on."""
        chain = {"iteration": self.chain.index, "chain_key": self.chain.key}
        fields = {"id": self.id, **chain, "signing_key": DJB + self.pair.public}
        return ratchet.VERSION + schema.SENDER_KEY_DISTRIBUTION.encode(fields)

    def encrypt(self, plain: bytes) -> bytes:
        iteration = self.chain.index
        self.chain, seed = self.chain.step()
        ciphertext = ratchet.seal(*_message_keys(seed), pad(plain))
        fields = {"id": self.id, "iteration": iteration, "ciphertext": ciphertext}
        body = ratchet.VERSION + schema.SENDER_KEY_MESSAGE.encode(fields)
        return body + self.pair.sign(body)


@dataclass(frozen=True, slots=True)
class _Known:
    """Somebody else's key of a group."""

    id: int
    public: bytes
    chain: Chain


@dataclass(slots=True)
class GroupKeys:
    """The sender keys that one device knows, of its own and of others."""

    _ours: dict[str, SenderKey] = field(default_factory=dict)
    _theirs: dict[tuple[str, Hashable], list[_Known]] = field(default_factory=dict)

    def ours(self, group: str) -> SenderKey:
        return self._ours.setdefault(group, SenderKey())

    def forget(self, group: str) -> None:
        """Somebody has left: what is written next is not for them, so there will be a new key."""
        self._ours.pop(group, None)

    def learn(self, group: str, address: Hashable, distribution: bytes) -> None:
        """Take a member's key. One that is known already stays as far as it has come. Raises SignalError."""
        fields = _decode(schema.SENDER_KEY_DISTRIBUTION, distribution)
        signing, chain_key = fields.get("signing_key", b""), fields.get("chain_key", b"")
        if signing[:1] != DJB or len(signing) != KEY_SIZE + 1 or len(chain_key) != KEY_SIZE:
            raise SignalError("the sender key lacks its chain key or its signing key")
        new = _Known(fields.get("id", 0), signing[1:], Chain(chain_key, fields.get("iteration", 0)))
        known = self._theirs.get((group, address), [])
        if all((each.id, each.public) != (new.id, new.public) for each in known):
            self._theirs[group, address] = [new, *known][:_MAX_KEYS]

    def decrypt(self, group: str, address: Hashable, message: bytes) -> bytes:
        """The plain text of an `skmsg`. Raises SignalError when it cannot be read."""
        body, signature = message[:-SIGNATURE_SIZE], message[-SIGNATURE_SIZE:]
        fields = _decode(schema.SENDER_KEY_MESSAGE, body)
        known = self._theirs.get((group, address), [])
        key = next((each for each in known if each.id == fields.get("id", 0)), None)
        if key is None:
            raise SignalError("no sender key of that member for this group")
        if not verify(key.public, body, signature):
            raise SignalError("the signature of the group message is false")
        chain, seed = key.chain.seek(fields.get("iteration", 0))
        plain = unpad(ratchet.unseal(*_message_keys(seed), fields.get("ciphertext", b"")))
        known[known.index(key)] = replace(key, chain=chain)
        return plain


def _decode(table: Message, data: bytes) -> dict[str, Any]:
    if data[:1] != ratchet.VERSION:
        raise SignalError("not a sender key message of version 3")
    try:
        return table.decode(data[1:])
    except ProtobufError as error:
        raise SignalError("the sender key message is not readable") from error


def _message_keys(seed: bytes) -> tuple[bytes, bytes]:
    """The cipher key and the initial vector."""
    derived = hkdf(seed, info=b"WhisperGroup", size=48)
    return derived[16:], derived[:16]
