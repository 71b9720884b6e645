# SPDX-License-Identifier: Apache-2.0
"""The texts of whatsmeow's errors, and what each means: what is not surely unsent is never taken for it."""

import pytest

from wigwag.adapters.whatsapp.refusals import about_download, about_send
from wigwag.adapters.whatsapp.session import Cut
from wigwag.domain.errors import (
    GatewayError,
    NotFound,
    NotLinked,
    Refused,
    Restricted,
    Unavailable,
    Unconfirmed,
)

JID = "15550100001@s.whatsapp.net"

NOT_SENT: list[tuple[str, type[GatewayError]]] = [
    ("client is nil", NotLinked),
    ("the store doesn't contain a device JID", NotLinked),
    ("failed to send message node: websocket not connected", NotLinked),
    ("failed to send message node: frame socket is closed", NotLinked),
    (f"failed to get LID for PN {JID}: database is locked", Unavailable),
    (f"failed to get user info for {JID} to fill LID cache: websocket not connected", NotLinked),
    ("failed to get device list: websocket disconnected before info query returned response", NotLinked),
    (f"failed to get user info for {JID} to fill LID cache: info query timed out", Unavailable),
    (f"failed to get user info for {JID} to fill LID cache: info query returned status 429: rate", Unavailable),
    (f"no LID found for {JID} from server", Unavailable),
    ("failed to get group members: you're not participating in that group", Refused),
    ("failed to get group members: that group does not exist", Refused),
    ("failed to get group members: info query returned status 500: internal-server-error", Unavailable),
    ("failed to get device list: failed to send usync query: websocket not connected", NotLinked),
    ("failed to get device list: info query timed out", Unavailable),
    ("failed to fetch LID mappings: database is locked", Unavailable),
    ("failed to prefetch sessions: database is locked", Unavailable),
    ("failed to save cached sessions: database is locked", Unavailable),
    (f"failed to create sender key distribution message to send 3EB0AA to {JID}: no key", Unavailable),
    (f"failed to marshal sender key distribution message to send 3EB0AA to {JID}: bad", Unavailable),
    (f"failed to encrypt group message to send 3EB0AA to {JID}: no key", Unavailable),
    ("failed to marshal message: string field contains invalid UTF-8", Unavailable),
    ("can't encrypt message for device: no signal session established with 1:0", Unavailable),
    ("cipher encryption failed: no key", Unavailable),
]
NOT_TAKEN: list[tuple[str, type[GatewayError]]] = [
    *((f"server returned error {code}", Refused) for code in (400, 401, 403, 404, 405, 406, 421, 475, 479)),
    *((f"server returned error {code}", Unavailable) for code in (429, 500, 503)),
    ("server returned error 463", Restricted),
]
NOBODY_KNOWS = [
    "timed out waiting for message send response",
    "websocket disconnected before message send returned response",
    "websocket disconnected before message send (retry) returned response",
    "info query timed out",
    "failed to send message node: failed to write message: use of closed network connection",
    "websocket not connected",  # of the second attempt at a frame
    "frame socket is closed",  # as well
    "context canceled",
    "something that whatsmeow says next year",
    "",
]


@pytest.mark.parametrize(("text", "expected"), [*NOT_SENT, *NOT_TAKEN])
def test_what_surely_did_not_go_out_may_be_tried_again_or_has_failed(text: str, expected: type[GatewayError]) -> None:
    assert type(about_send(Exception(text))) is expected


@pytest.mark.parametrize("text", NOBODY_KNOWS)
def test_what_is_not_surely_unsent_is_unconfirmed(text: str) -> None:
    assert type(about_send(Exception(text))) is Unconfirmed


def test_a_client_that_ended_in_the_middle_leaves_a_message_unconfirmed() -> None:
    assert type(about_send(Cut())) is Unconfirmed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("download failed with status code 403", NotFound),
        ("failed to download media from last host: download failed with status code 404", NotFound),
        ("download failed with status code 410", NotFound),
        ("no url present", NotFound),
        ("didn't find any attachments in message", NotFound),
        ("download failed with status code 500", Unavailable),
        ('Get "https://host/v/t62/404_410_403.enc": connection refused', Unavailable),
        ("failed to refresh media connections: websocket not connected", Unavailable),
        ("hash of media ciphertext doesn't match", Unavailable),
        ("file too short", Unavailable),
    ],
)
def test_media_are_gone_only_if_the_server_says_so(text: str, expected: type[GatewayError]) -> None:
    assert type(about_download(Exception(text))) is expected
