# SPDX-License-Identifier: Apache-2.0
"""What whatsmeow says of messages, receipts and calls, as facts. It has unwrapped what comes wrapped."""

from typing import Any

import pytest

from wigwag.adapters.whatsapp.translate import known_jid, people, report
from wigwag.domain.delivery import Mark, Receipt
from wigwag.domain.events import CallReported, MessageReported, ReceiptReported
from wigwag.domain.ids import GROUP, LID, PERSON, Jid
from wigwag.domain.messages import Message, MessageKind

# isort: split
from neonize.aioze import events as ev
from neonize.proto import Neonize_pb2 as pb
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message as Said

NOW, SAID_AT = 1_800_000_000.0, 1_799_999_990.0
ME, ANA = Jid("15550001111@s.whatsapp.net"), Jid("15550100001@s.whatsapp.net")
TEAM = Jid("120363400902171371@g.us")
LIDS = {"195550100001": ANA, "195550001111": ME}
HARD = " \r\n\t\x7f\u202e👩‍👩‍👧‍👦 ﷺ \U0001f3f4\U000e0067\U000e007f "
KEY = {"ID": "3EB0OLD"}
CONTEXT = {"stanzaID": "3EB0OLD"}
FILE = {"mimetype": "a/b", "fileLength": 77, "contextInfo": CONTEXT}


def address(user: str = "", server: str = PERSON, device: int = 0) -> Any:
    return pb.JID(User=user, Server=server if user else "", Device=device, RawAgent=0, Integrator=0, IsEmpty=not user)


NUMBER, BY_LID = address("15550100001", device=3), address("195550100001", LID, device=3)
STRANGER = address("999", LID)
MINE, MINE_BY_LID = address("15550001111", device=2), address("195550001111", LID, device=2)
GROUP_ADDRESS = address("120363400902171371", GROUP)
NOBODY = address()


def person(who: Any) -> Jid | None:
    """As the room would: some LIDs are known."""
    return LIDS.get(who.User) if who.Server == LID else known_jid(who)


def source(chat: Any, sender: Any, *, mine: bool = False, sender_alt: Any = NOBODY, recipient_alt: Any = NOBODY) -> Any:
    return pb.MessageSource(
        Chat=chat,
        Sender=sender,
        IsFromMe=mine,
        IsGroup=chat.Server == GROUP,
        SenderAlt=sender_alt,
        RecipientAlt=recipient_alt,
        BroadcastListOwner=NOBODY,
    )


def heard(said: dict[str, Any], where: Any = None, at: float = SAID_AT) -> Any:
    info = pb.MessageInfo(
        MessageSource=where or source(NUMBER, NUMBER),
        ID="3EB0NEW",
        ServerID=0,
        Type="text",
        Pushname="Ana",
        Timestamp=round(at * 1000),
        Category="",
        Multicast=False,
        MediaType="",
        Edit="",
    )
    flags = dict.fromkeys(
        ("IsEphemeral", "IsViewOnce", "IsViewOnceV2", "IsViewOnceV2Extension", "IsDocumentWithCaption"), False
    )
    more = dict.fromkeys(("IsLottieSticker", "IsEdit"), False)
    message = Said(**said)
    return ev.MessageEv(Info=info, Message=message, **flags, **more, UnavailableRequestID="", RetryCount=0)


def read(said: dict[str, Any], where: Any = None, at: float = SAID_AT) -> Message | None:
    fact = report(heard(said, where, at), "desk", NOW, person)
    assert fact is None or isinstance(fact, MessageReported)
    return None if fact is None else fact.message


