# SPDX-License-Identifier: Apache-2.0
"""Messages as rows of the table `messages`, and back. Texts are others': what no database can hold is replaced."""

from typing import Any

from wigwag.adapters.storage.schema_messages import messages as said
from wigwag.domain.ids import Jid
from wigwag.domain.messages import Message, MessageKind
from wigwag.domain.texts import kept_text

KEY = (said.c.chat, said.c.account, said.c.id)


def message_row(message: Message) -> dict[str, Any]:
    return {
        "chat": message.chat,
        "account": message.account,
        "id": message.id,
        "sender": message.sender,
        "from_me": message.from_me,
        "kind": message.kind.value,
        "said_at": message.at,
        "name": kept_text(message.name),
        "body": kept_text(message.text, None),
        "target": message.target,
        "quoted": message.quoted,
        "mimetype": kept_text(message.mimetype),
        "size": message.size,
        "raw": message.raw,
        "media": message.media or None,
        "job": message.job,
        "edited": message.edited,
        "deleted": message.deleted,
    }


def change_row(change: Message) -> dict[str, Any]:
    """An edit or a deletion, as the parameters of what it does to its target."""
    row = {
        "in_chat": change.chat,
        "of_account": change.account,
        "of": change.target,
        "by": change.sender,
        "when": change.at,
    }
    return row | {"new": kept_text(change.text, None)} if change.kind is MessageKind.EDIT else row


def message_of(row: Any) -> Message:
    """The message in a row of all columns."""
    kept = row._asdict()
    return Message(
        account=kept["account"],
        chat=Jid(kept["chat"]),
        id=kept["id"],
        sender=Jid(kept["sender"]),
        from_me=kept["from_me"],
        kind=MessageKind(kept["kind"]),
        at=kept["said_at"],
        name=kept["name"],
        text=kept["body"],
        target=kept["target"],
        quoted=kept["quoted"],
        mimetype=kept["mimetype"],
        size=kept["size"],
        raw=kept["raw"],
        media=kept["media"] or "",
        job=kept["job"],
        edited=kept["edited"],
        deleted=kept["deleted"],
    )
