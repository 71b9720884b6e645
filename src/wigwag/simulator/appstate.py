# SPDX-License-Identifier: Apache-2.0
"""An account's synchronised settings ("app state"): encrypted patches that its devices exchange through the server.

The phone makes the first one, with the account's push name, for a client needs that name before it may show itself
online. The server cannot read patches: it only checks versions and hands them on.
"""

import hashlib
import hmac
import json
import os
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from wigwag.simulator import e2e, schema
from wigwag.simulator.curve import hkdf, mac
from wigwag.simulator.protobuf import ProtobufError

COLLECTIONS = frozenset({"critical_block", "critical_unblock_low", "regular", "regular_high", "regular_low"})
_PUSH_NAME_COLLECTION = "critical_block"
_SET = b"\x01"


@dataclass(slots=True)
class AppState:
    """`patches` by collection; the version of a collection is how many it has."""

    key_id: bytes = field(default_factory=lambda: b"\0\0" + os.urandom(4))
    key: bytes = field(default_factory=lambda: os.urandom(32), repr=False)
    patches: dict[str, list[bytes]] = field(default_factory=dict)

    def version(self, collection: str) -> int:
        return len(self.patches.get(collection, ()))

    def since(self, collection: str, version: int) -> list[bytes]:
        return self.patches.get(collection, [])[version:]

    def accept(self, collection: str, version: int, patch: bytes) -> bool:
        """Append a device's patch; False when it was made against another version than the present one."""
        if version != self.version(collection):
            return False
        try:
            schema.SYNC_PATCH.decode(patch)
        except ProtobufError:
            return False
        stamp = schema.SYNC_PATCH.encode({"version": {"version": version + 1}})
        self.patches.setdefault(collection, []).append(stamp + patch)
        return True

    def ensure_push_name(self, name: str, now: int) -> None:
        """Make the first patch of the settings, unless there is one."""
        if not self.version(_PUSH_NAME_COLLECTION):
            self.patches[_PUSH_NAME_COLLECTION] = [_push_name_patch(self, name, now)]

    def key_share(self, now: int) -> dict[str, Any]:
        """What the phone sends to a new device so that it can read the patches: fields of a content message."""
        fingerprint = {"raw_id": 1, "index": 0}
        key = {"id": {"id": self.key_id}, "data": {"key": self.key, "fingerprint": fingerprint, "timestamp": now}}
        return {"protocol": {"type": e2e.SYNC_KEY_SHARE, "sync_key_share": {"keys": [key]}}}


def _push_name_patch(state: AppState, name: str, now: int) -> bytes:
    expanded = hkdf(state.key, info=b"WhatsApp Mutation Keys", size=160)
    index_key, value_key, value_mac_key, snapshot_key, patch_key = (expanded[at : at + 32] for at in range(0, 160, 32))
    index = json.dumps(["setting_pushName"], separators=(",", ":")).encode()
    action = {"index": index, "value": {"timestamp": now * 1000, "push_name": {"name": name}}, "padding": b""}
    sealed = _seal(value_key, schema.SYNC_ACTION_DATA.encode({**action, "version": 1}))
    value_mac = _value_mac(value_mac_key, state.key_id, sealed)
    version = (1).to_bytes(8, "big") + _PUSH_NAME_COLLECTION.encode()
    snapshot_mac = mac(snapshot_key, hkdf(value_mac, info=b"WhatsApp Patch Integrity", size=128), version)
    record = {
        "index": {"blob": mac(index_key, index)},
        "value": {"blob": sealed + value_mac},
        "key_id": {"id": state.key_id},
    }
    return schema.SYNC_PATCH.encode(
        {
            "version": {"version": 1},
            "mutations": [{"operation": 0, "record": record}],
            "snapshot_mac": snapshot_mac,
            "patch_mac": mac(patch_key, snapshot_mac, value_mac, version),
            "key_id": {"id": state.key_id},
        }
    )


def _seal(key: bytes, plain: bytes) -> bytes:
    iv, padder = os.urandom(16), PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return iv + encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()


def _value_mac(key: bytes, key_id: bytes, sealed: bytes) -> bytes:
    size = (len(key_id) + 1).to_bytes(8, "big")
    return hmac.new(key, _SET + key_id + sealed + size, hashlib.sha512).digest()[:32]
