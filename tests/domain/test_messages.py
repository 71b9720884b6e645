# SPDX-License-Identifier: Apache-2.0
"""Messages in chats: every kind that can be sent can be kept, and nothing shows what it says."""

import pytest

from wigwag.domain.contents import Kind
from wigwag.domain.ids import Jid
from wigwag.domain.messages import Message, MessageKind

CHAT = Jid("15550100001@s.whatsapp.net")


@pytest.mark.parametrize("kind", Kind)
def test_whatever_we_send_is_a_kind_of_message(kind: Kind) -> None:
    assert MessageKind(kind.value).value == kind.value


def test_a_message_shows_neither_its_text_nor_its_bytes_nor_a_name() -> None:
    message = Message(
        account="a",
        chat=CHAT,
        id="M1",
        sender=CHAT,
        from_me=False,
        kind=MessageKind.TEXT,
        at=1.0,
        name="a secret",
        text="a secret",
        raw=b"a secret",
    )
    assert "a secret" not in repr(message)
