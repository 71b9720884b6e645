# SPDX-License-Identifier: Apache-2.0
"""What a webhook request is made of: the body, and the headers that prove it came from us (Standard Webhooks 1.0).

The same bytes are signed and sent. A secret is kept readable, because signing needs it, and never shows in a repr.
"""

import hmac
import json
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256

from wigwag.domain import traces
from wigwag.domain.errors import InvalidSettings
from wigwag.domain.outbox import Event

PREFIX = "whsec_"
SHORTEST, LARGEST = 24, 64  # bytes of a secret (Standard Webhooks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A signing secret as it is shown to people, `whsec_` and base64; `until` when it signs, None for always."""

    text: str = field(repr=False)
    until: float | None = None

    @property
    def key(self) -> bytes:
        """The bytes that sign by Standard Webhooks."""
        return b64decode(self.text.removeprefix(PREFIX), validate=True)


def new_secret(random: bytes) -> Secret:
    """A secret from random bytes."""
    return Secret(text=PREFIX + b64encode(random).decode())


def given_secret(text: str) -> Secret:
    """A secret that somebody chose.

    Raises:
        InvalidSettings: it is not `whsec_` and the base64 of 24 to 64 bytes. It is not repeated.
    """
    secret = Secret(text=text)
    try:
        fits = text.startswith(PREFIX) and SHORTEST <= len(secret.key) <= LARGEST
    except (NotBase64, ValueError):
        fits = False
    if not fits:
        raise InvalidSettings(f"A secret is {PREFIX} and the base64 of {SHORTEST} to {LARGEST} random bytes.")
    return secret


def webhook_id(event_id: str) -> str:
    """The `webhook-id` of an event: the same for every attempt and endpoint.

    It is a hash, because ids of events hold phone numbers and what senders chose, while the standard wants an id that
    no stranger controls and that has no full stop.
    """
    return f"evt_{sha256(event_id.encode('utf-8', 'replace')).hexdigest()[:32]}"


def body(event: Event) -> bytes:
    """The JSON that is sent: type, timestamp (RFC 3339, UTC) and data, the account among them."""
    at = datetime.fromtimestamp(event.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    told = {"type": event.kind, "timestamp": at, "data": {"account": event.account or None, **event.data}}
    # A lone surrogate, which WhatsApp lets pass, has no UTF-8.
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def headers(event: Event, content: bytes, secrets: Sequence[Secret], now: float) -> dict[str, str]:
    """The headers of one attempt.

    Args:
        secrets: the newest first; all that have not expired sign, so that a receiver may change at any time.
    """
    sent_id, timestamp = webhook_id(event.id), str(int(now))
    live = [secret for secret in secrets if secret.until is None or now < secret.until]
    signed = f"{sent_id}.{timestamp}.".encode() + content
    made = {
        "content-type": "application/json",
        "webhook-id": sent_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_signature(secret, signed) for secret in live),
        # As GitHub does it: the secret's whole text is the key.
        "x-hub-signature-256": f"sha256={hmac.new(live[0].text.encode(), content, sha256).hexdigest()}",
    }
    if trace := traces.parse(event.trace):
        made["traceparent"] = str(trace)
    return made


def _signature(secret: Secret, signed: bytes) -> str:
    return f"v1,{b64encode(hmac.digest(secret.key, signed, sha256)).decode()}"
