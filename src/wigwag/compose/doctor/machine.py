# SPDX-License-Identifier: Apache-2.0
"""This machine, and the folder with the sessions. Nobody is asked over the network here."""

import platform
import resource
import shutil
import sys
from collections.abc import Iterator

from wigwag import __version__
from wigwag.adapters.sessions import Standing, standing
from wigwag.compose.doctor.findings import Finding, fine, notice, wrong
from wigwag.config import Settings

FEWEST_FILES = 4096  # each socket of a user is one
FULL, NEARLY_FULL = 0.97, 0.85  # of the disk; the alert DiskSpaceLow has the same 85 %
MIB = 1 << 20


def machine(settings: Settings) -> Iterator[Finding]:
    """Versions, open files, and the disk."""
    yield fine("versions", f"wigwag {__version__}, Python {platform.python_version()}, {platform.platform(terse=True)}")
    if sys.platform != "linux":
        yield wrong("versions", f"this is {sys.platform}", "Run wigwag on Linux; elsewhere, in a container.")
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < FEWEST_FILES:
        advice = "Raise it: LimitNOFILE of the unit, ulimits of the container, or `ulimit -n`."
        yield notice("open files", f"a process may open {soft} files, and each socket is one", advice)
    else:
        yield fine("open files", f"a process may open {soft}")
    yield from _disk(settings)


def _disk(settings: Settings) -> Iterator[Finding]:
    folder = settings.session_path
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    usage = shutil.disk_usage(folder)
    full = 1 - usage.free / usage.total
    found = f"the disk of {settings.session_path} is {full:.0%} full, {usage.free // MIB} MiB are free"
    advice = "Lower WIGWAG_MEDIA_BUDGET_MIB, move logs and backups elsewhere, or enlarge it."
    if full > FULL:
        yield wrong("disk", found, advice)
    else:
        yield notice("disk", found, advice) if full > NEARLY_FULL else fine("disk", found)


def sessions(settings: Settings) -> Iterator[Finding]:
    """Who may read the sessions, who uses them, and whether they are the newest."""
    found: Standing = standing(settings.session_path)
    for problem in found.problems:
        yield wrong("sessions", problem, "Whoever reads a session is the account; a gateway must write it.")
    for error in found.errors:
        yield wrong("sessions", error, "See docs/CLI.md, backup and restore.")
    if not found.problems and not found.errors:
        count = f"{len(found.files)} in {settings.session_path}" if found.files else "none yet: pair an account"
        user = f", in use by process {found.owner}" if found.owner else ", not in use"
        yield fine("sessions", f"{count}{user}")
