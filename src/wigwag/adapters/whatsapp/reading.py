# SPDX-License-Identifier: Apache-2.0
"""Messages, receipts and calls that WhatsApp's library tells of, as facts. Pure, like `translate`."""

from collections.abc import Callable
from typing import Any

from neonize.proto.Neonize_pb2 import Receipt as ReceiptProtobuf

from wigwag.domain.delivery import Mark, Receipt
from wigwag.domain.events import CallReported, MessageReported, ReceiptReported
from wigwag.domain.ids import GROUP, Jid, group_jid
from wigwag.domain.messages import Message, MessageKind

Person = Callable[[Any], Jid | None]

LONGEST_TEXT = 65_536  # characters of what others write
_REVOKE, _EDIT = 0, 14  # waE2E ProtocolMessage.Type
_MARKS = {
    ReceiptProtobuf.DELIVERED: Mark.DELIVERED,
    ReceiptProtobuf.READ: Mark.READ,
    ReceiptProtobuf.PLAYED: Mark.PLAYED,
}
_FILES = {
    "imageMessage": MessageKind.IMAGE,
    "videoMessage": MessageKind.VIDEO,
    "ptvMessage": MessageKind.VIDEO,
    "audioMessage": MessageKind.AUDIO,
    "documentMessage": MessageKind.DOCUMENT,
    "stickerMessage": MessageKind.STICKER,
}
_POLLS = ("pollCreationMessage", "pollCreationMessageV2", "pollCreationMessageV3")
_OTHERS = {
    "locationMessage": MessageKind.LOCATION,
    "liveLocationMessage": MessageKind.LOCATION,
    "contactMessage": MessageKind.CONTACT,
    "contactsArrayMessage": MessageKind.CONTACT,
}
_SILENT = {"messageContextInfo", "senderKeyDistributionMessage", "protocolMessage"}  # for clients, not for people


def message(heard: Any, account: str, at: float, person: Person) -> MessageReported | None:
    """What somebody wrote; None for what is meant for clients alone, or comes from nobody we can name."""
    info, said = heard.Info, heard.Message
    chat, sender = _chat(info.MessageSource, person), _sender(info.MessageSource, person)
    if chat is None or sender is None:
        return None
    found = _said(said)
    if found is None:
        return None
    kept = Message(
        account=account,
        chat=chat,
        id=info.ID,
        sender=sender,
        from_me=info.MessageSource.IsFromMe,
        at=info.Timestamp / 1000 or at,
        name=_clean(info.Pushname),
        **found,
    )
    return MessageReported(message=kept, at=at)


def receipt(heard: Any, account: str, at: float, person: Person) -> ReceiptReported | None:
    """WhatsApp's word on messages; None for what our own devices say, and for asking for a message again."""
    mark, source = _MARKS.get(heard.Type), heard.MessageSource
    chat, reader = _chat(source, person), person(source.Sender)
    if mark is None or chat is None or source.IsFromMe:
        return None
    when = min(float(heard.Timestamp), at) or at
    ids = tuple(heard.MessageIDs)
    told = Receipt(account=account, chat=chat, reader=reader or chat, message_ids=ids, mark=mark, at=when)
    return ReceiptReported(receipt=told, at=at)


def call(heard: Any, account: str, at: float, person: Person) -> CallReported | None:
    meta = heard.basicCallMeta
    caller = person(meta.callCreator) or person(meta.callCreatorAlt)
    return None if caller is None else CallReported(account=account, caller=caller, call_id=meta.callID, at=at)


def addresses(heard: Any) -> list[Any]:
    """The addresses that the functions above will ask about."""
    if hasattr(heard, "basicCallMeta"):
        return [heard.basicCallMeta.callCreator]
    source = heard.Info.MessageSource if hasattr(heard, "Info") else heard.MessageSource
    return [source.Chat, source.Sender]


def _chat(source: Any, person: Person) -> Jid | None:
    if source.Chat.Server == GROUP:
        return group_jid(source.Chat.User)
    return person(source.Chat) or person(source.RecipientAlt if source.IsFromMe else source.SenderAlt)


def _sender(source: Any, person: Person) -> Jid | None:
    return person(source.Sender) or person(source.SenderAlt)


def _said(said: Any) -> dict[str, Any] | None:
    """The fields of a `Message` that depend on what was said."""
    present = {field.name for field, _ in said.ListFields()}
    if "protocolMessage" in present:
        return _about_another(said.protocolMessage)
    for name, read in _READERS.items():
        if name in present:
            return read(getattr(said, name))
    return _with_more(said, present)


def _text(text: Any) -> dict[str, Any]:
    return {"kind": MessageKind.TEXT, "text": _clean(text.text), "quoted": text.contextInfo.stanzaID}


def _reaction(reaction: Any) -> dict[str, Any]:
    return {"kind": MessageKind.REACTION, "text": _clean(reaction.text), "target": reaction.key.ID}


_READERS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "conversation": lambda text: {"kind": MessageKind.TEXT, "text": _clean(text)},
    "extendedTextMessage": _text,
    "reactionMessage": _reaction,
    "pollUpdateMessage": lambda vote: {"kind": MessageKind.VOTE, "target": vote.pollCreationMessageKey.ID},
}


def _with_more(said: Any, present: set[str]) -> dict[str, Any] | None:
    for name, kind in _FILES.items():
        if name in present:
            return _file(said, getattr(said, name), kind)
    for name in _POLLS:
        if name in present:
            return {"kind": MessageKind.POLL, "text": _clean(getattr(said, name).name)}
    for name, kind in _OTHERS.items():
        if name in present:
            it = getattr(said, name)
            text = getattr(it, "displayName", "") or getattr(it, "name", "")
            return {"kind": kind, "text": _clean(text), "quoted": it.contextInfo.stanzaID}
    return {"kind": MessageKind.OTHER} if present - _SILENT else None


def _file(said: Any, it: Any, kind: MessageKind) -> dict[str, Any]:
    voice = kind is MessageKind.AUDIO and it.PTT
    return {
        "kind": MessageKind.VOICE if voice else kind,
        "text": _clean(getattr(it, "caption", "") or getattr(it, "fileName", "")),
        "quoted": it.contextInfo.stanzaID,
        "mimetype": _clean(it.mimetype)[:128],
        "size": it.fileLength,
        "raw": said.SerializeToString(),
    }


def _about_another(protocol: Any) -> dict[str, Any] | None:
    """An edit or a deletion."""
    if protocol.type == _EDIT:
        after = _said(protocol.editedMessage) or {}
        return {"kind": MessageKind.EDIT, "target": protocol.key.ID, "text": after.get("text", "")}
    if protocol.type == _REVOKE and protocol.key.ID:
        return {"kind": MessageKind.DELETION, "target": protocol.key.ID}
    return None


def _clean(text: str) -> str:
    """What every database can hold."""
    return text[:LONGEST_TEXT].replace("\0", "\ufffd")
