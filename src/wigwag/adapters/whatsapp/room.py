# SPDX-License-Identifier: Apache-2.0
"""All accounts' sessions behind the ports `Link` and `Wire`.

Sessions are made and ended one after the other, because neonize cannot do it otherwise. A session lives in a file of
its own under the session path, which nobody else may read: whoever has the file is the account.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from neonize.utils.enum import ClientName, ClientType, Presence

from wigwag.adapters.whatsapp.gate import Gate
from wigwag.adapters.whatsapp.inbox import Heard, Inbox
from wigwag.adapters.whatsapp.people import People
from wigwag.adapters.whatsapp.session import Ended, Late, PairingOver, QrCode, Session, Silent, validity
from wigwag.adapters.whatsapp.threads import DaemonThreads
from wigwag.adapters.whatsapp.translate import address_of, people, report
from wigwag.domain.account import LinkSignal
from wigwag.domain.errors import Conflict, GatewayError, NotFound, NotLinked, Unavailable
from wigwag.domain.events import LinkReported, PairingOffered, Report, SendSettled, Unanswered
from wigwag.domain.ids import Jid

if TYPE_CHECKING:
    from wigwag.app.ports import Link, Wire

log = logging.getLogger(__name__)


class WhatsApp:
    """The links of all accounts.

    Args:
        path: the directory of the sessions; made with mode 0700.
        now: Unix seconds.
    """

    def __init__(self, path: Path, now: Callable[[], float]) -> None:
        _make_private(path)
        self._path, self.now = path, now
        self._gate, self.inbox = Gate(), Inbox()
        self._sessions: dict[str, Session] = {}
        self._people: defaultdict[str, People] = defaultdict(People)
        self._codes: dict[str, int] = {}
        self._changing = asyncio.Lock()
        self._burials: set[asyncio.Task[None]] = set()
        self._made = 0
        asyncio.get_running_loop().set_default_executor(DaemonThreads())

    # --- Link

    async def reports(self) -> Sequence[Report]:
        told = [await self._told(heard) for heard in await self.inbox.take()]
        return [fact for facts in told for fact in facts]

    async def connect(self, account: str) -> None:
        async with self._changing:
            await self._end(account)
            self._made += 1
            file = self.file(account)
            file.touch(mode=0o600)  # before SQLite makes it, for everybody to read
            session = Session(account, self._made, file, self.inbox, self._gate, self.now)
            self._sessions[account], self._codes[account] = session, 0
            await session.start()

    async def disconnect(self, account: str) -> None:
        async with self._changing:
            await self._end(account)

    async def pair_by_code(self, account: str, phone: str) -> str:
        if not self._codes.get(account):
            raise Conflict("Pairing is not on offer now.")
        kind, system = ClientType.CHROME, ClientName.LINUX
        return str(await self.session(account).call(lambda client: client.PairPhone(phone, True, system, kind)))

    async def log_out(self, account: str) -> None:
        await self.session(account).call(lambda client: client.logout())

    async def close(self) -> None:
        """End all sessions."""
        for account in list(self._sessions):
            await self.disconnect(account)
        await asyncio.gather(*self._burials)

    # --- Wire

    async def appear(self, account: str, available: bool) -> None:
        presence = Presence.AVAILABLE if available else Presence.UNAVAILABLE
        await self.session(account).call(lambda client: client.send_presence(presence))

    async def learn(self, account: str, jids: Sequence[Jid]) -> None:
        await self._people[account].learn(self.session(account), jids)

    async def subscribe(self, account: str, jid: Jid) -> None:
        await self.session(account).call(lambda client: client.subscribe_presence(address_of(jid)))

    async def members(self, account: str, group: Jid) -> dict[Jid, str]:
        session = self.session(account)
        try:
            info = await session.call(lambda client: client.get_group_info(address_of(group)))
        except GatewayError as error:
            if "not in group" in str(error).lower() or "not-found" in str(error).lower() or "404" in str(error):
                raise NotFound("The account is not in this group.") from error
            raise
        known = self._people[account]
        members: dict[Jid, str] = {}
        for participant in info.Participants:
            jid = await known.jid_of(session, participant.PhoneNumber, participant.JID)
            if jid is not None:
                members[jid] = participant.DisplayName or await known.name_of(session, jid)
        members.pop(await self._me(session), None)
        return members

    async def groups(self, account: str) -> dict[Jid, str]:
        joined = await self.session(account).call(lambda client: client.get_joined_groups())
        return {Jid(f"{group.JID.User}@{group.JID.Server}"): group.GroupName.Name for group in joined}

    # --- inside

    def session(self, account: str) -> Session:
        """The account's session. Raises NotLinked."""
        session = self._sessions.get(account)
        if session is None:
            raise NotLinked
        return session

    def people(self, account: str) -> People:
        """The addresses that the account knows."""
        return self._people[account]

    async def _end(self, account: str) -> None:
        session = self._sessions.pop(account, None)
        if session is not None:
            await session.stop()

    def _bury(self, account: str) -> None:
        """Close the connection of a client that ended by itself: it would go on to take messages that nobody hears."""
        session = self._sessions.get(account)
        if session is not None and session.ended:
            burial = asyncio.create_task(self._end_if(account, session), name=f"whatsapp {account}: end")
            self._burials.add(burial)
            burial.add_done_callback(self._burials.discard)

    async def _end_if(self, account: str, dead: Session) -> None:
        async with self._changing:
            if self._sessions.get(account) is dead:
                try:
                    await self._end(account)
                except GatewayError as error:
                    log.warning("Not ended: %s", error, extra={"action": "link.stuck", "account": account})

    def file(self, account: str) -> Path:
        """The session's file: `whatsapp.db` for the first account, as the worker's document says."""
        return self._path / ("whatsapp.db" if account == "default" else f"whatsapp-{account}.db")

    async def _me(self, session: Session) -> Jid:
        me = await session.call(lambda client: client.get_me())
        return Jid(f"{me.JID.User}@{me.JID.Server}")

    async def _told(self, heard: Heard) -> list[Report]:
        """The facts in what a session heard."""
        account, at, message, _whose = heard
        match message:
            case QrCode():
                return self._offered(account, at, message)
            case Silent(what=what, asked=asked):
                return [Unanswered(account=account, what=what, asked=asked, at=at)]
            case PairingOver() | Ended():
                return self._over(account, at, message)
            case Late(job_id=job_id, message_id=message_id):
                return [SendSettled(account=account, job_id=job_id, message_id=message_id, at=at)]
        known, session = self._people[account], self._sessions.get(account)
        await known.look_up(session, people(message))
        try:
            fact = report(message, account, at, known.jid)
        except (GatewayError, ValueError) as error:  # what WhatsApp says next year must not end us this year
            kind = type(message).__name__
            log.warning("Not understood: %s (%s)", kind, error, extra={"action": "report.failed", "account": account})
            return []
        return [] if fact is None else [fact]

    def _over(self, account: str, at: float, why: PairingOver | Ended) -> list[Report]:
        if isinstance(why, PairingOver):
            return [LinkReported(account=account, signal=LinkSignal.EXPIRED, at=at, detail=why)]
        self._bury(account)
        # The library has given up: nobody but us will make a new link.
        return [LinkReported(account=account, signal=LinkSignal.DOWN, at=at, until=at, detail=why)]

    def _offered(self, account: str, at: float, code: str) -> list[Report]:
        self._codes[account] = self._codes.get(account, 0) + 1
        expires = at + validity(self._codes[account])
        return [
            LinkReported(account=account, signal=LinkSignal.OFFERED, at=at),
            PairingOffered(account=account, qr=str(code), at=at, expires=expires),
        ]


def _make_private(path: Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.chmod(0o700)
    except OSError as error:
        raise Unavailable(
            f"Cannot use {path} for WhatsApp sessions ({error.strerror}): set WHATSAPP_SESSION_PATH."
        ) from error


if TYPE_CHECKING:
    _link: type[Link] = WhatsApp
    _wire: type[Wire] = WhatsApp
