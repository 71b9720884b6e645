# SPDX-License-Identifier: Apache-2.0
"""Everything one can do to the simulated world from outside: the methods behind the admin API.

Tests call them in the same process. What sends something is async and returns when it is on its way to the sockets.
"""

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from wigwag.simulator import media
from wigwag.simulator import phone as phones
from wigwag.simulator.answering import ReceiptPolicy
from wigwag.simulator.connection import Connection
from wigwag.simulator.content import Content, compose
from wigwag.simulator.exchange import Exchange, Stream
from wigwag.simulator.faults import LASTING, Fault
from wigwag.simulator.journal import Journal
from wigwag.simulator.limits import Limits
from wigwag.simulator.linking import LinkError, Qr
from wigwag.simulator.media_store import UnknownMedia
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
    """`now`: seconds since the epoch. `seed` decides whatever is left to chance, keys excepted.

    `keep`: how many lines of each part of the journal.
    """

    def __init__(self, *, now: Callable[[], float], seed: int, limits: Limits, keep: int = 100_000) -> None:
        self.exchange = Exchange(now, random.Random(seed), Journal(now, keep))  # noqa: S311 - chance, not secrecy
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
        aliases: Sequence[str] | None = None,
    ) -> Person:
        """Make or change a contact; None leaves as it is. Raises ValueError when LID or an alias is another's.

        `aliases`: other numbers under which it is found.
        """
        person = self.exchange.world.put(phone, name=name, lid=lid)
        if aliases is not None:
            self.exchange.world.set_aliases(person, tuple(aliases))
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

    def reset_keys(self, phone: str) -> None:
        """The contact has a new phone: it knows no conversation any more, and its identity is another."""
        self.exchange.world.person(phone).forget_keys()

    async def put_group(
        self,
        group_id: str,
        *,
        subject: str,
        participants: Sequence[str],
        admins: Sequence[str] = (),
        by_lid: bool = False,
        by: str | None = None,
    ) -> Group:
        """Make or change a group; participants are phone numbers. Accounts in it are told what changed.

        `by_lid`: its participants are addressed by LID. `by`: who makes the change; else the first admin.
        """
        world = self.exchange.world
        people, leaders = [world.person(p) for p in participants], [world.person(p) for p in admins]
        actor = world.person(by) if by else None
        group = world.groups.get(group_id)
        if group is None:
            created = int(self.exchange.now())
            group = world.groups[group_id] = Group(
                id=group_id, subject=subject, created=created, participants=[], admins=leaders, by_lid=by_lid
            )
        group.by_lid = by_lid
        groups.rename(self.exchange, group, subject, actor)
        groups.change(self.exchange, group, people, leaders, actor)
        await _flush(self.exchange.streams.values())
        return group

    # -- messages and calls

    async def send_text(self, phone: str, text: str, account: str | None = None, *, group: str | None = None) -> str:
        """A contact writes to an account, the only one when none is named, or into a group. Returns the message id."""
        return await self.send(phone, Content(kind="text", text=text), group=group, account=account)

    async def send(
        self,
        phone: str,
        said: Content,
        *,
        file: bytes | None = None,
        group: str | None = None,
        account: str | None = None,
    ) -> str:
        """A contact says something to an account, or into a group by its id. Returns the message id.

        `file`: what an image, video, audio, voice, document or sticker is; the fields about it are then filled in.
        A message about another one is about the contact's own (`edit`, `deletion`) or the account's (the others),
        unless its fields say otherwise. Raises ValueError for what `content.compose` cannot make.
        """
        world = self.exchange.world
        if file is not None:
            said = replace(said, fields={**self.put_media(said.kind, file), **said.fields})
        if "target" in said.fields:
            own = bool(said.fields.get("from_me", said.kind in ("edit", "deletion")))
            chat = world.group(group).jid if group else world.account(account).jid
            said = replace(said, fields={"from_me": own, "chat": str(chat), **said.fields})
        return await self.send_message(phone, compose(said), group=group, account=account)

    async def send_message(
        self, phone: str, message: bytes, *, group: str | None = None, account: str | None = None
    ) -> str:
        """As `send`, with the bytes of the message; nobody looks whether they are one. Returns the message id."""
        world, person = self.exchange.world, self.exchange.world.person(phone)
        if group is None:
            message_id = phones.send(self.exchange, person, world.account(account), message)
        elif person in world.group(group).participants:
            message_id = phones.send_to_group(self.exchange, person, world.group(group), message)
        else:
            raise ValueError(f"{phone} is not in the group {group}: add it with PUT /sim/groups/{group}")
        await _flush(self.exchange.streams.values())
        return message_id

    async def call(self, phone: str, account: str | None = None, *, video: bool = False) -> str:
        """A contact rings an account. Returns the call's id."""
        call_id, kinds = self.exchange.new_id(), ["audio", "video"] if video else ["audio"]
        await self._call(phone, account, call_id, "offer", *kinds)
        return call_id

    async def hang_up(self, phone: str, call_id: str, account: str | None = None) -> None:
        """The contact stops ringing."""
        await self._call(phone, account, call_id, "terminate")

    async def _call(self, phone: str, account: str | None, call_id: str, step: str, *kinds: str) -> None:
        world = self.exchange.world
        phones.call(self.exchange, world.person(phone), world.account(account), call_id, step, *kinds)
        await _flush(self.exchange.streams_of(world.account(account).phone))

    # -- media

    def put_media(self, kind: str, data: bytes) -> dict[str, Any]:
        """Encrypt a file and put it where clients fetch it. Returns fields for the `Content` that is sent about it.

        `kind`: image, video, audio, voice, document or sticker; MediaError for another. The mimetype is not among them.
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

    def received_media(self, message_id: str) -> bytes:
        """The file of a message in the inbox, decrypted. Raises as `open_media`."""
        line = next((line for line in reversed(self.journal.inbox) if line.id == message_id), None)
        if line is None:
            raise UnknownMedia(f"no message {message_id} in the inbox")
        return self.open_media(line.kind, line.fields)

    # -- manners and mishaps

    def set_limits(self, limits: Limits) -> None:
        self.exchange.gate.limits = limits

    def set_receipts(self, policy: ReceiptPolicy, phone: str | None = None) -> None:
        """How a contact answers what it gets; without a number, all that have no policy of their own."""
        if phone is None:
            self.exchange.answering.general = policy
        else:
            self.exchange.answering.own[self.exchange.world.person(phone)] = policy

    def unset_receipts(self, phone: str) -> None:
        """The contact answers like everybody again."""
        self.exchange.answering.own.pop(self.exchange.world.person(phone), None)

    async def release_receipts(self, phone: str | None = None, account: str | None = None) -> int:
        """Send the receipts that were held: a contact's or all, to an account or all. Returns how many."""
        contact = self.exchange.world.person(phone) if phone else None
        released = self.exchange.answering.release(contact, account)
        self.exchange.send_receipts(released)
        await _flush(self.exchange.streams_of(account))
        return len(released)

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

        `code`: the reason of refuse (503), ban (101), error_acks (463) or stream_error (503), the
        status of media_refuse (500). `delay`: seconds an acknowledgement or, with media_slow, a file waits. Nobody
        knows who downloads, so to strike downloads a fault must name no account. Raises ValueError for an unknown kind.
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
