# SPDX-License-Identifier: Apache-2.0
"""Users of the host application and their devices: what is shown of a user, and when that changes.

A device is a lease: it counts until its deadline. A device that is connected has none; one that was lost without a word
keeps its grace, so that a flicker of the network is not told. Nothing here knows sockets, and time comes in as `now`.

    devices that count | choice    | shown
    none               | any       | offline
    one or more        | online    | online
    one or more        | away      | away
    one or more        | busy      | busy
    one or more        | invisible | offline
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

from wigwag.domain.errors import InvalidUser

GRACE = 8.0  # seconds that a device lost without a goodbye still counts
CONNECTED = float("inf")
LONGEST_ID = 64  # characters

UserId = int | str
"""As the host writes it: a number, or a word that is not one."""

_WORD = re.compile(r"[!-~]{1,64}", re.ASCII)


def user_id(value: object) -> UserId:
    """A user's id in its one form: numbers are numbers, however they are written. Raises InvalidUser."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63:
        return value
    if isinstance(value, str) and _WORD.fullmatch(value):
        return user_id(int(value)) if value.isdecimal() and len(value) < LONGEST_ID // 3 else value
    raise InvalidUser


class Choice(StrEnum):
    """What a user wants to be shown as."""

    ONLINE = "online"
    AWAY = "away"
    BUSY = "busy"
    INVISIBLE = "invisible"


class Shown(StrEnum):
    """What others see (seed 004)."""

    ONLINE = "online"
    AWAY = "away"
    BUSY = "busy"
    OFFLINE = "offline"


def aggregate(devices: int, choice: Choice) -> Shown:
    """What is shown of a user with so many devices that count. The table above."""
    if devices == 0 or choice is Choice.INVISIBLE:
        return Shown.OFFLINE
    return Shown(choice.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserPresence:
    """What is known of a user. Instants are Unix seconds.

    Args:
        devices: until when each counts.
        last_seen: when others could last see the user; it never goes back.
        v: rises with every change that others may hear of, also over a crash, since it is never behind the clock (ms).
    """

    user: UserId
    devices: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    choice: Choice = Choice.ONLINE
    shown: Shown = Shown.OFFLINE
    last_seen: float | None = None
    v: int = 0

    @property
    def deadline(self) -> float:
        """When the next device stops to count; infinite if none does."""
        return min(self.devices.values(), default=CONNECTED)


def enter(presence: UserPresence, device: str, now: float) -> UserPresence:
    """A device connects, or comes back."""
    return _fold(presence, {**presence.devices, device: CONNECTED}, presence.choice, now, now)


def leave(presence: UserPresence, device: str, now: float, *, goodbye: bool, grace: float = GRACE) -> UserPresence:
    """A device goes: at once if it said goodbye, else at the end of its grace."""
    if device not in presence.devices:
        return presence
    devices = dict(presence.devices)
    if goodbye:
        del devices[device]
    else:
        devices[device] = min(devices[device], now + grace)
    return _fold(presence, devices, presence.choice, now, now)


def choose(presence: UserPresence, choice: Choice, now: float) -> UserPresence:
    """The user wants to be shown differently."""
    return _fold(presence, presence.devices, choice, now, now)


def expire(presence: UserPresence, now: float, grace: float = GRACE) -> UserPresence:
    """Devices whose time is over count no more. The user was last seen when the last of them was lost."""
    over = [until for until in presence.devices.values() if until <= now]
    if not over:
        return presence
    devices = {device: until for device, until in presence.devices.items() if until > now}
    return _fold(presence, devices, presence.choice, now, max(over) - grace)


def settle(presence: UserPresence, now: float, seen: float) -> UserPresence:
    """What is shown follows from the devices, if it did not. `seen`: when a user who is gone was last here."""
    right = aggregate(len(presence.devices), presence.choice) is presence.shown
    return presence if right else _fold(presence, presence.devices, presence.choice, now, seen)


def retell(presence: UserPresence, now: float) -> UserPresence:
    """Somebody may know more or less of the user than before, so what they have is old."""
    return replace(presence, v=max(presence.v + 1, int(now * 1000)))


def _fold(before: UserPresence, devices: Mapping[str, float], choice: Choice, now: float, seen: float) -> UserPresence:
    """The aggregate after a change. A user who is gone is shown as online when coming back, unless invisible.

    Written out in full: thousands of users may go at once, and `replace` takes twice as long.
    """
    shown = aggregate(len(devices), choice)
    last_seen = before.last_seen
    if shown is not Shown.OFFLINE:
        last_seen = max(last_seen or now, now)
    elif before.shown is not Shown.OFFLINE:
        last_seen = max(last_seen or seen, seen)
    return UserPresence(
        user=before.user,
        devices=MappingProxyType(dict(devices)),
        choice=choice if devices or choice is Choice.INVISIBLE else Choice.ONLINE,
        shown=shown,
        last_seen=last_seen,
        v=before.v if shown is before.shown else max(before.v + 1, int(now * 1000)),
    )


# --- who may know


class Audience(StrEnum):
    """Who may know something of a user."""

    EVERYONE = "everyone"
    CONTACTS = "contacts"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Privacy:
    """Who may know whether a user is online, and when they were last seen (seed 004)."""

    status: Audience = Audience.CONTACTS
    last_seen: Audience = Audience.CONTACTS


class Sight(NamedTuple):
    """What one user may know of another."""

    status: bool
    last_seen: bool


ALL, NOTHING = Sight(True, True), Sight(False, False)


@cache
def sight(privacy: Privacy, *, contact: bool, asker: Privacy | None = None) -> Sight:
    """What somebody may know of a user with this privacy.

    Args:
        contact: whether the one who looks is a contact of the user.
        asker: the privacy of the one who looks, where nobody may know what they do not let the other know
            (reciprocity); None where that is not asked.
    """
    sides = [privacy] if asker is None else [privacy, asker]
    return Sight(
        status=all(_may(side.status, contact) for side in sides),
        last_seen=all(_may(side.last_seen, contact) for side in sides),
    )


def _may(audience: Audience, contact: bool) -> bool:
    return audience is Audience.EVERYONE or (audience is Audience.CONTACTS and contact)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A user as somebody else may see them. Hidden looks the same as unknown."""

    user: UserId
    status: Shown = Shown.OFFLINE
    last_seen: float | None = None
    v: int = 0


def view(presence: UserPresence, allowed: Sight) -> View:
    """A user, as far as it is allowed to see them."""
    if allowed == NOTHING:
        return View(user=presence.user)
    return View(
        user=presence.user,
        status=presence.shown if allowed.status else Shown.OFFLINE,
        last_seen=presence.last_seen if allowed.last_seen else None,
        v=presence.v,
    )
