# SPDX-License-Identifier: Apache-2.0
"""The generation fence: remembers, outside the session files, the newest generation of each that ran here.

An older file is a session whose keys went back in time: WhatsApp and the contacts go on with the newer ones, and
messages can no longer be read. So it is refused (docs/adr/0007).
"""

import json
from collections.abc import Iterable
from enum import Enum
from itertools import groupby
from pathlib import Path

from wigwag.adapters.sessions.durable import written
from wigwag.adapters.sessions.files import Session, account_of
from wigwag.domain.errors import Conflict, Unavailable

FILE, KEY = "generations.json", "newest"


class Age(Enum):
    """How a session compares with what is known of its device."""

    UNKNOWN = "unknown"  # nothing is known
    NEWEST = "newest"  # nothing newer is known
    OLDER = "older"


def age(generation: int, newest: int | None) -> Age:
    """Compare a generation with the newest one known."""
    if newest is None:
        return Age.UNKNOWN
    return Age.OLDER if generation < newest else Age.NEWEST


class Fence:
    """The newest generation of each device, in `generations.json` beside the sessions. One process uses it at a time.

    Devices stay in it after a new pairing, so that a file of an earlier pairing is still recognised.

    Raises:
        Unavailable: the file cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._newest = _load(self._path)

    def newest(self, device: str | None) -> int | None:
        """The newest generation that is known of a device."""
        return None if device is None else self._newest.get(device)

    def check(self, sessions: Iterable[Session]) -> None:
        """Raise Conflict if one of them must not run."""
        paired = sorted((each for each in sessions if each.device), key=lambda each: (each.device, each.file))
        for each in paired:
            newest = self.newest(each.device)
            if age(each.generation, newest) is Age.OLDER:
                raise Conflict(_older(each, newest))
        for _, group in groupby(paired, key=lambda each: each.device):
            files = [each.file for each in group]
            if len(files) > 1:
                raise Conflict(f"{' and '.join(files)} are copies of one session: move all but the newest away.")

    def note(self, sessions: Iterable[Session]) -> None:
        """Remember what runs; a newest generation never goes down by this."""
        found = ((each.device, each.generation) for each in sessions if each.device)
        self._keep({device: max(at, self._newest.get(device, 0)) for device, at in found})

    def accept(self, sessions: Iterable[Session]) -> None:
        """From now on these are the newest, whatever was known."""
        self._keep({each.device: each.generation for each in sessions if each.device})

    def _keep(self, changes: dict[str, int]) -> None:
        after = self._newest | changes
        if after == self._newest:
            return
        try:
            with written(self._path) as file:
                file.write(json.dumps({KEY: after}, indent=1).encode())
        except OSError as error:
            raise Unavailable(f"{self._path} cannot be written ({error.strerror}): make room on the disk.") from error
        self._newest = after


def _older(session: Session, newest: int | None) -> str:
    account = account_of(session.file)
    return (
        f"{session.file} is an old copy of the session of {account}: its generation is {session.generation}, but "
        f"{newest} ran here. With old keys, messages can no longer be read, so it is not used. Put the newest file "
        f"back, or move this one away and pair again with `wigwag pair {account}`. From a backup, `wigwag restore "
        "--accept-ratchet-rollback` takes an old one all the same."
    )


def _load(path: Path) -> dict[str, int]:
    try:
        kept = json.loads(path.read_bytes())
        return {str(device): int(generation) for device, generation in kept[KEY].items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unavailable(
            f"{path} cannot be read ({error}). It keeps old copies of sessions from being used. If you are sure that "
            "the session files are the newest, remove it."
        ) from error
