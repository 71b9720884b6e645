# SPDX-License-Identifier: Apache-2.0
"""The protobuf messages of WhatsApp that the simulator reads or writes, as tables for `protobuf`.

Field numbers are facts of the protocol. A table holds only the fields that somebody here uses; no logic belongs here.
What people write to each other has tables of its own, in `e2e`.
"""

from wigwag.simulator.protobuf import Field, Message

# Noise handshake and the certificate of the server.
_HELLO = Message({1: Field("ephemeral", "bytes"), 2: Field("static", "bytes"), 3: Field("payload", "bytes")})
_FINISH = Message({1: Field("static", "bytes"), 2: Field("payload", "bytes")})
HANDSHAKE = Message(
    {2: Field("client_hello", _HELLO), 3: Field("server_hello", _HELLO), 4: Field("client_finish", _FINISH)}
)
CERTIFICATE_DETAILS = Message(
    {
        1: Field("serial", "uint"),
        2: Field("issuer_serial", "uint"),
        3: Field("key", "bytes"),
        4: Field("not_before", "uint"),
        5: Field("not_after", "uint"),
    }
)
_CERTIFICATE = Message({1: Field("details", "bytes"), 2: Field("signature", "bytes")})
CERTIFICATE_CHAIN = Message({1: Field("leaf", _CERTIFICATE), 2: Field("intermediate", _CERTIFICATE)})

# What a client says of itself in the last step of the handshake.
PAIRING_DATA = Message(
    {
        1: Field("registration", "bytes"),
        2: Field("key_type", "bytes"),
        3: Field("identity", "bytes"),
        4: Field("skey_id", "bytes"),
        5: Field("skey_value", "bytes"),
        6: Field("skey_signature", "bytes"),
    }
)
CLIENT_PAYLOAD = Message(
    {
        1: Field("username", "uint"),
        3: Field("passive", "uint"),
        18: Field("device", "uint"),
        19: Field("pairing", PAIRING_DATA),
        33: Field("pull", "uint"),
    }
)

# The proof that a device belongs to an account.
DEVICE_IDENTITY = Message(
    {1: Field("raw_id", "uint"), 2: Field("timestamp", "uint"), 3: Field("key_index", "uint")},
)
SIGNED_DEVICE_IDENTITY = Message(
    {
        1: Field("details", "bytes"),
        2: Field("account_key", "bytes"),
        3: Field("account_signature", "bytes"),
        4: Field("device_signature", "bytes"),
    }
)
DEVICE_IDENTITY_HMAC = Message({1: Field("details", "bytes"), 2: Field("hmac", "bytes")})

# Signal messages.
SIGNAL_MESSAGE = Message(
    {
        1: Field("ratchet_key", "bytes"),
        2: Field("counter", "uint"),
        3: Field("previous_counter", "uint"),
        4: Field("ciphertext", "bytes"),
    }
)
PREKEY_SIGNAL_MESSAGE = Message(
    {
        5: Field("registration", "uint"),
        1: Field("prekey_id", "uint"),
        6: Field("skey_id", "uint"),
        2: Field("base_key", "bytes"),
        3: Field("identity", "bytes"),
        4: Field("message", "bytes"),
    }
)

# Messages to a group: one ciphertext for all, and the key to read it.
SENDER_KEY_MESSAGE = Message({1: Field("id", "uint"), 2: Field("iteration", "uint"), 3: Field("ciphertext", "bytes")})
SENDER_KEY_DISTRIBUTION = Message(
    {
        1: Field("id", "uint"),
        2: Field("iteration", "uint"),
        3: Field("chain_key", "bytes"),
        4: Field("signing_key", "bytes"),
    }
)

# Synchronised settings ("app state").
SYNC_VERSION = Message({1: Field("version", "uint")})
_BLOB = Message({1: Field("blob", "bytes")})
_KEY_ID = Message({1: Field("id", "bytes")})
_SYNC_RECORD = Message({1: Field("index", _BLOB), 2: Field("value", _BLOB), 3: Field("key_id", _KEY_ID)})
_SYNC_MUTATION = Message({1: Field("operation", "uint"), 2: Field("record", _SYNC_RECORD)})
SYNC_PATCH = Message(
    {
        1: Field("version", SYNC_VERSION),
        2: Field("mutations", _SYNC_MUTATION, repeated=True),
        4: Field("snapshot_mac", "bytes"),
        5: Field("patch_mac", "bytes"),
        6: Field("key_id", _KEY_ID),
    }
)
_PUSH_NAME = Message({1: Field("name", "string")})
_SYNC_ACTION = Message({1: Field("timestamp", "uint"), 7: Field("push_name", _PUSH_NAME)})
SYNC_ACTION_DATA = Message(
    {
        1: Field("index", "bytes"),
        2: Field("value", _SYNC_ACTION),
        3: Field("padding", "bytes"),
        4: Field("version", "uint"),
    }
)
