# SPDX-License-Identifier: Apache-2.0
"""What whatsmeow's errors say about a message: surely not sent, not taken, or nobody knows.

The texts are those of whatsmeow's errors.go and send.go. What is not listed here is "nobody knows": the dispatcher then
looks whether the message came as far as being written down, and if it did, never sends it again by itself.
"""

import re

from wigwag.domain.errors import GatewayError, NotFound, NotLinked, Refused, Restricted, Unavailable, Unconfirmed

_SERVER = re.compile(r"server returned error (\d+)")
_NOT_OUT = (
    "failed to send message node: websocket not connected",
    "failed to send message node: frame socket is closed",
)
_NO_ACCOUNT = ("the store doesn't contain a device jid", "client is nil")
_BEFORE = (
    *("failed to get", "no lid found", "failed to fetch lid mappings", "failed to prefetch sessions"),
    *("failed to save cached sessions", "failed to create sender key", "failed to encrypt", "failed to marshal"),
    *("can't encrypt", "cipher encryption failed"),
)
_NOT_IN_GROUP = ("not participating in that group", "that group does not exist")
_RESTRICTED, _LATER = 463, {429, 500, 503}
_GONE = re.compile(r"status code (403|404|410)|no url present|didn't find any attachments")


def about_send(error: Exception) -> GatewayError:
    """What an error of SendMessage means for the message."""
    text = str(error)
    lower = text.lower()
    if found := _SERVER.search(lower):
        return _refusal(int(found[1]))
    if any(sign in lower for sign in (*_NOT_OUT, *_NO_ACCOUNT)):
        return NotLinked()
    if any(sign in lower for sign in _NOT_IN_GROUP):
        return Refused("The account is not in this group.")
    if lower.startswith(_BEFORE):
        return NotLinked() if "websocket" in lower else Unavailable(f"WhatsApp's library could not send: {text}")
    return Unconfirmed(f"WhatsApp's library does not know whether this was sent: {text}")


def _refusal(code: int) -> GatewayError:
    if code == _RESTRICTED:
        return Restricted()
    if code in _LATER:
        return Unavailable(f"WhatsApp refused for now (error {code}).")
    return Refused(f"WhatsApp refused this message (error {code}).")


def about_download(error: Exception) -> GatewayError:
    """What an error of a download means."""
    text = str(error)
    if _GONE.search(text.lower()):
        return NotFound("WhatsApp does not keep these media any more.")
    return Unavailable(f"WhatsApp's media server did not give them: {text}")