KINDS: list[tuple[dict[str, Any], MessageKind, dict[str, Any]]] = [
    ({"conversation": HARD}, MessageKind.TEXT, {"text": HARD}),
    (
        {"extendedTextMessage": {"text": HARD, "contextInfo": CONTEXT}},
        MessageKind.TEXT,
        {"text": HARD, "quoted": "3EB0OLD"},
    ),
    ({"extendedTextMessage": {"text": "no context"}}, MessageKind.TEXT, {"text": "no context", "quoted": ""}),
    ({"imageMessage": {**FILE, "caption": HARD}}, MessageKind.IMAGE, {"text": HARD, "quoted": "3EB0OLD"}),
    ({"imageMessage": {**FILE, "viewOnce": True}}, MessageKind.IMAGE, {"text": ""}),
    ({"videoMessage": {**FILE, "caption": "film"}}, MessageKind.VIDEO, {"text": "film"}),
    ({"videoMessage": {**FILE, "gifPlayback": True}}, MessageKind.VIDEO, {}),
    ({"ptvMessage": FILE}, MessageKind.VIDEO, {}),
    ({"audioMessage": FILE}, MessageKind.AUDIO, {}),
    ({"audioMessage": {**FILE, "PTT": True}}, MessageKind.VOICE, {}),
    ({"documentMessage": {**FILE, "fileName": "a.pdf"}}, MessageKind.DOCUMENT, {"text": "a.pdf"}),
    ({"documentMessage": {**FILE, "fileName": "a.pdf", "caption": "read"}}, MessageKind.DOCUMENT, {"text": "read"}),
    ({"stickerMessage": FILE}, MessageKind.STICKER, {}),
    (
        {"locationMessage": {"name": "Port", "contextInfo": CONTEXT}},
        MessageKind.LOCATION,
        {"text": "Port", "quoted": "3EB0OLD"},
    ),
    ({"liveLocationMessage": {"degreesLatitude": 1.0}}, MessageKind.LOCATION, {"text": ""}),
    ({"contactMessage": {"displayName": "Ben"}}, MessageKind.CONTACT, {"text": "Ben"}),
    ({"contactsArrayMessage": {"displayName": "2 people"}}, MessageKind.CONTACT, {"text": "2 people"}),
    ({"pollCreationMessage": {"name": "Tea?"}}, MessageKind.POLL, {"text": "Tea?"}),
    ({"pollCreationMessageV2": {"name": "Tea?"}}, MessageKind.POLL, {"text": "Tea?"}),
    ({"pollCreationMessageV3": {"name": "Tea?"}}, MessageKind.POLL, {"text": "Tea?"}),
    ({"pollUpdateMessage": {"pollCreationMessageKey": KEY}}, MessageKind.VOTE, {"target": "3EB0OLD"}),
    ({"reactionMessage": {"key": KEY, "text": "👍"}}, MessageKind.REACTION, {"target": "3EB0OLD", "text": "👍"}),
    ({"reactionMessage": {"key": KEY, "text": ""}}, MessageKind.REACTION, {"target": "3EB0OLD", "text": ""}),
    (
        {"protocolMessage": {"key": KEY, "type": "MESSAGE_EDIT", "editedMessage": {"conversation": HARD}}},
        MessageKind.EDIT,
        {"target": "3EB0OLD", "text": HARD},
    ),
    (
        {
            "protocolMessage": {
                "key": KEY,
                "type": "MESSAGE_EDIT",
                "editedMessage": {"extendedTextMessage": {"text": "new"}},
            }
        },
        MessageKind.EDIT,
        {"target": "3EB0OLD", "text": "new"},
    ),
    (
        {
            "protocolMessage": {
                "key": KEY,
                "type": "MESSAGE_EDIT",
                "editedMessage": {"imageMessage": {"caption": "new"}},
            }
        },
        MessageKind.EDIT,
        {"target": "3EB0OLD", "text": "new"},
    ),
    ({"protocolMessage": {"key": KEY, "type": "REVOKE"}}, MessageKind.DELETION, {"target": "3EB0OLD", "text": ""}),
    ({"listMessage": {"title": "shop"}}, MessageKind.OTHER, {}),
    ({"eventMessage": {"name": "party"}}, MessageKind.OTHER, {}),
]


