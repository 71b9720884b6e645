# SPDX-License-Identifier: Apache-2.0
"""The protobuf messages of WhatsApp that the simulator reads or writes, as tables for `protobuf`.

Field numbers are facts of the protocol. A table holds only the fields that somebody here uses; no logic belongs here.
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

# End-to-end encrypted content, and the keys of the synchronised settings.
_SYNC_KEY = Message(
    {
        1: Field("id", Message({1: Field("id", "bytes")})),
        2: Field(
            "data",
            Message(
                {
                    1: Field("key", "bytes"),
                    2: Field("fingerprint", Message({1: Field("raw_id", "uint"), 2: Field("index", "uint")})),
                    3: Field("timestamp", "uint"),
                }
            ),
        ),
    }
)
_PROTOCOL_MESSAGE = Message(
    {2: Field("type", "uint"), 7: Field("sync_key_share", Message({1: Field("keys", _SYNC_KEY, repeated=True)}))}
)
_TEXT = Message({1: Field("text", "string")})
_CONTENT = {
    1: Field("conversation", "string"),
    3: Field("image", "bytes"),
    4: Field("contact", "bytes"),
    5: Field("location", "bytes"),
    6: Field("extended_text", _TEXT),
    7: Field("document", "bytes"),
    8: Field("audio", "bytes"),
    9: Field("video", "bytes"),
    12: Field("protocol", _PROTOCOL_MESSAGE),
    26: Field("sticker", "bytes"),
    46: Field("reaction", "bytes"),
}
_DEVICE_SENT = Message({1: Field("destination", "string"), 2: Field("message", Message(_CONTENT))})
CONTENT = Message({**_CONTENT, 31: Field("device_sent", _DEVICE_SENT)})
PROTOCOL_SYNC_KEY_SHARE = 6

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
