# SPDX-License-Identifier: Apache-2.0
"""One run of one neonize client: from connect to stop. It drops what it hears into the inbox and decides nothing.

neonize loses the exceptions of handlers, so a handler here does one `put` and no more.
"""

import asyncio
import logging
import re
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from neonize.aioze import events as ev
from neonize.aioze.client import NewAClient
from neonize.proto.waCompanionReg.WAWebProtobufsCompanionReg_pb2 import DeviceProps

from wigwag.adapters.whatsapp.gate import Gate
from wigwag.adapters.whatsapp.inbox import Heard, Inbox
from wigwag.adapters.whatsapp.translate import HEARD
from wigwag.domain.account import Stall
from wigwag.domain.errors import GatewayError, NotLinked, Refused, Unavailable

log = logging.getLogger(__name__)
_SAID = logging.getLogger("whatsmeow")
_TALK = logging.getLogger(
    "neonize.utils.log"
)  # its level is what whatsmeow is told. Each line, heard or not, costs GIL
Answer = TypeVar("Answer")

OURSELVES = DeviceProps(os="wigwag", platformType=DeviceProps.DESKTOP)  # what the phone lists under linked devices
# neonize puts a question mark and its own options behind a file's name. A write-ahead log costs the disk a third of a
# rollback journal; FULL, because what is known of a message must be on disk before its first byte leaves.
OPTIONS = "?_foreign_keys=on&_journal_mode=WAL&_synchronous=FULL&_rest="
CALL_TIMEOUT = 15.0  # seconds for any one call into whatsmeow
FIRST_SIGN = 3.0  # seconds within which whatsmeow has surely entered the client in its list
FOUND = 3.0  # seconds within which a call into whatsmeow has surely found its client there
FIRST_CODE, NEXT_CODE = 60.0, 20.0  # seconds that a QR code is valid (whatsmeow qrchan.go)
NO_NEXT_CODE = 2.0  # seconds beyond that, after which no other code will come on this connection

# Clients that Go may still call back: those that ended, and those stopped before they were paired (see `threads`).
_ENDED: deque[NewAClient] = deque(maxlen=64)
_NEVER_ENDED: list[NewAClient] = []


class Late(NamedTuple):
    """WhatsApp's word on a message came after nobody waited for it any more."""

    job_id: str
    message_id: str


_NO_LINK = ("not connected", "websocket", "client is nil", "not logged in", "closed network", "timed out")
_BUSY = re.compile(r"status (429|5\d\d)")  # what WhatsApp's server says when it may be asked again later


class QrCode(str):
    """A QR code to show, as neonize hands it over."""

    __slots__ = ()


class PairingOver(str):
    """All QR codes of this connection have expired. The text says why."""

    __slots__ = ()


class Ended(str):
    """whatsmeow gave up on this client; the text is its error."""

    __slots__ = ()


class Cut(Exception):
    """This client was ended while whatsmeow was at work: nobody knows how far it came."""

    def __str__(self) -> str:
        return "the client ended in the middle (not connected)"


class Silent(NamedTuple):
    """No answer came to what was asked at an instant, so the link may be dead. The client is still at work."""

    what: Stall
    asked: float


