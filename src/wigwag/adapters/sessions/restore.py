# SPDX-License-Identifier: Apache-2.0
"""Puts a backup back, while no gateway runs. Nothing is touched before all of the backup was found genuine.

A session that is older than one known here is refused, unless somebody accepts what that means.
"""

import shutil
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from wigwag.adapters.sessions.archive import DATABASE, Part, unpack
from wigwag.adapters.sessions.durable import written
from wigwag.adapters.sessions.fence import Age, Fence, age
from wigwag.adapters.sessions.files import COMPANIONS, Session, read, session_files
from wigwag.adapters.sessions.guard import locked
from wigwag.adapters.sessions.sealed import Passphrase, unseal
from wigwag.domain.errors import Conflict, GatewayError, Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What came back.

    Args:
        parts: the files that are in their places now.
        unknown: sessions of which nothing was known here: another machine may still run them.
        older: sessions that went back in time, as was accepted.
        left_out: our database is kept elsewhere now, so the one in the backup was not used.
    """

    parts: Sequence[Part]
    unknown: Sequence[Session]
    older: Sequence[Session]
    left_out: bool


def restore(
    source: Path,
    sessions: Path,
    database: Path | None,
    passphrase: Passphrase,
    *,
    force: bool = False,
    accept_rollback: bool = False,
) -> Restored:
    """Put a backup back into the folder of sessions, and our database into its file.

    Args:
        database: where ours is now; None: it is no file.
        force: replace what is there.
        accept_rollback: take sessions that are older than what ran here.

    Raises:
        GatewayError: the backup is damaged.
        Conflict: a gateway runs, the passphrase is wrong, something is there already, or a session is too old.
        Unavailable: a file cannot be read or written.
    """
    try:
        with (
            source.open("rb") as sealed,
            locked(sessions),
            tempfile.TemporaryDirectory(prefix=".restore-", dir=sessions) as folder,
        ):
            staging = Path(folder)
            parts = unpack(unseal(sealed, passphrase), staging)
            targets = {part.name: sessions / part.name for part in parts if part.name != DATABASE}
            if database is not None and (staging / DATABASE).exists():
                targets[DATABASE] = database
            _refuse_to_replace(targets.values(), force=force)
            ages = _ages(staging, sessions, accept_rollback=accept_rollback)
            for name, target in targets.items():
                _put(staging / name, target)
    except OSError as error:
        raise Unavailable(f"The backup cannot be restored ({error.strerror}: {error.filename or sessions}).") from error
    return Restored(
        parts=[part for part in parts if part.name in targets],
        unknown=[session for session, found in ages.items() if found is Age.UNKNOWN],
        older=[session for session, found in ages.items() if found is Age.OLDER],
        left_out=len(targets) < len(parts),
    )


def _refuse_to_replace(targets: Iterable[Path], *, force: bool) -> None:
    there = [str(target) for target in targets if target.exists()]
    if there and not force:
        raise Conflict(f"{', '.join(there)} would be replaced: move away what you want to keep, then give --force.")


def _ages(staging: Path, sessions: Path, *, accept_rollback: bool) -> dict[Session, Age]:
    """How each session compares with what is known here; from now on it is what is known."""
    fence, coming = Fence(sessions), [read(path) for path in session_files(staging)]
    for path in session_files(sessions):
        with suppress(GatewayError):  # a damaged file is what one restores a backup for
            fence.note([read(path)])
    ages = {each: age(each.generation, fence.newest(each.device)) for each in coming if each.device}
    if not accept_rollback:
        for each in (each for each, found in ages.items() if found is Age.OLDER):
            raise Conflict(
                f"The session of {each.account} ran here after this backup: generation {each.generation} then, "
                f"{fence.newest(each.device)} now. With the old keys, messages can no longer be read: pair again with "
                f"`wigwag pair {each.account}` instead, or take them all the same with --accept-ratchet-rollback."
            )
    fence.accept(coming)
    return ages


def _put(staged: Path, target: Path) -> None:
    """Let the file take its place. What SQLite left beside the old one belongs to no other."""
    for ending in COMPANIONS:
        Path(f"{target}{ending}").unlink(missing_ok=True)
    with staged.open("rb") as file, written(target) as place:
        shutil.copyfileobj(file, place)
