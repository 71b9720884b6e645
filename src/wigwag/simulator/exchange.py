# SPDX-License-Identifier: Apache-2.0
"""The exchange: the world, the open streams, and the ways from one to the other.

`Stream` is one logged-in client; `Exchange` is what every stanza handler is given. Handlers never wait: they change
the world and post nodes. Time and chance come from outside.
"""

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from wigwag.simulator.answering import Answering, Pending
from wigwag.simulator.connection import Connection
from wigwag.simulator.faults import Faults
from wigwag.simulator.journal import Journal
from wigwag.simulator.limits import Gate
from wigwag.simulator.media_store import MediaStore
from wigwag.simulator.noise import Trust
from wigwag.simulator.wire import SERVER, Jid, Node, Value
from wigwag.simulator.world import Device, Person, World


class Refusal(Exception):
    """A stanza that the server does not accept: a code and text of the protocol, and our own words for the log."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


@dataclass(eq=False, slots=True)
class Stream:
    """`ready`: the client has asked to be active and has got what it missed. `available`: it shows itself online."""

    connection: Connection
    device: Device
    exchange: "Exchange"
    ready: bool = False
    available: bool = False
    subscriptions: dict[Person, Jid] = field(default_factory=dict)

    @property
    def account(self) -> str:
        return self.device.person.phone

    def post(self, node: Node) -> None:
        if not self.exchange.faults.find("silence", self.account, self.exchange.now()):
            self.connection.post(node)

    def end(self, error: Node) -> None:
        """Say why and close."""
        self.post(error)
        self.connection.close()


@dataclass(eq=False, slots=True)
class Exchange:
    now: Callable[[], float]
    chance: random.Random
    journal: Journal
    trust: Trust = field(default_factory=Trust)
    world: World = field(default_factory=World)
    gate: Gate = field(default_factory=Gate)
    media: MediaStore = field(default_factory=MediaStore)
    faults: Faults = field(default_factory=Faults)
    answering: Answering = field(default_factory=Answering)
    streams: dict[Device, Stream] = field(default_factory=dict)
    delayed: list[tuple[float, Stream, Node]] = field(default_factory=list)
    to_bring: deque[Callable[[], None]] = field(default_factory=deque)
    _watchers: dict[Person, set[Stream]] = field(default_factory=dict)

    def time(self) -> str:
        """The time as stanzas carry it."""
        return str(int(self.now()))

    def new_id(self) -> str:
        return f"3A{self.chance.getrandbits(72):018X}"

    def streams_of(self, account: str | None) -> list[Stream]:
        """The open streams of an account, or of all."""
        return [stream for stream in self.streams.values() if account in (None, stream.account)]

    def bring(self) -> None:
        """Bring messages that are acknowledged to their readers, for whom the server's answer never waits."""
        while self.to_bring:
            self.to_bring.popleft()()

    def deliver(self, device: Device, node: Node) -> None:
        """Send a stanza that must be acknowledged: now if the client is ready, else when it comes back."""
        device.queue(node)
        stream = self.streams.get(device)
        if stream and stream.ready:
            stream.post(node)

    def notify(self, device: Device, kind: str, content: list[Node], **attrs: Value) -> None:
        head: dict[str, Value] = {
            "from": SERVER,
            "type": kind,
            "id": str(self.chance.getrandbits(31)),
            "t": self.time(),
        }
        self.deliver(device, Node("notification", {**head, **attrs}, content))

    def watch(self, stream: Stream, person: Person, jid: Jid) -> None:
        stream.subscriptions[person] = jid
        self._watchers.setdefault(person, set()).add(stream)

    def unwatch(self, stream: Stream, person: Person) -> None:
        stream.subscriptions.pop(person, None)
        watchers = self._watchers.get(person, set())
        watchers.discard(stream)
        if not watchers:
            self._watchers.pop(person, None)

    def watchers(self, person: Person) -> list[Stream]:
        """The streams that hear of this person now: subscribed, and available themselves."""
        return [stream for stream in self._watchers.get(person, ()) if stream.available]

    def answer(self, contact: Person, device: Device, receipt: Node) -> None:
        """Send a contact's receipt, when its policy says so."""
        policy, pending = self.answering.policy(contact), Pending(contact, device, receipt)
        if not self.answering.put_off(pending, policy, self.now()):
            self.send_receipts([pending])

    def send_receipts(self, receipts: list[Pending]) -> None:
        for pending in receipts:
            self.journal.counts.receipts_sent[pending.node.text("type") or "delivery"] += 1
            self.deliver(pending.device, pending.node)

    def release_delayed(self) -> None:
        """Post the acknowledgements and receipts whose delay is over."""
        self.send_receipts(self.answering.due(self.now()))
        due = [item for item in self.delayed if item[0] <= self.now()]
        self.delayed = [item for item in self.delayed if item[0] > self.now()]
        for _, stream, node in due:
            stream.post(node)
