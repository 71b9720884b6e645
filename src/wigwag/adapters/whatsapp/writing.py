# SPDX-License-Identifier: Apache-2.0
"""A job as the protobuf that WhatsApp carries (waE2E.Message). Pure: what has to be uploaded is uploaded before."""

from typing import Any

from neonize.proto.waCommon.WACommon_pb2 import MessageKey
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import (
    AudioMessage,
    ContactMessage,
    ContextInfo,
    DocumentMessage,
    ExtendedTextMessage,
    ImageMessage,
    LocationMessage,
    Message,
    MessageContextInfo,
    PollCreationMessage,
    ReactionMessage,
    StickerMessage,
    VideoMessage,
)

from wigwag.domain.contents import ContactCard, Kind, Location, Media, Poll, Reaction, Text
from wigwag.domain.delivery import Job
from wigwag.domain.ids import number
from wigwag.domain.media import Prepared


def written(job: Job, media: Prepared | None, upload: Any, now: float) -> Message:
    """The message of a job.

    Args:
        upload: neonize's answer to the upload of the media; None without media.
    """
    message = _content(job, media, upload, now)
    # whatsmeow writes this down beside the message's id before it sends: so a crash can be told from a loss.
    message.messageContextInfo.MergeFrom(MessageContextInfo(messageSecret=bytes.fromhex(job.secret)))
    return message


def _content(job: Job, media: Prepared | None, upload: Any, now: float) -> Message:
    context = _context(job)
    match job.content:
        case Text(text=text):
            return _text(text, context)
        case Location() as place:
            where = LocationMessage(
                degreesLatitude=place.latitude,
                degreesLongitude=place.longitude,
                name=place.name,
                address=place.address,
                contextInfo=context,
            )
            return Message(locationMessage=where)
        case ContactCard() as card:
            return Message(
                contactMessage=ContactMessage(displayName=card.name, vcard=_vcard(card), contextInfo=context)
            )
        case Poll() as poll:
            return _poll(poll, context)
        case Reaction() as reaction:
            return _reaction(job, reaction, now)
        case Media() as content:
            assert media is not None  # noqa: S101  the dispatcher prepared it
            return _media(content, media, upload, context)


def _text(text: str, context: ContextInfo | None) -> Message:
    if context is None:
        return Message(conversation=text)
    return Message(extendedTextMessage=ExtendedTextMessage(text=text, contextInfo=context))


def _context(job: Job) -> ContextInfo | None:
    """What a reply answers, and who is mentioned."""
    if job.quote is None and not job.mentions:
        return None
    context = ContextInfo(mentionedJID=list(job.mentions))
    if job.quote is not None:
        context.stanzaID, context.participant = job.quote.message_id, job.quote.sender
        context.quotedMessage.conversation = job.quote.text
    return context


def _vcard(card: ContactCard) -> str:
    """RFC 2426, with the parameter by which WhatsApp finds the person."""
    name = " ".join(card.name.splitlines()).replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    digits = "".join(filter(str.isdigit, card.phone))
    phone = f"TEL;type=CELL;waid={digits}:+{digits}"
    return f"BEGIN:VCARD\nVERSION:3.0\nN:;{name};;;\nFN:{name}\n{phone}\nEND:VCARD"


def _poll(poll: Poll, context: ContextInfo | None) -> Message:
    options = [PollCreationMessage.Option(optionName=option) for option in poll.options]
    creation = PollCreationMessage(
        name=poll.question, options=options, selectableOptionsCount=poll.selectable, contextInfo=context
    )
    if poll.selectable == 1:  # WhatsApp's own clients use another field for each
        return Message(pollCreationMessageV3=creation)
    return Message(pollCreationMessage=creation)


def _reaction(job: Job, reaction: Reaction, now: float) -> Message:
    assert job.quote is not None  # noqa: S101  the sender found it
    key = MessageKey(remoteJID=job.to, fromMe=job.quote.from_me, ID=reaction.message_id)
    if number(job.to) != number(job.quote.sender) and not job.quote.from_me:
        key.participant = job.quote.sender
    return Message(reactionMessage=ReactionMessage(key=key, text=reaction.emoji, senderTimestampMS=round(now * 1000)))


def _media(content: Media, media: Prepared, upload: Any, context: ContextInfo | None) -> Message:
    where: dict[str, Any] = {
        "URL": upload.url,
        "directPath": upload.DirectPath,
        "mediaKey": upload.MediaKey,
        "fileEncSHA256": upload.FileEncSHA256,
        "fileSHA256": upload.FileSHA256,
        "fileLength": upload.FileLength,
        "mimetype": media.mimetype,
        "contextInfo": context,
    }
    size = {"width": media.width, "height": media.height}
    seen = {"caption": content.caption, "JPEGThumbnail": media.thumbnail}
    match content.kind:
        case Kind.IMAGE:
            return Message(imageMessage=ImageMessage(**where, **size, **seen))
        case Kind.VIDEO:
            return Message(videoMessage=VideoMessage(**where, **size, **seen, seconds=media.seconds))
        case Kind.AUDIO | Kind.VOICE:
            voice = content.kind is Kind.VOICE
            return Message(audioMessage=AudioMessage(**where, seconds=media.seconds, PTT=voice))
        case Kind.STICKER:
            return Message(stickerMessage=StickerMessage(**where, **size, isAnimated=media.animated))
        case _:
            name = content.filename or "file"
            return Message(documentMessage=DocumentMessage(**where, caption=content.caption, fileName=name, title=name))
