# SPDX-License-Identifier: Apache-2.0
"""Everything one can do to the simulated world from outside: the methods behind the admin API.

Tests call them in the same process. What sends something is async and returns when it is on its way to the sockets.
"""

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from wigwag.simulator import media
from wigwag.simulator import phone as phones
from wigwag.simulator.connection import Connection
from wigwag.simulator.exchange import Exchange, ReceiptPolicy, Stream
from wigwag.simulator.faults import LASTING, Fault
from wigwag.simulator.journal import Journal
from wigwag.simulator.limits import Limits
from wigwag.simulator.linking import LinkError, Qr
from wigwag.simulator.mishaps import MISHAPS, happen
from wigwag.simulator.pairing import Pairing
from wigwag.simulator.rhythm import Rhythm
from wigwag.simulator.stanzas import groups, presence
from wigwag.simulator.world import Device, Group, Person

ACCOUNT_PHONE = "15550001111"
"""Whose phone scans when none is named."""

_LINK_TIMEOUT = 20.0
_CODES = {"refuse": 503, "ban": 101, "error_acks": 463, "stream_error": 503, "media_refuse": 500}


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """A device that was just paired."""

    phone: str
    lid: str
    device: int


class Controls:
    """`now`: seconds since the epoch. `seed` decides whatever is left to chance, keys excepted."""

    def __init__(self, *, now: Callable[[], float], seed: int, limits: Limits) -> None:
        self.exchange = Exchange(now, random.Random(seed), Journal(now))  # noqa: S311 - chance, not secrecy
        self.exchange.gate.limits = limits
        self._rhythm = Rhythm(random.Random(seed))  # noqa: S311 - chance, not secrecy
        self._pairings: list[Pairing] = []

    @property
    def journal(self) -> Journal:
        return self.exchange.journal

    @property
    def root_key(self) -> bytes:
        """The public key that clients must trust."""
        return self.exchange.trust.root.public

    @property
    def certificate(self) -> str:
        """What clients must trust when they fetch or bring media over HTTPS: PEM."""
        return self.exchange.media.certificate

    # -- pairing

    async def scan(self, qr: str, phone: str | None = None) -> Linked:
        """A phone scans a QR code, given as its text. Raises LinkError when that leads to nothing."""
        code = Qr.parse(qr)
        pairing = next((p for p in self._pairings if code.ref in p.refs), None)
        if pairing is None:
            raise LinkError("no client that is connected shows this QR code")
        return await self._link(pairing.scan(code, self.exchange.world.put(phone or ACCOUNT_PHONE)))

    async def scan_code(self, phone: str, code: str) -> Linked:
        """A user types the code of eight letters into the phone. Raises LinkError, also when the code is wrong."""
        pairing = next((p for p in reversed(self._pairings) if p.waits_for(phone)), None)
        if pairing is None:
            raise LinkError("no client that is connected has asked for a code with this number")
        return await self._link(pairing.enter_code(self.exchange.world.put(phone), code))

    async def _link(self, attempt: "asyncio.Future[Device]") -> Linked:
        try:
            async with asyncio.timeout(_LINK_TIMEOUT):
                device = await attempt
        except TimeoutError as error:
            raise LinkError(f"the client did not answer within {_LINK_TIMEOUT:.0f} seconds") from error
        return Linked(phone=device.person.phone, lid=device.person.lid, device=device.number)

    def add_pairing(self, pairing: Pairing) -> None:
        self._pairings.append(pairing)

    def drop_pairing(self, pairing: Pairing) -> None:
        self._pairings.remove(pairing)

    # -- people and groups

    def put_contact(
        self,
        phone: str,
        *,
        name: str | None = None,
        lid: str | None = None,
        about: str | None = None,
        last_seen_visible: bool | None = None,
        addressed_by_lid: bool | None = None,
    ) -> Person:
        """Make or change a contact; None leaves as it is. Raises ValueError when the LID is another's."""
        person = self.exchange.world.put(phone, name=name, lid=lid)
        if about is not None:
            person.about = about
        if last_seen_visible is not None:
            person.last_seen_visible = last_seen_visible
        if addressed_by_lid is not None:
            person.addressed_by_lid = addressed_by_lid
        return person

    async def set_presence(self, phone: str, *, online: bool, last_seen: datetime | None = None) -> None:
        """A contact comes or goes; going sets `last_seen` to now unless it is given."""
        person = self.exchange.world.person(phone)
        seen = None if last_seen is None else int(last_seen.timestamp())
        await _flush(presence.set_presence(self.exchange, person, online=online, last_seen=seen))

    async def type(self, phone: str, state: str = "composing", media: str | None = None) -> None:
        """A contact begins (`composing`) or stops (`paused`) to type; media `audio`: to record."""
        await _flush(presence.type_to(self.exchange, self.exchange.world.person(phone), state, media))

    async def send_text(self, phone: str, text: str, account: str | None = None) -> str:
        """A contact writes to an account; the only one when none is named. Returns the message id."""
        world = self.exchange.world
        target = world.account(account)
        message_id = phones.send_text(self.exchange, world.person(phone), target, text)
        await _flush(self.exchange.streams_of(target.phone))
        return message_id

    async def put_group(
        self,
        group_id: str,
        *,
        subject: str,
        participants: Sequence[str],
        admins: Sequence[str] = (),
        by_lid: bool = False,
    ) -> Group:
        """Make or change a group; participants are phone numbers. Accounts in it are told what changed."""
        world = self.exchange.world
        people, leaders = [world.person(p) for p in participants], [world.person(p) for p in admins]
        group = world.groups.get(group_id)
        if group is None:
            created = int(self.exchange.now())
            group = world.groups[group_id] = Group(
                id=group_id, subject=subject, created=created, participants=[], admins=leaders, by_lid=by_lid
            )
        renamed, group.subject = group.subject != subject, subject
        before, group.participants, group.admins, group.by_lid = group.participants, people, leaders, by_lid
        self._announce(group, before, renamed=renamed)
        await _flush(self.exchange.streams.values())
        return group

    def _announce(self, group: Group, before: list[Person], *, renamed: bool) -> None:
        if renamed:
            groups.announce_subject(self.exchange, group)
        joined = [person for person in group.participants if person not in before]
        left = [person for person in before if person not in group.participants]
        for action, changed in (("add", joined), ("remove", left)):
            if changed:
                group.version += 1
                groups.announce_participants(self.exchange, group, action, changed)

    # -- media

    def put_media(self, kind: str, data: bytes) -> dict[str, Any]:
        """Encrypt a file and put it where clients fetch it. Returns the fields of a message about it, without mimetype.

        `kind`: image, video, audio, voice, document or sticker. Raises ValueError for another.
        """
        store, now = self.exchange.media, self.exchange.now()
        sealed, facts = media.wrap(kind, data)
        path = store.keep(sealed, now)
        return {**facts, "direct_path": path, "url": store.url(path), "media_key_timestamp": int(now)}

    def open_media(self, kind: str, fields: Mapping[str, Any]) -> bytes:
        """The file that a message of this kind with these fields is about, decrypted.

        Raises UnknownMedia or MediaGone when it is not there, MediaError when it is not what the fields say.
        """
        return media.unwrap(kind, fields, self.exchange.media.fetch(fields.get("direct_path", ""), self.exchange.now()))

    # -- manners and mishaps

    def set_limits(self, limits: Limits) -> None:
        self.exchange.gate.limits = limits

    def set_receipts(self, *, delivery: bool, read: bool) -> None:
        self.exchange.receipts = ReceiptPolicy(delivery=delivery, read=read)

    async def inject(
        self,
        kind: str,
        account: str | None = None,
        *,
        seconds: float | None = None,
        count: int | None = None,
        code: int | None = None,
        delay: float = 5.0,
    ) -> None:
        """Make a fault happen, to one account or all. `seconds` and `count` bound those that last.

        `code`: the reason of refuse (503), ban (101), error_acks (463) or stream_error (503). `delay`: seconds an
        acknowledgement waits. Raises ValueError for an unknown kind.
        """
        if kind == "error_463":
            kind, code = "error_acks", 463
        if kind not in (*LASTING, *MISHAPS):
            raise ValueError(f"no fault {kind!r}: choose one of {', '.join(sorted((*LASTING, *MISHAPS)))}, error_463")
        self.journal.note("faults", "fault", account or "", kind=kind)
        number, streams = code or _CODES.get(kind, 0), self.exchange.streams_of(account)
        if kind in MISHAPS:
            happen(self.exchange, kind, account, number)
        else:
            until = None if seconds is None else self.exchange.now() + seconds
            fault = Fault(kind=kind, account=account, until=until, left=count, code=number, delay=delay)
            self.exchange.faults.active.append(fault)
            for stream in streams if kind in ("ban", "outdated") else []:
                stream.connection.close()
        await _flush(streams)

    def clear_faults(self) -> None:
        self.exchange.faults.active.clear()

    async def cut(self, account: str | None = None) -> None:
        """Cut the line, as `inject("cut")`."""
        await self.inject("cut", account)

    def start_rhythm(self, speed: float = 60.0, phones: Iterable[str] | None = None) -> None:
        """Let contacts (all that are no account, when none are named) come and go by day, `speed` times as fast."""
        world = self.exchange.world
        people = [world.person(p) for p in phones] if phones is not None else list(world.people.values())
        self._rhythm.start([person for person in people if not person.devices], speed, self.exchange.now())

    def stop_rhythm(self) -> None:
        self._rhythm.stop()

    def tick(self) -> None:
        """Do what is due by now: delayed acknowledgements, refs that expire, the rhythm of the day."""
        self.exchange.release_delayed()
        for pairing in [pairing for pairing in self._pairings if pairing.is_over]:
            pairing.expire()
        for person, online in self._rhythm.due(self.exchange.now()):
            presence.set_presence(self.exchange, person, online=online)


async def _flush(streams: Iterable[Stream]) -> None:
    connections: list[Connection] = [stream.connection for stream in streams]
    for connection in connections:
        await connection.flush()
