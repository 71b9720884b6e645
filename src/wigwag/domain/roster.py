# SPDX-License-Identifier: Apache-2.0
"""The roster: which users have devices on which node, and how a node brings the truth in line with its own sockets.

A node is one gateway process. It holds a lease; a device belongs to the lease of the node that has its socket, so that
one renewal keeps all of them. What is shown of a user is decided in `domain.users` alone. Nothing here waits.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from wigwag.domain.users import (
    CONNECTED,
    GRACE,
    Choice,
    Privacy,
    UserId,
    UserPresence,
    choose,
    enter,
    expire,
    leave,
    retell,
    settle,
)

LEASE = 6.0  # seconds that a node counts without a word
RENEW = 2.0  # seconds between two renewals


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What the roster holds of a user who has devices, or of whom something is not yet in the store.

    Args:
        by: the lease of the node that wrote this; it also brings it to the store.
        refreshed: rises when contacts or privacy changed; whoever tells of this user reads them again then.
        gone: the user was deleted.
        seq: the number of the change that made this; 0 if it is not in the roster.
    """

    presence: UserPresence
    privacy: Privacy
    by: int = 0
    refreshed: int = 0
    gone: bool = False
    seq: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One step of the relay. `entry` is None if the user is not in the roster any more."""

    seq: int
    user: UserId
    entry: Entry | None


@dataclass(slots=True, kw_only=True)
class Wish:
    """What a node wants to be true of a user.

    Args:
        devices: of its own, until when each counts.
        left: devices of its own that said goodbye, and when.
        privacy: what it is now, if it may have changed.
        refreshes: how often contacts or privacy changed since it was last written.
        saved: the change up to which the store has everything.
    """

    devices: dict[str, float] = field(default_factory=dict)
    left: dict[str, float] = field(default_factory=dict)
    choice: Choice | None = None
    privacy: Privacy | None = None
    refreshes: int = 0
    gone: bool = False
    saved: int = 0

    @property
    def empty(self) -> bool:
        return not (
            (self.devices or self.left or self.refreshes or self.gone or self.saved)
            or (self.choice is not None or self.privacy is not None)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Who writes, and what it knows of the others' leases.

    Args:
        lease: the writer's own.
        former: leases that the writer has lost; their devices are its own as well.
        ended: leases of nodes that are no more, and when they may have been alive at last.
    """

    lease: int
    former: frozenset[int] = frozenset()
    ended: Mapping[int, float] = field(default_factory=lambda: MappingProxyType({}))


def key(lease: int, device: str) -> str:
    """A device as the roster names it."""
    return f"{lease}/{device}"


def owner(device: str) -> int:
    """The lease that a device belongs to."""
    return int(device.partition("/")[0])


def reconcile(entry: Entry, wish: Wish, standing: Standing, now: float) -> Entry | None:
    """The entry as it should be; None if it is not needed any more."""
    if wish.gone:
        if not entry.seq:
            return None
        gone = _without(entry.presence, entry.presence.devices, now)
        return entry if entry.gone else replace(entry, presence=gone, by=standing.lease, gone=True)
    presence = _ended(_adopted(entry.presence, standing), standing)
    presence = _entered(presence, wish, standing, now)
    if wish.choice is not None and wish.choice is not presence.choice:
        presence = choose(presence, wish.choice, now)
    for device, at in wish.left.items():
        presence = leave(presence, key(standing.lease, device), at, goodbye=True)
    presence = _without(presence, _stray(presence, wish, standing), now)
    presence = settle(expire(presence, now), now, _seen(presence, wish, now))
    if wish.refreshes:
        presence = retell(presence, now)
    after = Entry(  # in full: thousands of users may go at once, and `replace` takes three times as long
        presence=presence,
        privacy=entry.privacy if wish.privacy is None else wish.privacy,
        by=standing.lease,
        refreshed=entry.refreshed + bool(wish.refreshes),
        gone=entry.gone and not presence.devices,
        seq=entry.seq,
    )
    before = (entry.presence, entry.privacy, entry.refreshed, entry.gone)
    if before != (after.presence, after.privacy, after.refreshed, after.gone) or entry.by in standing.ended:
        return after
    if not presence.devices and wish.saved >= entry.seq:
        return None  # the store has all of it; or there never was an entry, and none is needed
    return entry


def foretell(entry: Entry, wish: Wish, standing: Standing, now: float) -> Entry:
    """The entry as far as a node may tell of it that cannot ask: somebody came, or chose. That nobody went."""
    came = Wish(devices={device: until for device, until in wish.devices.items() if until == CONNECTED})
    presence = _entered(entry.presence, came, standing, now)
    if wish.choice is not None and wish.choice is not presence.choice:
        presence = choose(presence, wish.choice, now)
    return replace(entry, presence=presence, privacy=wish.privacy or entry.privacy)


