# SPDX-License-Identifier: Apache-2.0
"""neonize's protobufs to facts: what WhatsApp may say of people and links, and what we make of it."""

from math import isnan
from typing import Any

import pytest

from wigwag.adapters.whatsapp.translate import address_of, known_jid, people, report
from wigwag.domain.account import LinkSignal
from wigwag.domain.events import GroupReported, LinkReported, PresenceReported, Typing, TypingReported
from wigwag.domain.ids import GROUP, LID, PERSON, Jid
from wigwag.domain.presence import Signal

# isort: split
from neonize.aioze import events as ev
from neonize.proto import Neonize_pb2 as pb

NOW = 1_800_000_000.0
ANA, BEN = Jid("15550100001@s.whatsapp.net"), Jid("15550100002@s.whatsapp.net")
ANAS_LID = "195550100001"
GO_ZERO_TIME = -62135596800


def address(user: str, server: str = PERSON, device: int = 0) -> Any:
    return pb.JID(User=user, Server=server, Device=device, RawAgent=0, Integrator=0, IsEmpty=False)


def person(who: Any) -> Jid | None:
    """As the room would: Ana's LID is known, others are not."""
    if who.Server == LID:
        return ANA if who.User == ANAS_LID else None
    return known_jid(who)


def presence(who: Any, *, unavailable: bool, last_seen: int) -> Any:
    return pb.Presence(From=who, Unavailable=unavailable, LastSeen=last_seen)


@pytest.mark.parametrize(
    ("said", "jid", "signal", "last_seen"),
    [
        (presence(address("15550100001"), unavailable=False, last_seen=GO_ZERO_TIME), ANA, Signal.AVAILABLE, None),
        (
            presence(address("15550100001"), unavailable=True, last_seen=1_799_999_000),
            ANA,
            Signal.UNAVAILABLE,
            1_799_999_000,
        ),
        (presence(address("15550100001"), unavailable=True, last_seen=GO_ZERO_TIME), ANA, Signal.UNAVAILABLE, None),
        (presence(address("15550100001"), unavailable=True, last_seen=0), ANA, Signal.UNAVAILABLE, None),
        (presence(address(ANAS_LID, LID), unavailable=False, last_seen=0), ANA, Signal.AVAILABLE, None),
        (presence(address("15550100001", device=7), unavailable=False, last_seen=0), ANA, Signal.AVAILABLE, None),
    ],
)
def test_a_presence_is_told_of_the_person_whatever_the_address(
    said: Any, jid: Jid, signal: Signal, last_seen: int | None
) -> None:
    fact = report(said, "default", NOW, person)
    assert isinstance(fact, PresenceReported)
    assert (fact.account, fact.jid, fact.signal, fact.at) == ("default", jid, signal, NOW)
    assert isnan(fact.last_seen) if last_seen is None else fact.last_seen == last_seen


@pytest.mark.parametrize(
    "who",
    [address("999", LID), address("120363400902171371", GROUP), address("", PERSON), address("status", "broadcast")],
)
def test_what_is_said_of_nobody_we_can_name_is_left_out(who: Any) -> None:
    assert report(presence(who, unavailable=False, last_seen=0), "default", NOW, person) is None


def typing(state: Any, media: Any, chat: Any) -> Any:
    sender = address(ANAS_LID, LID)
    source = pb.MessageSource(Chat=chat, Sender=sender, IsFromMe=False, IsGroup=chat.Server == GROUP)
    return pb.ChatPresence(MessageSource=source, State=state, Media=media)


@pytest.mark.parametrize(
    ("state", "media", "chat", "expected"),
    [
        (pb.ChatPresence.COMPOSING, pb.ChatPresence.TEXT, address(ANAS_LID, LID), Typing.COMPOSING),
        (pb.ChatPresence.COMPOSING, pb.ChatPresence.AUDIO, address(ANAS_LID, LID), Typing.RECORDING),
        (pb.ChatPresence.PAUSED, pb.ChatPresence.TEXT, address(ANAS_LID, LID), Typing.PAUSED),
        (pb.ChatPresence.COMPOSING, pb.ChatPresence.TEXT, address("120363400902171371", GROUP), None),
    ],
)
def test_typing_to_us_is_told_and_typing_in_a_group_is_not(
    state: Any, media: Any, chat: Any, expected: Typing | None
) -> None:
    fact = report(typing(state, media, chat), "default", NOW, person)
    told = TypingReported(account="default", jid=ANA, typing=expected, at=NOW) if expected else None
    assert fact == told


def test_a_group_tells_who_joined_and_left_by_jid() -> None:
    changed = ev.GroupInfoEv(JID=address("120363400902171371", GROUP))
    changed.Join.extend([address(ANAS_LID, LID), address("999", LID)])
    changed.Leave.extend([address("15550100002")])
    assert [who.User for who in people(changed)] == [ANAS_LID, "999", "15550100002"]
    group = Jid("120363400902171371@g.us")
    expected = GroupReported(account="desk", group=group, joined=(ANA,), left=(BEN,), at=NOW)
    assert report(changed, "desk", NOW, person) == expected
    assert report(ev.GroupInfoEv(JID=address("120363400902171371", GROUP)), "desk", NOW, person) is None


@pytest.mark.parametrize(
    ("said", "signal", "until", "detail"),
    [
        (pb.Connected(status=True), LinkSignal.UP, None, ""),
        (pb.Disconnected(status=True), LinkSignal.DOWN, None, ""),
        (pb.KeepAliveTimeout(ErrorCount=1, LastSuccess=1), LinkSignal.STALLED, None, "keep-alives"),
        (pb.KeepAliveRestored(), LinkSignal.RESTORED, None, ""),
        (pb.StreamReplaced(), LinkSignal.REPLACED, None, ""),
        (pb.ClientOutdated(), LinkSignal.OUTDATED, None, ""),
        (
            pb.TemporaryBan(Code=pb.TemporaryBan.SEND_TO_TOO_MANY_PEOPLE, Expire=600),
            LinkSignal.BANNED,
            NOW + 600,
            "send_to_too_many_people",
        ),
        (
            pb.TemporaryBan(Code=pb.TemporaryBan.BLOCKED_BY_USERS, Expire=0),
            LinkSignal.BANNED,
            NOW + 86400,
            "blocked_by_users",
        ),
    ],
)
def test_each_word_about_a_link_has_its_signal(said: Any, signal: LinkSignal, until: float | None, detail: str) -> None:
    expected = LinkReported(account="default", signal=signal, at=NOW, until=until, detail=detail)
    assert report(said, "default", NOW, person) == expected


def test_pairing_tells_who_we_are_and_a_failed_pairing_why() -> None:
    done = pb.PairStatus(
        ID=address("15550001111", device=1), BusinessName="", Platform="", Status=pb.PairStatus.SUCCESS
    )
    fact = report(done, "default", NOW, person)
    assert isinstance(fact, LinkReported)
    assert (fact.signal, fact.jid) == (LinkSignal.PAIRED, "15550001111@s.whatsapp.net")
    failed = pb.PairStatus(
        ID=address("15550001111"), BusinessName="", Platform="", Status=pb.PairStatus.ERROR, Error="bad signature"
    )
    fact = report(failed, "default", NOW, person)
    assert isinstance(fact, LinkReported)
    assert (fact.signal, fact.detail) == (LinkSignal.EXPIRED, "bad signature")


def test_a_jid_and_its_address_are_the_same_both_ways() -> None:
    assert known_jid(address_of(ANA)) == ANA
