# SPDX-License-Identifier: Apache-2.0
"""How the folder of the sessions stands, for whoever wants to know without touching anything."""

import fcntl
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wigwag.adapters.sessions.fence import Fence
from wigwag.adapters.sessions.files import read, session_files
from wigwag.adapters.sessions.guard import LOCK
from wigwag.domain.errors import GatewayError


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What was found.

    Args:
        files: names of the session files.
        owner: the process that uses them; "" if none does.
        problems: what is wrong with who may do what, a sentence each.
        errors: why a gateway would not start with them.
    """

    files: tuple[str, ...]
    owner: str
    problems: tuple[str, ...]
    errors: tuple[str, ...]


def standing(folder: Path) -> Standing:
    """Look at the folder, which may not be there yet."""
    problems = tuple(_problems(folder))
    if problems or not folder.exists():
        return Standing(files=(), owner="", problems=problems, errors=())
    files, owner = session_files(folder), _owner(folder)
    errors = () if owner else tuple(_errors(folder, files))  # one that is in use was judged at its start
    return Standing(files=tuple(path.name for path in files), owner=owner, problems=(), errors=errors)


def _problems(folder: Path) -> Iterator[str]:
    if not folder.exists():
        above = next(parent for parent in folder.absolute().parents if parent.exists())
        if not above.is_dir() or not os.access(above, os.W_OK):
            yield f"{folder} is not there and cannot be made in {above}: set WHATSAPP_SESSION_PATH, or make it"
        return
    if not folder.is_dir():
        yield f"{folder} is no folder: set WHATSAPP_SESSION_PATH to one"
        return
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield f"this user may not write {folder}: give it to the user who runs wigwag (chown)"
        return
    for path in (folder, *session_files(folder)):
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            yield f"others on this machine can read {path} (mode {mode:03o}): take that from them (chmod go= {path})"


def _owner(folder: Path) -> str:
    """The process that holds the lock."""
    try:
        handle = os.open(folder / LOCK, os.O_RDWR)
    except FileNotFoundError:
        return ""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.pread(handle, 20, 0).decode("ascii", "replace").strip() or "unknown"
    finally:
        os.close(handle)
    return ""


def _errors(folder: Path, files: list[Path]) -> Iterator[str]:
    try:
        Fence(folder).check([read(path) for path in files])
    except GatewayError as error:
        yield str(error)
