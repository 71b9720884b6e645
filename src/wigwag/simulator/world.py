# SPDX-License-Identifier: Apache-2.0
"""Who exists: people with their phones and linked devices, and groups. State only; nothing here is sent or received.

A person is one thing under two addresses, phone number and LID. One with a linked device is an account; all are
contacts to each other. Times are seconds since the epoch, as the protocol has them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from wigwag.simulator.appstate import AppState
from wigwag.simulator.signal import Bundle, KeyStore, SignedPrekey
from wigwag.simulator.wire import Jid, Node

_MAX_QUEUED = 50_000
_MAX_REMEMBERED_IDS = 10_000
_MAX_RECENT = 1_000


class UnknownPerson(LookupError):
    """No person or device has that address."""


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
    unacknowledged: dict[tuple[str, str, str], Node] = field(default_factory=dict)
    recent: dict[str, tuple["Person", bytes]] = field(default_factory=dict)
    """The last messages that were written to it, by id: whose, and the plain content, should it ask again."""
    sent_ids: dict[str, None] = field(default_factory=dict)

    @property
    def jid(self) -> Jid:
        return Jid(self.person.phone, device=self.number)

    @property
    def lid(self) -> Jid:
        return Jid(self.person.lid, "lid", self.number)

    def take_bundle(self) -> Bundle:
        """The keys for one new conversation; its one-time prekey is given to nobody else."""
        first = next(iter(self.one_time), None)
        one_time = None if first is None else (first, self.one_time.pop(first))
        return Bundle(registration=self.registration, identity=self.identity, signed=self.signed, one_time=one_time)

    def queue(self, node: Node) -> None:
        kind = node.text("type") if node.tag == "receipt" else ""
        self.unacknowledged[node.tag, kind, node.text("id")] = node
        _keep_newest(self.unacknowledged, _MAX_QUEUED)

    def acknowledge(self, tag: str, kind: str, stanza_id: str) -> None:
        """The client has it; `kind` tells receipts of one message apart."""
        self.unacknowledged.pop((tag, kind if tag == "receipt" else "", stanza_id), None)

    def remember(self, message_id: str, sender: "Person", content: bytes) -> None:
        self.recent[message_id] = sender, content
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
    devices: dict[int, Device] = field(default_factory=dict)
    devices_ever: int = 0
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

    @property
    def keys(self) -> KeyStore:
        """The keys of the phone itself, device 0."""
        self._keys = self._keys or KeyStore()
        return self._keys

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

    def address(self, person: Person) -> Jid:
        return person.lid_jid if self.by_lid else person.jid


@dataclass(slots=True)
class World:
    people: dict[str, Person] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    _by_lid: dict[str, Person] = field(default_factory=dict)

    def put(self, phone: str, *, name: str | None = None, lid: str | None = None) -> Person:
        """The person with that number, made if there was none. Raises ValueError when the LID is another's."""
        person = self.people.get(phone)
        wanted = lid or (person.lid if person else f"9{phone}")
        if self._by_lid.get(wanted, person) is not person:
            raise ValueError(f"LID {wanted} belongs to another contact: choose a different one")
        if person is None:
            person = self.people[phone] = Person(phone=phone, lid=wanted, name=name or f"Contact {phone[-4:]}")
        self._by_lid.pop(person.lid, None)
        self._by_lid[wanted] = person
        person.lid, person.name = wanted, name or person.name
        return person

    def find(self, jid: Jid) -> Person | None:
        """Whose address it is, by number or by LID, whatever the device."""
        directories = {"s.whatsapp.net": self.people, "lid": self._by_lid}
        return directories.get(jid.server, {}).get(jid.user)

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


def _keep_newest(items: dict[Any, Any], limit: int) -> None:
    if len(items) > limit:
        del items[next(iter(items))]
