# SPDX-License-Identifier: Apache-2.0
"""Who exists: people with their phones and linked devices, and groups. State only; nothing here is sent or received.

A person is one thing under two addresses, phone number and LID. One with a linked device is an account; all are
contacts to each other. Times are seconds since the epoch, as the protocol has them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from wigwag.simulator.appstate import AppState
from wigwag.simulator.senderkeys import GroupKeys
from wigwag.simulator.signal import Bundle, KeyStore, SignedPrekey
from wigwag.simulator.wire import Jid, Node

_MAX_QUEUED = 50_000
_MAX_REMEMBERED_IDS = 10_000
_MAX_RECENT = 1_000


class UnknownPerson(LookupError):
    """No person, device or group has that address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A message that somebody wrote to a device, as it is kept should the device ask for it again."""

    person: "Person"
    content: bytes
    group: "Group | None" = None


@dataclass(eq=False, slots=True, kw_only=True)
class Device:
    """A linked device: its public keys as uploaded, and the stanzas it has not acknowledged."""

    person: "Person"
    number: int
    noise_key: bytes
    identity: bytes
    registration: int
    signed: SignedPrekey
    proof: bytes
    """The signed device identity, as others see it."""
    one_time: dict[int, bytes] = field(default_factory=dict)
    uploaded: bool = False
    unacknowledged: dict[tuple[str, ...], Node] = field(default_factory=dict)
    recent: dict[str, Written] = field(default_factory=dict)
    """The last messages that were written to it, by id."""
    sent_ids: dict[str, None] = field(default_factory=dict)

    @property
    def jid(self) -> Jid:
        return Jid(self.person.phone, device=self.number)

    @property
    def lid(self) -> Jid:
        return Jid(self.person.lid, "lid", self.number)

    @property
    def key(self) -> tuple[str, int]:
        """The name of the device in the conversations that the phones keep."""
        return self.person.phone, self.number

    def take_bundle(self) -> Bundle:
        """The keys for one new conversation; its one-time prekey is given to nobody else."""
        first = next(iter(self.one_time), None)
        one_time = None if first is None else (first, self.one_time.pop(first))
        return Bundle(registration=self.registration, identity=self.identity, signed=self.signed, one_time=one_time)

    def queue(self, node: Node) -> None:
        self.unacknowledged[_name_of(node.tag, node)] = node
        _keep_newest(self.unacknowledged, _MAX_QUEUED)

    def acknowledge(self, tag: str, node: Node) -> None:
        """The client has the stanza with that tag which `node`, an ack or receipt, is about."""
        self.unacknowledged.pop(_name_of(tag, node), None)

    def drop_message(self, message_id: str) -> None:
        """The client has this message, though no stanza of its own says so."""
        self.unacknowledged.pop(("message", message_id), None)

    def remember(self, message_id: str, written: Written) -> None:
        self.recent[message_id] = written
        _keep_newest(self.recent, _MAX_RECENT)

    def sent_before(self, message_id: str) -> bool:
        """Whether this device has sent a message of that id; from now on it has."""
        if message_id in self.sent_ids:
            return True
        self.sent_ids[message_id] = None
        _keep_newest(self.sent_ids, _MAX_REMEMBERED_IDS)
        return False


@dataclass(eq=False, slots=True, kw_only=True)
class Person:
    """`phone` and `lid` are digits. `_keys` and `_settings` are made when first needed: most people never need them."""

    phone: str
    lid: str
    name: str
    about: str = "Hey there!"
    last_seen_visible: bool = True
    addressed_by_lid: bool = False
    online: bool = False
    last_seen: int | None = None
    aliases: tuple[str, ...] = ()
    """Other numbers that lead to this person when somebody looks them up."""
    devices: dict[int, Device] = field(default_factory=dict)
    devices_ever: int = 0
    group_keys: GroupKeys = field(default_factory=GroupKeys)
    _read: dict[tuple[str, str], None] = field(default_factory=dict)
    _keys: KeyStore | None = None
    _settings: AppState | None = None

    @property
    def jid(self) -> Jid:
        return Jid(self.phone)

    @property
    def lid_jid(self) -> Jid:
        return Jid(self.lid, "lid")

    @property
    def address(self) -> Jid:
        """The address others see on what this person sends."""
        return self.lid_jid if self.addressed_by_lid else self.jid

    def read_before(self, account: str, message_id: str) -> bool:
        """Whether the phone has read a message of that account and id; from now on it has."""
        if (account, message_id) in self._read:
            return True
        self._read[account, message_id] = None
        _keep_newest(self._read, _MAX_REMEMBERED_IDS)
        return False

    @property
    def keys(self) -> KeyStore:
        """The keys of the phone itself, device 0."""
        self._keys = self._keys or KeyStore()
        return self._keys

    def forget_keys(self) -> None:
        self._keys, self.group_keys = KeyStore(), GroupKeys()

    @property
    def settings(self) -> AppState:
        self._settings = self._settings or AppState()
        return self._settings


@dataclass(eq=False, slots=True, kw_only=True)
class Group:
    """`admins` are among `participants`; both hold people. `by_lid`: the group addresses its participants by LID."""

    id: str
    subject: str
    created: int
    participants: list[Person]
    admins: list[Person]
    by_lid: bool = False
    version: int = 1

    @property
    def jid(self) -> Jid:
        return Jid(self.id, "g.us")

    @property
    def mode(self) -> str:
        """The addressing mode, in the word of the protocol."""
        return "lid" if self.by_lid else "pn"

    def address(self, person: Person) -> Jid:
        return person.lid_jid if self.by_lid else person.jid

    def other_address(self, person: Person) -> dict[str, Jid]:
        """The attribute that gives a participant's address of the other kind."""
        return {"participant_pn": person.jid} if self.by_lid else {"participant_lid": person.lid_jid}