def follows(truth: Entry, told: Entry) -> bool:
    """Whether this may be told after that: `v` rises if something else is shown, and nothing falls."""
    before, after = told.presence, truth.presence
    risen = after.v > before.v or (after.v == before.v and after.shown is before.shown)
    return risen and (after.last_seen or 0.0) >= (before.last_seen or 0.0)


def merge(truth: Entry, told: Entry, now: float) -> Entry:
    """The truth, after something else was told: changed so that it may be told after that."""
    if follows(truth, told):
        return truth
    before, after = told.presence, truth.presence
    seen = [instant for instant in (before.last_seen, after.last_seen) if instant is not None]
    merged = replace(after, shown=before.shown, last_seen=max(seen, default=None), v=max(before.v, after.v))
    return replace(truth, presence=retell(merged, now))


def _adopted(presence: UserPresence, standing: Standing) -> UserPresence:
    """Devices of leases that the writer has lost become its own, so that a goodbye said meanwhile counts at once."""
    if not any(owner(device) in standing.former for device in presence.devices):
        return presence
    devices: dict[str, float] = {}
    for device, until in presence.devices.items():
        mine = owner(device) in standing.former
        name = key(standing.lease, device.partition("/")[2]) if mine else device
        devices[name] = max(until, devices.get(name, until))
    return replace(presence, devices=MappingProxyType(devices))


def _ended(presence: UserPresence, standing: Standing) -> UserPresence:
    """Devices of nodes that are no more were lost with them."""
    for device, until in presence.devices.items():
        at = standing.ended.get(owner(device))
        if until == CONNECTED and at is not None:
            presence = leave(presence, device, at, goodbye=False)
    return presence


def _entered(presence: UserPresence, wish: Wish, standing: Standing, now: float) -> UserPresence:
    """The writer's own devices, as they are. One in its grace was here when that began, even if nobody heard of it."""
    for device, until in wish.devices.items():
        name = key(standing.lease, device)
        known = presence.devices.get(name)
        if known == until or (until <= now and known != CONNECTED):
            continue
        if known != CONNECTED:
            presence = enter(presence, name, now if until == CONNECTED else until - GRACE)
        if until != CONNECTED:
            presence = leave(presence, name, until - GRACE, goodbye=False)
    return presence


def _seen(presence: UserPresence, wish: Wish, now: float) -> float:
    """When a user was here who was told to be, and is not: when the last device left, or was lost."""
    lost = [until - GRACE for until in wish.devices.values() if until != CONNECTED]
    return max([*wish.left.values(), *lost], default=presence.last_seen or now)


def emptied(entry: Entry, now: float) -> Entry:
    """The entry of a user who is known to be gone: its devices are what an old copy remembers."""
    presence = replace(entry.presence, devices=MappingProxyType({}))
    return replace(entry, presence=settle(presence, now, presence.last_seen or 0.0))


def _stray(presence: UserPresence, wish: Wish, standing: Standing) -> Iterator[str]:
    """Devices that should be the writer's own, and that it does not know."""
    for device, until in presence.devices.items():
        mine, _, name = device.partition("/")
        if until == CONNECTED and int(mine) == standing.lease and name not in wish.devices:
            yield device


def _without(presence: UserPresence, devices: Iterable[str], now: float) -> UserPresence:
    for device in tuple(devices):
        presence = leave(presence, device, now, goodbye=True)
    return presence


class Replica:
    """A node's copy of the roster."""

    def __init__(self) -> None:
        self._entries: dict[UserId, Entry] = {}
        self._owned: defaultdict[int, set[UserId]] = defaultdict(set)
        self.active = 0  # users with devices

    def __iter__(self) -> Iterator[UserId]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, user: UserId) -> Entry | None:
        return self._entries.get(user)

    def entries(self) -> list[Entry]:
        return list(self._entries.values())

    def put(self, user: UserId, entry: Entry | None) -> None:
        """Take over what the roster holds of a user."""
        before = self._entries.pop(user, None)
        owners, owned = (set() if one is None else _leases(one) for one in (entry, before))
        for lease in owned - owners:
            self._owned[lease].discard(user)
        for lease in owners - owned:
            self._owned[lease].add(user)
        self.active -= before is not None and bool(before.presence.devices)
        if entry is not None:
            self._entries[user] = entry
            self.active += bool(entry.presence.devices)

    def owned(self, lease: int) -> set[UserId]:
        """The users with devices of a lease, and those of whom it wrote last."""
        return set(self._owned.get(lease, ()))

    def leases(self) -> list[int]:
        return [lease for lease, users in self._owned.items() if users]


def _leases(entry: Entry) -> set[int]:
    return {entry.by, *map(owner, entry.presence.devices)}
