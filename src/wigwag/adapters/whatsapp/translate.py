# SPDX-License-Identifier: Apache-2.0
"""neonize's protobufs to domain facts. Pure: who a LID is, is asked of `Person` and never decided here."""

from collections.abc import Callable
from typing import Any

from neonize.aioze import events as ev
from neonize.proto.Neonize_pb2 import JID, ChatPresence, PairStatus

from wigwag.adapters.whatsapp import reading
from wigwag.domain.account import LinkSignal, Stall
from wigwag.domain.errors import InvalidJid
from wigwag.domain.events import GroupReported, LinkReported, PresenceReported, Report, Typing, TypingReported
from wigwag.domain.ids import GROUP, LID, PERSON, Jid, contact_jid, group_jid
from wigwag.domain.presence import HIDDEN, Signal

Person = Callable[[Any], Jid | None]  # the one jid of a person, by phone number or LID; None if nobody knows

BAN_WITHOUT_END = 24 * 3600.0  # seconds, when WhatsApp names no end

LINK_SIGNALS = {
    ev.ConnectedEv: LinkSignal.UP,
    ev.DisconnectedEv: LinkSignal.DOWN,
    ev.KeepAliveTimeoutEv: LinkSignal.STALLED,
    ev.KeepAliveRestoredEv: LinkSignal.RESTORED,
    ev.StreamReplacedEv: LinkSignal.REPLACED,
    ev.LoggedOutEv: LinkSignal.LOGGED_OUT,
    ev.TemporaryBanEv: LinkSignal.BANNED,
    ev.ClientOutdatedEv: LinkSignal.OUTDATED,
    ev.ConnectFailureEv: LinkSignal.ERROR,
    ev.StreamErrorEv: LinkSignal.ERROR,
}
MESSAGES: dict[type, Callable[..., Report | None]] = {
    ev.MessageEv: reading.message,
    ev.ReceiptEv: reading.receipt,
    ev.CallOfferEv: reading.call,
}
HEARD = (*LINK_SIGNALS, *MESSAGES, ev.PairStatusEv, ev.PresenceEv, ev.ChatPresenceEv, ev.GroupInfoEv)  # all we hear


def report(message: Any, account: str, at: float, person: Person) -> Report | None:
    """The fact that a protobuf tells, or None if it tells nothing that we know about."""
    kind = type(message)
    if kind in MESSAGES:
        return MESSAGES[kind](message, account, at, person)
    if kind is ev.PresenceEv:
        return _presence(message, account, at, person)
    if kind is ev.ChatPresenceEv:
        return _typing(message, account, at, person)
    if kind is ev.GroupInfoEv:
        return _group(message, account, at, person)
    if kind is ev.PairStatusEv:
        return _paired(message, account, at)
    until = at + (message.Expire or BAN_WITHOUT_END) if kind is ev.TemporaryBanEv else None
    return LinkReported(account=account, signal=LINK_SIGNALS[kind], at=at, until=until, detail=_detail(message))


def people(message: Any) -> list[Any]:
    """The addresses in a protobuf that `report` will ask about."""
    kind = type(message)
    if kind in MESSAGES:
        return reading.addresses(message)
    if kind is ev.PresenceEv:
        return [message.From]
    if kind is ev.ChatPresenceEv:
        return [message.MessageSource.Sender]
    if kind is ev.GroupInfoEv:
        return [*message.Join, *message.Leave]
    return []


def known_jid(address: Any) -> Jid | None:
    """The jid of an address that is a phone number; None for a LID and for what is not a person."""
    if address.Server != PERSON:
        return None
    try:
        return contact_jid(f"{address.User}@{PERSON}")
    except InvalidJid:
        return None


def is_lid(address: Any) -> bool:
    return bool(address.Server == LID)


def address_of(jid: Jid) -> Any:
    """Neonize's form of a jid."""
    user, _, server = jid.partition("@")
    return JID(User=user, Server=server, Device=0, RawAgent=0, Integrator=0, IsEmpty=False)


def _presence(message: Any, account: str, at: float, person: Person) -> PresenceReported | None:
    jid = person(message.From)
    if jid is None:
        return None
    return PresenceReported(
        account=account,
        jid=jid,
        signal=Signal.UNAVAILABLE if message.Unavailable else Signal.AVAILABLE,
        # Hidden arrives as 0 or as Go's zero time, which lies far before the epoch.
        last_seen=float(message.LastSeen) if message.LastSeen > 0 else HIDDEN,
        at=at,
    )


def _typing(message: Any, account: str, at: float, person: Person) -> TypingReported | None:
    source = message.MessageSource
    jid = person(source.Sender)
    if jid is None or source.Chat.Server == GROUP:  # only what is meant for us
        return None
    typing = Typing.PAUSED
    if message.State == ChatPresence.COMPOSING:
        typing = Typing.RECORDING if message.Media == ChatPresence.AUDIO else Typing.COMPOSING
    return TypingReported(account=account, jid=jid, typing=typing, at=at)


def _group(message: Any, account: str, at: float, person: Person) -> GroupReported | None:
    joined = tuple(jid for jid in map(person, message.Join) if jid)
    left = tuple(jid for jid in map(person, message.Leave) if jid)
    subject = message.Name.Name if message.HasField("Name") else None
    if not joined and not left and subject is None:
        return None
    group = group_jid(message.JID.User)
    return GroupReported(account=account, group=group, joined=joined, left=left, subject=subject, at=at)


def _paired(message: Any, account: str, at: float) -> LinkReported:
    if message.Status == PairStatus.ERROR:
        return LinkReported(account=account, signal=LinkSignal.EXPIRED, at=at, detail=message.Error)
    return LinkReported(account=account, signal=LinkSignal.PAIRED, at=at, jid=known_jid(message.ID))


def _detail(message: Any) -> str:
    """What WhatsApp said about it, in a word or two."""
    kind = type(message)
    if kind is ev.KeepAliveTimeoutEv:
        return Stall.KEEP_ALIVES
    if kind is ev.StreamErrorEv:
        return f"stream error {message.Code}"
    if kind is ev.TemporaryBanEv:
        return str(message.TempBanReason.Name(message.Code)).lower()
    if kind in (ev.ConnectFailureEv, ev.LoggedOutEv):
        return f"reason {message.Reason}"
    return ""
