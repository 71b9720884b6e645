# SPDX-License-Identifier: Apache-2.0
"""Messages as WhatsApp carried them, ours and those of others: what is kept of a chat.

What we still want to send is a job (`delivery`), not a message.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from wigwag.domain.ids import Jid


class MessageKind(StrEnum):
    """What kind of thing happened in a chat. The last four are about another message, named by `target`."""

    TEXT = "text"
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    VOICE = "voice"
    DOCUMENT = "document"
    STICKER = "sticker"
    LOCATION = "location"
    CONTACT = "contact"
    POLL = "poll"
    OTHER = "other"  # something that WhatsApp carries and we do not know
    REACTION = "reaction"
    EDIT = "edit"
    DELETION = "deletion"
    VOTE = "vote"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message in a chat. (account, chat, id) is unique.

    Args:
        id: WhatsApp's.
        chat: the person or the group.
        sender: who wrote it; in a chat with a person that is the person, or ourselves.
        text: the text, the caption, the emoji of a reaction, the question of a poll; the new text of an edit.
        target: the message that a reaction, an edit, a deletion or a vote is about.
        quoted: the message that this one answers.
        mimetype, size: of media.
        raw: WhatsApp's own bytes (waE2E.Message) for media, which are needed to download them later.
        media: the id of the media in our store, once they are there.
        job: our job, if we sent it.
        edited, deleted: when it was, Unix seconds; a deleted message has no text any more.
    """

    account: str
    chat: Jid
    id: str
    sender: Jid
    from_me: bool
    kind: MessageKind
    at: float
    name: str = field(default="", repr=False)
    text: str = field(default="", repr=False)
    target: str = ""
    quoted: str = ""
    mimetype: str = ""
    size: int = 0
    raw: bytes = field(default=b"", repr=False)
    media: str = ""
    job: str = ""
    edited: float | None = None
    deleted: float | None = None
