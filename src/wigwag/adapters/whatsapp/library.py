# SPDX-License-Identifier: Apache-2.0
"""Loads neonize's shared library, or says why not. Import this before anything of neonize.

neonize downloads another library when it thinks that its own does not fit. A gateway must not run what it fetched at
start, so the versions are compared first, and a mismatch is an error.
"""

import ctypes
import importlib.metadata
import importlib.util
import platform
from pathlib import Path

from wigwag.domain.errors import Unavailable

_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64", "i686": "386", "i386": "386"}
_ENDINGS = {"linux": "so", "darwin": "dylib", "windows": "dll"}


def library_path() -> Path:
    """Where the installed package keeps its shared library. Raises Unavailable if it has none for this machine."""
    spec = importlib.util.find_spec("neonize")
    system, machine = platform.system().lower(), platform.machine().lower()
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable("neonize is not installed: install wigwag again.")
    name = f"neonize-{system}-{_MACHINES.get(machine, machine)}.{_ENDINGS.get(system, 'so')}"
    path = Path(spec.submodule_search_locations[0]) / name
    if not path.is_file():
        raise Unavailable(f"neonize has no WhatsApp library for {system} on {machine}.")
    return path


def check() -> None:
    """Raise Unavailable unless the library fits the package, in which case importing neonize fetches nothing."""
    library = ctypes.CDLL(str(library_path()))
    library.GetVersion.restype = ctypes.c_char_p
    found, wanted = library.GetVersion().decode(), importlib.metadata.version("neonize")
    if found != wanted:
        raise Unavailable(f"The WhatsApp library is version {found}, but neonize is {wanted}: install wigwag again.")
