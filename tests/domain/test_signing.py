# SPDX-License-Identifier: Apache-2.0
"""Bodies and signatures: as Standard Webhooks and GitHub have them, judged by the standard's own library."""

import hmac
import json
from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from wigwag.domain.errors import InvalidSettings
from wigwag.domain.outbox import Event
from wigwag.domain.signing import Secret, body, given_secret, headers, new_secret, webhook_id

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NEW, OLD = new_secret(b"n" * 32), new_secret(b"o" * 24)


def machine_now() -> float:
    """The library compares with the machine's clock, and takes nothing that is older than five minutes."""
    return datetime.now(UTC).timestamp()


def event(text: str = "hello", **more: object) -> Event:
    values = {"id": "default.15550001111@s.whatsapp.net.3EB0", "kind": "message.received", "account": "default"}
    return Event(**{**values, "at": 1_800_000_000.25, "data": {"text": text}, **more})  # type: ignore[arg-type]


@given(st.text())
def test_whatever_is_told_verifies_with_the_library_of_the_standard(text: str) -> None:
    content = body(event(text))
    signed = headers(event(text), content, [NEW], machine_now())
    assert Webhook(NEW.text).verify(content, signed) == json.loads(content)


def test_a_changed_body_id_or_time_does_not_verify() -> None:
    content, now = body(event()), machine_now()
    signed = headers(event(), content, [NEW], now)
    for wrong in ({}, {"webhook-id": "evt_other"}, {"webhook-timestamp": str(int(now) - 1)}):
        sent = content if wrong else content + b" "
        with pytest.raises(WebhookVerificationError):
            Webhook(NEW.text).verify(sent, {**signed, **wrong})


def test_both_secrets_verify_until_the_old_one_expires() -> None:
    content, now = body(event()), machine_now()
    aging = Secret(text=OLD.text, until=now + 10)
    both = headers(event(), content, [NEW, aging], now)
    for secret in (NEW, OLD):
        Webhook(secret.text).verify(content, both)
    later = headers(event(), content, [NEW, aging], now + 10)
    assert len(later["webhook-signature"].split(" ")) == 1
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD.text).verify(content, later)


def test_the_signature_of_github_takes_the_whole_text_of_the_current_secret_as_its_key() -> None:
    content = body(event())
    expected = hmac.new(NEW.text.encode(), content, sha256).hexdigest()
    assert headers(event(), content, [NEW, OLD], 0.0)["x-hub-signature-256"] == f"sha256={expected}"


def test_the_body_is_that_of_the_standard_with_the_account_in_its_data() -> None:
    assert body(event("¿qué?")).decode() == (
        '{"type":"message.received","timestamp":"2027-01-15T08:00:00.250Z","data":{"account":"default","text":"¿qué?"}}'
    )
    assert json.loads(body(event(account="")))["data"]["account"] is None


def test_half_a_character_does_not_keep_an_event_from_being_told() -> None:
    assert json.loads(body(event("a\ud83db")))["data"]["text"] == "a?b"


def test_the_id_is_stable_and_has_no_number_and_no_full_stop() -> None:
    told = webhook_id(event().id)
    assert told == webhook_id(event().id) != webhook_id("another")
    assert told.startswith("evt_")
    assert "." not in told
    assert "1555" not in told


@pytest.mark.parametrize(("trace", "carried"), [(TRACE, True), (None, False), ("00-x\r\nevil: 1", False), ("", False)])
def test_a_trace_is_carried_if_it_is_one(trace: str | None, carried: bool) -> None:
    assert ("traceparent" in headers(event(trace=trace), b"", [NEW], 0.0)) is carried


@pytest.mark.parametrize("size", [24, 32, 64])
def test_a_secret_of_ones_own_is_taken(size: int) -> None:
    text = f"whsec_{b64encode(bytes(size)).decode()}"
    assert given_secret(text).key == bytes(size)


@pytest.mark.parametrize(
    "text", ["", "hunter2", "whsec_", "whsec_****", "whsec_é", b64encode(bytes(32)).decode()]
    + [f"whsec_{b64encode(bytes(size)).decode()}" for size in (23, 65)]
)  # fmt: skip
def test_a_weak_secret_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(InvalidSettings) as refused:
        given_secret(text)
    assert not text or text == "whsec_" or text not in str(refused.value)


def test_a_secret_never_shows() -> None:
    assert NEW.text not in repr(NEW)
    assert NEW.text not in str(NEW)
