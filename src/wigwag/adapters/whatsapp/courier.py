# SPDX-License-Identifier: Apache-2.0
"""Carries messages: the port `Courier` over the sessions of the room.

whatsmeow sends one message at a time and waits for the server's word on it. The others wait here and not in it: it
notes a message as soon as it has it, so each of them would be in doubt after a crash, and it is no faster for that. A
message's time begins with its turn, so that what times out was really on its way.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message as Protobuf
from neonize.utils.enum import MediaType, ReceiptType

from wigwag.adapters.whatsapp.inbox import Heard
from wigwag.adapters.whatsapp.refusals import about_download, about_send
from wigwag.adapters.whatsapp.room import WhatsApp
from wigwag.adapters.whatsapp.session import Late, Session, Silent
from wigwag.adapters.whatsapp.traces import find_trace
from wigwag.adapters.whatsapp.translate import address_of
from wigwag.adapters.whatsapp.writing import written
from wigwag.domain.account import Stall
from wigwag.domain.contents import Kind, Media
from wigwag.domain.delivery import Job
from wigwag.domain.errors import GatewayError, Refused, Unavailable, Unconfirmed
from wigwag.domain.ids import Jid, number
from wigwag.domain.media import Prepared
from wigwag.domain.messages import Message

if TYPE_CHECKING:
    from wigwag.app.ports import Courier

WORD = 90.0  # seconds for WhatsApp's word on a message; whatsmeow itself gives up after 75
TRANSFER = 120.0  # seconds for an upload or a download
_TYPES = {
    Kind.IMAGE: MediaType.MediaImage,
    Kind.STICKER: MediaType.MediaImage,
    Kind.VIDEO: MediaType.MediaVideo,
    Kind.AUDIO: MediaType.MediaAudio,
    Kind.VOICE: MediaType.MediaAudio,
    Kind.DOCUMENT: MediaType.MediaDocument,
}


class WhatsAppCourier:
    """Messages of all accounts of a room.

    Args:
        word: seconds to wait for WhatsApp's word on a message.
    """

    def __init__(self, room: WhatsApp, word: float = WORD) -> None:
        self._room, self._word = room, word
        self._turn = defaultdict[str, asyncio.Lock](asyncio.Lock)
        self._late: set[str] = set()  # secrets of messages of which the word may still come

    async def compose(self, account: str, job: Job, media: Prepared | None) -> bytes:
        upload = None
        if isinstance(job.content, Media) and media is not None:
            kind = _TYPES[job.content.kind]
            session = self._room.session(account)
            try:
                upload = await session.call(
                    lambda client: client.upload(media.data, kind), patience=TRANSFER, transfer=True
                )
            except Refused as error:  # of a file that is as it should be: another attempt may help
                raise Unavailable(f"WhatsApp's media server did not take the file: {error}") from error
        return bytes(written(job, media, upload, self._room.now()).SerializeToString())

    async def send(self, account: str, to: Jid, message: bytes, job: Job) -> tuple[str, float]:
        async with self._turn[account]:
            session, address = self._room.session(account), address_of(to)
            protobuf = Protobuf.FromString(message)
            asked = self._room.now()
            sending = session.begin(lambda client: client.send_message(address, protobuf))
            try:
                async with asyncio.timeout(self._word):
                    answer = await asyncio.shield(sending)
            except TimeoutError as error:
                self._give_up(session, sending, job, asked)
                raise Unconfirmed from error
            except GatewayError:
                raise
            except Exception as error:
                raise about_send(error) from error
        return str(answer.ID), _seconds(answer.Timestamp) or self._room.now()

    async def trace(self, account: str, secret: str) -> str | None:
        found = await find_trace(self._room.file(account), secret)
        if found is None and secret in self._late:  # it may still be written down and sent
            raise Unconfirmed
        return found

    async def registered(self, account: str, forms: Sequence[Jid]) -> dict[Jid, Jid]:
        by_number = {number(form): form for form in forms}
        session, people = self._room.session(account), self._room.people(account)
        answers = await session.call(lambda client: _ask(client, [f"+{digits}" for digits in by_number]))
        people.hear_news()
        return {
            by_number[asked]: await people.jid_of(session, answer.JID) or by_number[asked]
            for answer in answers
            if answer.IsIn and (asked := answer.Query.removeprefix("+")) in by_number
        }

    async def mark_read(self, account: str, message: Message) -> None:
        chat, sender, at = address_of(message.chat), address_of(message.sender), int(self._room.now())
        await self._room.session(account).call(
            lambda client: client.mark_read(
                message.id, chat=chat, sender=sender, receipt=ReceiptType.READ, timestamp=at
            )
        )

    async def download(self, account: str, raw: bytes) -> bytes:
        message = Protobuf.FromString(raw)
        fetching = self._room.session(account).begin(lambda client: client.download_any(message))
        try:
            async with asyncio.timeout(TRANSFER):
                return bytes(await asyncio.shield(fetching))
        except TimeoutError as error:
            raise Unavailable("WhatsApp's media server did not answer in time.") from error
        except GatewayError:
            raise
        except Exception as error:
            raise about_download(error) from error

    def _give_up(self, session: Session, sending: "asyncio.Future[Any]", job: Job, asked: float) -> None:
        """Nobody waits for this word any more. If it comes, it is told; meanwhile a new link is made."""
        self._late.add(job.secret)
        inbox, now = self._room.inbox, self._room.now

        def told(done: "asyncio.Future[Any]") -> None:
            self._late.discard(job.secret)
            if not done.cancelled() and done.exception() is None:
                inbox.put(Heard(session.account, now(), Late(job.id, str(done.result().ID))))

        sending.add_done_callback(told)
        inbox.put(Heard(session.account, now(), Silent(Stall.MESSAGES, asked)))


async def _ask(client: Any, numbers: list[str]) -> Sequence[Any]:
    """The answers. To neonize, it is an error when there is none."""
    try:
        return cast(Sequence[Any], await client.is_on_whatsapp(*numbers))
    except Exception as error:
        if "returned nothing" in str(error):
            return []
        raise


def _seconds(timestamp: int) -> float:
    """Unix seconds, from an instant that neonize gives in seconds or milliseconds."""
    return timestamp / 1000 if timestamp > 100_000_000_000 else float(max(timestamp, 0))


if TYPE_CHECKING:
    _: type[Courier] = WhatsAppCourier