@pytest.mark.parametrize(("said", "kind", "expected"), KINDS)
def test_each_kind_is_known_and_nothing_of_its_text_is_changed(
    said: dict[str, Any], kind: MessageKind, expected: dict[str, Any]
) -> None:
    message = read({**said, "messageContextInfo": {"messageSecret": b"s" * 32}})
    assert message is not None
    assert (message.kind, {name: getattr(message, name) for name in expected}) == (kind, expected)
    assert (message.account, message.id, message.name, message.at) == ("desk", "3EB0NEW", "Ana", SAID_AT)


@pytest.mark.parametrize("name", ["imageMessage", "videoMessage", "audioMessage", "documentMessage", "stickerMessage"])
def test_media_keep_what_is_needed_to_download_them(name: str) -> None:
    message = read({name: {**FILE, "mediaKey": b"key", "directPath": "/path"}})
    assert message is not None
    assert (message.mimetype, message.size, message.media) == ("a/b", 77, "")
    kept = getattr(Said.FromString(message.raw), name)
    assert (kept.mediaKey, kept.directPath) == (b"key", "/path")


SILENT: list[dict[str, Any]] = [
    {},
    {"messageContextInfo": {"messageSecret": b"s" * 32}},
    {"senderKeyDistributionMessage": {"groupID": TEAM}},
    {"senderKeyDistributionMessage": {"groupID": TEAM}, "messageContextInfo": {}},
    {"protocolMessage": {"type": "HISTORY_SYNC_NOTIFICATION"}},
    {"protocolMessage": {"type": "APP_STATE_SYNC_KEY_SHARE"}},
    {"protocolMessage": {"type": "EPHEMERAL_SETTING", "ephemeralExpiration": 86400}},
    {"protocolMessage": {"type": "PEER_DATA_OPERATION_REQUEST_MESSAGE"}},
    {"protocolMessage": {"type": "REVOKE"}},
]


@pytest.mark.parametrize("said", SILENT)
def test_what_is_meant_for_clients_alone_is_no_message(said: dict[str, Any]) -> None:
    assert read(said) is None


def test_a_text_beside_a_sender_key_is_read() -> None:
    message = read({"senderKeyDistributionMessage": {"groupID": TEAM}, "conversation": "hello"})
    assert message is not None
    assert (message.kind, message.text) == (MessageKind.TEXT, "hello")


WHO = [
    (source(NUMBER, NUMBER), ANA, ANA, False),
    (source(BY_LID, BY_LID), ANA, ANA, False),
    (source(STRANGER, STRANGER, sender_alt=NUMBER), ANA, ANA, False),
    (source(GROUP_ADDRESS, NUMBER), TEAM, ANA, False),
    (source(GROUP_ADDRESS, BY_LID), TEAM, ANA, False),
    (source(GROUP_ADDRESS, STRANGER, sender_alt=NUMBER), TEAM, ANA, False),
    (source(NUMBER, MINE, mine=True), ANA, ME, True),
    (source(BY_LID, MINE_BY_LID, mine=True), ANA, ME, True),
    (source(STRANGER, MINE, mine=True, recipient_alt=NUMBER), ANA, ME, True),
    (source(GROUP_ADDRESS, MINE_BY_LID, mine=True), TEAM, ME, True),
]


@pytest.mark.parametrize(("where", "chat", "sender", "mine"), WHO)
def test_chat_and_sender_are_told_by_number_however_they_are_addressed(
    where: Any, chat: Jid, sender: Jid, mine: bool
) -> None:
    message = read({"conversation": "hello"}, where)
    assert message is not None
    assert (message.chat, message.sender, message.from_me) == (chat, sender, mine)


@pytest.mark.parametrize(
    "where",
    [
        source(STRANGER, STRANGER),
        source(GROUP_ADDRESS, STRANGER),
        source(STRANGER, MINE, mine=True),
        source(address("status", "broadcast"), NUMBER),
        source(address("123", "newsletter"), address("123", "newsletter")),
    ],
)
def test_what_comes_from_nobody_we_can_name_is_left_out(where: Any) -> None:
    assert read({"conversation": "hello"}, where) is None


def test_the_addresses_that_must_be_known_are_told_before() -> None:
    where = source(GROUP_ADDRESS, BY_LID)
    assert [who.User for who in people(heard({}, where))] == ["120363400902171371", "195550100001"]
    assert "195550100001" in [who.User for who in people(call(BY_LID))]


