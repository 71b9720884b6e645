# SPDX-License-Identifier: Apache-2.0
"""A WhatsApp that keeps the laws of the ports `Link`, `Wire` and `Courier`, and does what a test wants.

What it cannot do is to be wrong in the way the real one is; the simulator is there for that.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from wigwag.app.ports import Courier, Link, Wire
from wigwag.domain.account import LinkSignal
from wigwag.domain.delivery import Job
from wigwag.domain.errors import GatewayError, NotFound
from wigwag.domain.events import LinkReported, PairingOffered, PresenceReported, Report
from wigwag.domain.ids import Jid
from wigwag.domain.media import Prepared
from wigwag.domain.messages import Message
from wigwag.domain.presence import HIDDEN, Signal
from wigwag.testing.clock import FakeClock


class Point(StrEnum):
    """Where a test may step into a courier's call, with a hook."""

    LOOK_UP = "look up"
    COMPOSE = "compose"
    SEND = "send"  # nothing is written down yet
    TRACED = "traced"  # the message's id is written down, and not a byte has left
    LEFT = "left"  # the bytes have left, and WhatsApp's word has not come
    TRACE = "trace"
    DOWNLOAD = "download"
    READ = "read"


Hook = Callable[[Job | None], Awaitable[None]]
"""Called at a point of a call, with the job if it is about one. It may raise, wait, or never return."""


def failing(*errors: GatewayError | None) -> Hook:
    """A hook that raises these errors, one at each call; None and the calls beyond them pass."""
    left = list(errors)

    async def fail(_job: Job | None) -> None:
        if left and (error := left.pop(0)) is not None:
            raise error

    return fail


class Hold:
    """A hook that holds every call until it is released; then nothing is held any more."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self._released = asyncio.Event()

    async def __call__(self, _job: Job | None) -> None:
        self.reached.set()
        await self._released.wait()

    def release(self) -> None:
        self._released.set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message that left."""

    at: float
    account: str
    to: Jid
    id: str
    job: Job
    message: bytes