class Session:
    """A client of neonize for one account.

    Args:
        number: makes the client's id in neonize unique, so that a late goodbye to an older client cannot end this one.
    """

    def __init__(
        self, account: str, number: int, path: Path, inbox: Inbox, gate: Gate, now: Callable[[], float]
    ) -> None:
        self.account = account
        self._inbox, self._gate, self._now = inbox, gate, now
        self._first_sign = asyncio.Event()
        self._closed = False
        self.ended = False  # by itself; Go may still hold its connection, and takes what comes for nobody
        self._codes, self._paired = 0, True  # until it offers a code
        self._expiry: asyncio.TimerHandle | None = None
        self._running: asyncio.Task[None] | None = None
        self._begun: set[asyncio.Future[Any]] = set()
        self._over = asyncio.Event()
        self._client = NewAClient(f"{path}{OPTIONS}", uuid=f"{account}-{number}", props=OURSELVES)
        self._client._stop_finalizer.detach()  # noqa: SLF001  else the collector may stop a client at any time
        self._client.event.qr(self._on_qr)
        for kind in HEARD:
            self._client.event(kind)(self._on_event)

    async def start(self) -> None:
        """Begin. What comes of it arrives in the inbox."""
        _TALK.setLevel(logging.DEBUG if _SAID.isEnabledFor(logging.DEBUG) else logging.INFO)
        async with self._gate.alone():
            running = await self._client.connect()
            self._running = asyncio.create_task(self._until_end(running), name=f"whatsapp {self.account}")
            try:
                async with asyncio.timeout(FIRST_SIGN):
                    await self._first_sign.wait()
            except TimeoutError:
                log.info("WhatsApp has not answered yet", extra={"action": "link.slow", "account": self.account})

    async def stop(self) -> None:
        """End, without a word in the inbox."""
        self._closed = True
        if self._expiry is not None:
            self._expiry.cancel()
        try:
            async with self._gate.alone(), asyncio.timeout(CALL_TIMEOUT):
                await self._client.stop()
                if self._paired and self._running is not None:
                    await self._running
        except TimeoutError as error:
            raise Unavailable("WhatsApp's library does not end the old link.") from error
        finally:
            await self._let_go()  # whoever waits at the gate must come through to hear that it is over

    async def _let_go(self) -> None:
        """Wait for nothing more. Go may still hold our callbacks, so they must not be collected yet."""
        (_ENDED if self._paired else _NEVER_ENDED).append(self._client)
        self._over.set()  # a cancel would look to those who wait as if somebody had cancelled them
        await asyncio.gather(*self._begun, return_exceptions=True)
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def call(
        self, work: Callable[[Any], Awaitable[Answer]], patience: float = CALL_TIMEOUT, *, transfer: bool = False
    ) -> Answer:
        """Ask whatsmeow something. Raises NotLinked, Refused, or Unavailable when it takes too long.

        Args:
            transfer: it goes to a media server, so that it says nothing of the link.
        """
        asked, begun = self._now(), self.begin(work)
        try:
            async with asyncio.timeout(patience):
                return await begun
        except TimeoutError as error:
            if not transfer:
                self._put(Silent(Stall.REQUESTS, asked))
            raise Unavailable("WhatsApp did not answer in time.") from error
        except GatewayError:
            raise
        except Exception as error:
            raise _translated(error) from error

    def begin(self, work: Callable[[Any], Awaitable[Answer]]) -> "asyncio.Task[Answer]":
        """Ask whatsmeow something that may take long. It raises whatever neonize raises, and Cut. Raises NotLinked.

        The gate is held only for as long as whatsmeow needs to find its client.
        """
        if self._closed:
            raise NotLinked

        async def ask() -> Answer:
            async with self._gate.shared():
                if self._closed:
                    raise NotLinked
                answer = asyncio.ensure_future(work(self._client))
                try:
                    await asyncio.wait([answer], timeout=FOUND)
                except asyncio.CancelledError:
                    answer.cancel()
                    raise
            return answer.result() if answer.done() else await self._answered(answer)

        begun = asyncio.create_task(ask(), name=f"whatsapp {self.account}: call")
        self._begun.add(begun)
        begun.add_done_callback(self._begun.discard)
        return begun

    async def _answered(self, answer: "asyncio.Future[Answer]") -> Answer:
        over = asyncio.ensure_future(self._over.wait())
        try:
            both: tuple[asyncio.Future[Any], ...] = (answer, over)
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                raise Cut
            return answer.result()
        finally:
            answer.cancel()
            over.cancel()

    # --- what neonize calls

    async def _on_event(self, _client: NewAClient, message: Any) -> None:
        if type(message) is ev.PairStatusEv and self._expiry is not None:
            self._paired = True
            self._expiry.cancel()
        whose = (self.account, message.From.User) if type(message) is ev.PresenceEv else None
        self._put(message, whose)

    async def _on_qr(self, _client: NewAClient, code: bytes) -> None:
        self._codes += 1
        self._paired = False
        self._put(QrCode(code.decode()))
        if self._expiry is not None:
            self._expiry.cancel()
        over, patience = PairingOver("nobody scanned the code in time"), validity(self._codes) + NO_NEXT_CODE
        self._expiry = asyncio.get_running_loop().call_later(patience, self._put, over)

    def _put(self, message: Any, whose: object = None) -> None:
        self._first_sign.set()
        if not self._closed:
            self._inbox.put(Heard(self.account, self._now(), message, whose))

    async def _until_end(self, running: "asyncio.Task[None]") -> None:
        try:
            await running
            reason = "the library ended the link"
        except Exception as error:  # noqa: BLE001  whatever it is, the link is gone and we say so
            reason = str(error) or type(error).__name__
        self.ended = True
        self._put(Ended(reason))


def validity(code_number: int) -> float:
    """How long the n-th QR code of a connection is valid, seconds; the first is 1."""
    return FIRST_CODE if code_number == 1 else NEXT_CODE


def _translated(error: Exception) -> GatewayError:
    text = str(error)
    if any(sign in text.lower() for sign in _NO_LINK):
        return NotLinked()
    if _BUSY.search(text):
        return Unavailable(f"WhatsApp does not answer this now: {text}")
    return Refused(f"WhatsApp's library refused: {text}")