def test_a_message_without_an_instant_is_from_now() -> None:
    message = read({"conversation": "hello"}, at=0.0)
    assert message is not None
    assert message.at == NOW


def test_a_text_is_kept_as_far_as_databases_can() -> None:
    message = read({"conversation": "a\0b" + "c" * 70_000})
    assert message is not None
    assert message.text == "a\ufffdb" + "c" * 65_533


# --- receipts


def receipt(mark: Any, where: Any, at: float = SAID_AT) -> Any:
    return ev.ReceiptEv(MessageSource=where, MessageIDs=["3EB0A", "3EB0B"], Timestamp=round(at), Type=mark)


RECEIPTS = [
    (pb.Receipt.DELIVERED, Mark.DELIVERED),
    (pb.Receipt.READ, Mark.READ),
    (pb.Receipt.PLAYED, Mark.PLAYED),
    *(
        (mark, None)
        for mark in (
            pb.Receipt.SENDER,
            pb.Receipt.RETRY,
            pb.Receipt.READ_SELF,
            pb.Receipt.PLAYED_SELF,
            pb.Receipt.SERVER_ERROR,
            pb.Receipt.INACTIVE,
            pb.Receipt.PEER_MSG,
            pb.Receipt.HISTORY_SYNC,
        )
    ),
]


@pytest.mark.parametrize(("said", "mark"), RECEIPTS)
@pytest.mark.parametrize(
    ("where", "chat"),
    [
        (source(NUMBER, NUMBER), ANA),
        (source(BY_LID, BY_LID), ANA),
        (source(GROUP_ADDRESS, BY_LID), TEAM),
    ],
)
def test_a_receipt_tells_who_did_what_with_which_messages(said: Any, mark: Mark | None, where: Any, chat: Jid) -> None:
    fact = report(receipt(said, where), "desk", NOW, person)
    if mark is None:
        assert fact is None
        return
    expected = Receipt(account="desk", chat=chat, reader=ANA, message_ids=("3EB0A", "3EB0B"), mark=mark, at=SAID_AT)
    assert fact == ReceiptReported(receipt=expected, at=NOW)


def test_what_our_own_devices_read_says_nothing_about_our_messages() -> None:
    for where in (source(NUMBER, MINE, mine=True), source(GROUP_ADDRESS, MINE_BY_LID, mine=True)):
        assert report(receipt(pb.Receipt.READ, where), "desk", NOW, person) is None


@pytest.mark.parametrize(("said", "kept"), [(NOW + 60, NOW), (NOW - 60, NOW - 60), (0, NOW)])
def test_a_receipt_is_never_from_the_future(said: float, kept: float) -> None:
    fact = report(receipt(pb.Receipt.READ, source(NUMBER, NUMBER), said), "desk", NOW, person)
    assert isinstance(fact, ReceiptReported)
    assert fact.receipt.at == kept


# --- calls


def call(creator: Any, alternative: Any = NOBODY) -> Any:
    meta = pb.BasicCallMeta(timestamp=round(NOW), callCreator=creator, callCreatorAlt=alternative, callID="CALL")
    getattr(meta, "from").CopyFrom(creator)
    remote = pb.CallRemoteMeta(remotePlatform="android", remoteVersion="2.26")
    return ev.CallOfferEv(basicCallMeta=meta, callRemoteMeta=remote, data=pb.Node(Tag="offer"))


@pytest.mark.parametrize(("creator", "alternative"), [(NUMBER, NOBODY), (BY_LID, NOBODY), (STRANGER, NUMBER)])
def test_a_call_is_told_by_the_number_of_the_caller(creator: Any, alternative: Any) -> None:
    expected = CallReported(account="desk", caller=ANA, call_id="CALL", at=NOW)
    assert report(call(creator, alternative), "desk", NOW, person) == expected


def test_a_call_of_nobody_we_can_name_is_left_out() -> None:
    assert report(call(STRANGER), "desk", NOW, person) is None