@dataclass
class FakeWhatsApp:
    """A WhatsApp that records what it is asked, and tells what the test wants told.

    Fulfils `Link`, `Wire` and `Courier`. What left stays in `sent`, and what the library wrote down before in `traces`
    (secret -> message id), so it can be given to a second trial after a crash of the first.
    """

    clock: FakeClock
    answers: bool = True  # whether a subscribe is answered by a snapshot: offline, last seen hidden
    refusal: GatewayError | None = None  # what every subscribe and appear raises
    rooms: dict[Jid, dict[Jid, str]] = field(default_factory=dict)  # groups, and who is in them
    subscribed: list[tuple[float, str, Jid]] = field(default_factory=list)
    learned: list[list[Jid]] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)  # (what, account) of every other call
    hooks: dict[Point, Hook] = field(default_factory=dict)
    registry: dict[Jid, Jid] | None = None  # who is on WhatsApp, and under which address; None: everybody, as asked
    looked_up: list[list[Jid]] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    traces: dict[str, str] = field(default_factory=dict)
    files: dict[bytes, bytes] = field(default_factory=dict)  # what can be downloaded, by the raw message
    marked: list[str] = field(default_factory=list)  # the ids of messages that we told to have read
    _inbox: asyncio.Queue[Report] = field(default_factory=asyncio.Queue)

    # --- what the test tells

    def tell(self, *reports: Report) -> None:
        for report in reports:
            self._inbox.put_nowait(report)

    def tell_link(self, signal: LinkSignal, account: str = "default", **more: Any) -> None:
        self.tell(LinkReported(account=account, signal=signal, at=self.clock.now(), **more))

    def tell_presence(self, jid: Jid, online: bool, last_seen: float = HIDDEN, account: str = "default") -> None:
        signal = Signal.AVAILABLE if online else Signal.UNAVAILABLE
        at = self.clock.now()
        self.tell(PresenceReported(account=account, jid=jid, signal=signal, last_seen=last_seen, at=at))

    def offer_pairing(self, qr: str = "2@code", account: str = "default", valid: float = 60.0) -> None:
        now = self.clock.now()
        self.tell_link(LinkSignal.OFFERED, account)
        self.tell(PairingOffered(account=account, qr=qr, at=now, expires=now + valid))

    # --- Link

    async def reports(self) -> Sequence[Report]:
        reports = [await self._inbox.get()]
        while not self._inbox.empty():
            reports.append(self._inbox.get_nowait())
        return reports

    async def connect(self, account: str) -> None:
        self.asked.append(("connect", account))

    async def disconnect(self, account: str) -> None:
        self.asked.append(("disconnect", account))

    async def pair_by_code(self, account: str, phone: str) -> str:
        self.asked.append(("pair_by_code", account))
        return f"CODE-{phone[-4:]}"

    async def log_out(self, account: str) -> None:
        self.asked.append(("log_out", account))

    # --- Wire

    async def appear(self, account: str, available: bool) -> None:
        self._refuse()
        self.asked.append(("appear" if available else "disappear", account))

    async def learn(self, account: str, jids: Sequence[Jid]) -> None:  # noqa: ARG002  the port's shape
        self.learned.append(list(jids))

    async def subscribe(self, account: str, jid: Jid) -> None:
        self._refuse()
        self.subscribed.append((self.clock.now(), account, jid))
        if self.answers:
            self.tell_presence(jid, online=False, account=account)

    async def members(self, account: str, group: Jid) -> dict[Jid, str]:  # noqa: ARG002
        if group not in self.rooms:
            raise NotFound("The account is not in this group.")
        return dict(self.rooms[group])

    async def groups(self, account: str) -> dict[Jid, str]:  # noqa: ARG002
        return dict.fromkeys(self.rooms, "a group")

    # --- Courier

    async def compose(self, account: str, job: Job, media: Prepared | None) -> bytes:  # noqa: ARG002
        await self._meet(Point.COMPOSE, job)
        return repr((job.content, job.quote, media and media.data)).encode()

    async def send(self, account: str, to: Jid, message: bytes, job: Job) -> tuple[str, float]:
        await self._meet(Point.SEND, job)
        message_id = self.traces[job.secret] = f"3EB0{len(self.traces):016X}"
        await self._meet(Point.TRACED, job)
        at = self.clock.now()
        self.sent.append(Sent(at=at, account=account, to=to, id=message_id, job=job, message=message))
        await self._meet(Point.LEFT, job)
        return message_id, at

    async def trace(self, account: str, secret: str) -> str | None:  # noqa: ARG002
        await self._meet(Point.TRACE)
        return self.traces.get(secret)

    async def registered(self, account: str, forms: Sequence[Jid]) -> dict[Jid, Jid]:  # noqa: ARG002
        await self._meet(Point.LOOK_UP)
        self.looked_up.append(list(forms))
        if self.registry is None:
            return {form: form for form in forms}
        return {form: self.registry[form] for form in forms if form in self.registry}

    async def mark_read(self, account: str, message: Message) -> None:  # noqa: ARG002
        await self._meet(Point.READ)
        self.marked.append(message.id)

    async def download(self, account: str, raw: bytes) -> bytes:  # noqa: ARG002
        await self._meet(Point.DOWNLOAD)
        if raw not in self.files:
            raise NotFound("WhatsApp does not keep this file any more.")
        return self.files[raw]

    async def _meet(self, point: Point, job: Job | None = None) -> None:
        if hook := self.hooks.get(point):
            await hook(job)

    def _refuse(self) -> None:
        if self.refusal is not None:
            raise self.refusal


if TYPE_CHECKING:
    _link: type[Link] = FakeWhatsApp
    _wire: type[Wire] = FakeWhatsApp
    _courier: type[Courier] = FakeWhatsApp