@dataclass(slots=True)
class World:
    people: dict[str, Person] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    _by_lid: dict[str, Person] = field(default_factory=dict)
    _by_alias: dict[str, Person] = field(default_factory=dict)

    def put(self, phone: str, *, name: str | None = None, lid: str | None = None) -> Person:
        """The person with that number, made if there was none. Raises ValueError when the LID is another's."""
        person = self.people.get(phone)
        wanted = lid or (person.lid if person else f"9{phone}")
        if self._by_lid.get(wanted, person) is not person:
            raise ValueError(f"LID {wanted} belongs to another contact: choose a different one")
        if phone in self._by_alias:
            raise ValueError(f"{phone} is an alias of another contact: take it from that one first")
        if person is None:
            person = self.people[phone] = Person(phone=phone, lid=wanted, name=name or f"Contact {phone[-4:]}")
        self._by_lid.pop(person.lid, None)
        self._by_lid[wanted] = person
        person.lid, person.name = wanted, name or person.name
        return person

    def set_aliases(self, person: Person, aliases: tuple[str, ...]) -> None:
        """Numbers that lead to this person. Raises ValueError when one is somebody's, or leads to another."""
        for alias in aliases:
            if alias in self.people or self._by_alias.get(alias, person) is not person:
                raise ValueError(f"{alias} belongs to another contact: it cannot be an alias")
        for alias in person.aliases:
            del self._by_alias[alias]
        self._by_alias |= dict.fromkeys(aliases, person)
        person.aliases = tuple(dict.fromkeys(aliases))

    def look_up(self, number: str) -> Person | None:
        """Who is reached under a number, be it the person's own or an alias."""
        return self.people.get(number) or self._by_alias.get(number)

    def group(self, group_id: str) -> Group:
        if group_id not in self.groups:
            raise UnknownPerson(f"no group has the id {group_id}: add it with PUT /sim/groups/{group_id}")
        return self.groups[group_id]

    def find(self, jid: Jid) -> Person | None:
        """Whose address it is, by number or by LID, whatever the device."""
        directories = {"s.whatsapp.net": self.people, "lid": self._by_lid}
        return directories.get(jid.server, {}).get(jid.user)

    def devices(self, jid: Jid) -> Iterable[int]:
        """The numbers of the linked devices behind an address."""
        person = self.find(jid)
        return person.devices if person else ()

    def device(self, jid: Jid) -> Device | None:
        """The linked device of that address."""
        person = self.find(jid)
        return person.devices.get(jid.device) if person else None

    def person(self, phone: str) -> Person:
        if phone not in self.people:
            raise UnknownPerson(f"no contact has the number {phone}: add it with PUT /sim/contacts/{phone}")
        return self.people[phone]

    def accounts(self) -> Iterator[Person]:
        return (person for person in self.people.values() if person.devices)

    def account(self, phone: str | None) -> Person:
        """The account of that number; without a number, the only one there is."""
        people = self.people.values() if phone is None else [self.people[phone]] if phone in self.people else []
        candidates = [person for person in people if person.devices]
        if len(candidates) != 1:
            raise UnknownPerson("no such account: name one of those that GET /sim/accounts lists")
        return candidates[0]

    def groups_of(self, person: Person) -> list[Group]:
        return [group for group in self.groups.values() if person in group.participants]


def _name_of(tag: str, node: Node) -> tuple[str, ...]:
    """What tells a stanza from others: a receipt is one of its kind for a message, from one participant."""
    kind = (node.text("type"), node.text("participant")) if tag == "receipt" else ()
    return (tag, node.text("id"), *kind)


def _keep_newest(items: dict[Any, Any], limit: int) -> None:
    if len(items) > limit:
        del items[next(iter(items))]
